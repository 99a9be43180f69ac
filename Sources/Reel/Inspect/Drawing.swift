/// A drawing in the making: shapes and text by their coordinates, y downwards, in pixels.
///
/// Colours are the classes of ``DrawingStyle``. Text is escaped here and nowhere else.
package struct Drawing {
  /// Where a text stands relative to its point.
  package enum Anchor: String {
    case start, middle, end
  }

  package let width, height: Double
  private var lines: [String] = []

  package init(width: Double, height: Double) {
    self.width = width
    self.height = height
  }

  /// The drawing as a document.
  ///
  /// - Parameter title: What it shows, for those who cannot see it.
  package func svg(title: String) -> SVG {
    let size = "width=\"\(Self.number(width))\" height=\"\(Self.number(height))\""
    let box = "viewBox=\"0 0 \(Self.number(width)) \(Self.number(height))\""
    let head = "<svg xmlns=\"http://www.w3.org/2000/svg\" \(size) \(box) role=\"img\">"
    let page = "<rect class=\"page\" width=\"100%\" height=\"100%\"/>"
    let all = [head, "<title>\(Self.escaped(title))</title>", "<style>\(DrawingStyle.css)</style>", page] + lines
    return SVG(text: (all + ["</svg>", ""]).joined(separator: "\n"))
  }

  // MARK: - Shapes

  /// A rectangle; `hint` shows where the pointer rests on it.
  package mutating func rectangle(
    _ x: Double, _ y: Double, _ width: Double, _ height: Double, class name: String, radius: Double = 0,
    style: String = "", hint: String = ""
  ) {
    let place = "x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" "
    let size = "width=\"\(Self.number(max(width, 0)))\" height=\"\(Self.number(max(height, 0)))\""
    let rounding = radius > 0 ? " rx=\"\(Self.number(radius))\"" : ""
    add("rect", "class=\"\(name)\" \(place)\(size)\(rounding)" + (style.isEmpty ? "" : " style=\"\(style)\""), hint)
  }

  package mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, class name: String) {
    let from = "x1=\"\(Self.number(x1))\" y1=\"\(Self.number(y1))\" "
    add("line", "class=\"\(name)\" \(from)x2=\"\(Self.number(x2))\" y2=\"\(Self.number(y2))\"", "")
  }

  package mutating func circle(_ x: Double, _ y: Double, radius: Double, class name: String, hint: String = "") {
    let center = "cx=\"\(Self.number(x))\" cy=\"\(Self.number(y))\""
    add("circle", "class=\"\(name)\" \(center) r=\"\(Self.number(radius))\"", hint)
  }

  /// Straight lines through some points.
  package mutating func polyline(_ points: [(x: Double, y: Double)], class name: String) {
    let list = points.map { "\(Self.number($0.x)),\(Self.number($0.y))" }.joined(separator: " ")
    add("polyline", "class=\"\(name)\" points=\"\(list)\"", "")
  }

  /// A smooth line that leaves and reaches every point vertically.
  package mutating func flow(_ points: [(x: Double, y: Double)], class name: String) {
    guard let first = points.first else { return }
    var path = "M\(Self.number(first.x)) \(Self.number(first.y))"
    for (from, to) in zip(points, points.dropFirst()) {
      let middle = Self.number((from.y + to.y) / 2)
      path +=
        "C\(Self.number(from.x)) \(middle) \(Self.number(to.x)) \(middle) \(Self.number(to.x)) \(Self.number(to.y))"
    }
    add("path", "class=\"\(name)\" d=\"\(path)\"", "")
  }

  /// A line of text whose baseline goes through the point; turned by `angle` degrees.
  package mutating func text(
    _ text: String, _ x: Double, _ y: Double, class name: String, anchor: Anchor = .start, angle: Double = 0
  ) {
    let place = "x=\"\(Self.number(x))\" y=\"\(Self.number(y))\""
    let side = anchor == .start ? "" : " text-anchor=\"\(anchor.rawValue)\""
    let turn =
      angle == 0 ? "" : " transform=\"rotate(\(Self.number(angle)) \(Self.number(x)) \(Self.number(y)))\""
    lines.append("<text class=\"\(name)\" \(place)\(side)\(turn)>\(Self.escaped(text))</text>")
  }

  /// Another drawing, with its corner at a point.
  package mutating func insert(_ other: Drawing, x: Double, y: Double) {
    lines.append("<g transform=\"translate(\(Self.number(x)) \(Self.number(y)))\">")
    lines += other.lines
    lines.append("</g>")
  }

  private mutating func add(_ element: String, _ attributes: String, _ hint: String) {
    let content = hint.isEmpty ? "/>" : "><title>\(Self.escaped(hint))</title></\(element)>"
    lines.append("<\(element) \(attributes)\(content)")
  }

  // MARK: - Numbers and text

  /// A coordinate, to a hundredth; one that is no number would break the document and is 0.
  package static func number(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e9 else { return "0" }
    let hundredths = Int((value * 100).rounded())
    let sign = hundredths < 0 ? "-" : ""
    let (whole, rest) = hundredths.magnitude.quotientAndRemainder(dividingBy: 100)
    if rest == 0 { return "\(sign)\(whole)" }
    return "\(sign)\(whole)." + (rest < 10 ? "0\(rest)" : rest % 10 == 0 ? "\(rest / 10)" : "\(rest)")
  }

  /// A text as it stands in XML. Characters that XML has no place for become a replacement character.
  package static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\n", "\t": result += " "
      case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
