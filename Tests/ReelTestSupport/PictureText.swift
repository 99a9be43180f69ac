import Foundation
import Reel

/// Where the text of a picture stands, to see that nothing is cut and nothing covers anything else.
package struct PictureText {
  /// One line of text and the rectangle it needs.
  package struct Line {
    package let text: String
    /// In order round the rectangle, which may be turned.
    let corners: [(x: Double, y: Double)]

    var left: Double { corners.map(\.x).min()! }
    var right: Double { corners.map(\.x).max()! }
    var top: Double { corners.map(\.y).min()! }
    var bottom: Double { corners.map(\.y).max()! }

    /// Whether the rectangles share more than a pixel: no direction of an edge parts them.
    func covers(_ other: Line) -> Bool {
      for edged in [self, other] {
        for (first, second) in zip(edged.corners[..<2], edged.corners[1...]) {
          let length = hypot(second.x - first.x, second.y - first.y)
          if length == 0 { return false }
          let axis = (x: (second.x - first.x) / length, y: (second.y - first.y) / length)
          let spans = [self, other].map { line in line.corners.map { $0.x * axis.x + $0.y * axis.y } }
          if spans[0].max()! < spans[1].min()! + 1 || spans[1].max()! < spans[0].min()! + 1 { return false }
        }
      }
      return true
    }
  }

  package let lines: [Line]
  let width, height: Double

  package init(_ picture: SVG) throws {
    let text = picture.text
    let box = try #/viewBox="0 0 ([\d.]+) ([\d.]+)"/#.firstMatch(in: text)!
    (width, height) = (Double(box.1)!, Double(box.2)!)
    var shifts: [(x: Double, y: Double)] = [(0, 0)]
    var lines: [Line] = []
    let form =
      #/<g transform="translate\(([-\d.]+) ([-\d.]+)\)">|<\/g>|<text class="([^"]*)" x="([-\d.]+)" y="([-\d.]+)"(?: text-anchor="(\w+)")?(?: transform="rotate\(([-\d.]+) [^"]*)?"?[^>]*>([^<]*)</#
    for match in text.matches(of: form) {
      if let x = match.1, let y = match.2 {
        shifts.append((shifts.last!.x + Double(x)!, shifts.last!.y + Double(y)!))
      } else if match.0 == "</g>" {
        shifts.removeLast()
      } else if let name = match.3, let x = match.4, let y = match.5, let words = match.8 {
        let place = (x: Double(x)! + shifts.last!.x, y: Double(y)! + shifts.last!.y)
        lines.append(
          Self.line(String(words), String(name), place, match.6.map(String.init), match.7.flatMap { Double($0) } ?? 0))
      }
    }
    self.lines = lines
  }

  private static func line(
    _ words: String, _ name: String, _ place: (x: Double, y: Double), _ anchor: String?, _ angle: Double
  ) -> Line {
    let plain = words.replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing("&quot;", with: "\"")
      .replacing("&amp;", with: "&")
    let size = name.contains("title") ? 15.0 : name.contains("small") || name.contains("mono") ? 11 : 12
    let width = TextWidth.of(plain, size: size, mono: name.contains("mono"))
    let start = anchor == "middle" ? -width / 2 : anchor == "end" ? -width : 0
    // The corners of the text, turned about its point; letters reach a little below the baseline.
    let (sine, cosine) = (sin(angle * .pi / 180), cos(angle * .pi / 180))
    let corners = [(start, -0.72), (start + width, -0.72), (start + width, 0.1), (start, 0.1)].map { x, y in
      (x: place.x + x * cosine - y * size * sine, y: place.y + x * sine + y * size * cosine)
    }
    return Line(text: plain, corners: corners)
  }

  /// What is wrong: a line that is cut by the edge, or two that cover each other; nil if nothing is.
  package var failure: String? {
    for (index, line) in lines.enumerated() {
      if line.left < -0.5 || line.top < -0.5 || line.right > width + 0.5 || line.bottom > height + 0.5 {
        return "'\(line.text)' is cut: \(line) in \(width) × \(height)"
      }
      for other in lines[(index + 1)...] where line.covers(other) {
        return "'\(line.text)' and '\(other.text)' cover each other: \(line), \(other)"
      }
    }
    return nil
  }
}
