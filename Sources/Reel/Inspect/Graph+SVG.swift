extension Graph {
  /// A picture of the program: a box for each operation with its attributes and types, and arrows from what it uses.
  ///
  /// Bodies of loops are drawn inside their loops. Blue boxes are the program as it was written, orange ones what a reverse
  /// sweep recorded, grey ones arguments, constants and results. Rest the pointer on a box to see all of it.
  ///
  /// - Parameter title: What stands above the picture; the number of operations by default.
  public func svg(title: String? = nil) -> SVG {
    let title = title ?? Self.counted(operationCount, "operation")
    let picture = DiagramPicture(GraphDiagram(self))
    let margin = 20.0
    let width = max(picture.size.width, TextWidth.of(title, size: 15), DiagramPicture.legendWidth) + 2 * margin
    var drawing = Drawing(width: width, height: picture.size.height + 62 + 2 * margin)
    drawing.text(title, margin, margin + 13, class: "title")
    DiagramPicture.drawLegend(into: &drawing, x: margin, y: margin + 38)
    picture.draw(into: &drawing, x: (width - picture.size.width) / 2, y: margin + 62)
    return drawing.svg(title: title)
  }

  /// How many operations there are, inputs not counted and bodies included.
  package var operationCount: Int {
    nodes.reduce(0) { sum, node in
      let bodies = (node.operation as? any OperationWithBodies)?.bodies ?? []
      return sum + (node.operation is Input ? 0 : 1) + bodies.reduce(0) { $0 + $1.operationCount }
    }
  }

  /// `1 operation`, `2 operations`.
  static func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
}

/// A diagram with a place for everything, bodies laid out first, for they say how large their loops are.
private struct DiagramPicture {
  private let diagram: GraphDiagram
  private let layout: LayeredLayout
  private let bodies: [[DiagramPicture]]

  static let widest = 230.0
  static let padding = 12.0
  /// From the top of a loop to its bodies.
  static let head = 44.0
  static let legend: [(role: GraphDiagram.Role, text: String)] = [
    (.forward, "forward"), (.reverse, "reverse sweep"), (.given, "arguments, constants, results"),
  ]
  static var legendWidth: Double { legend.reduce(0) { $0 + 38 + TextWidth.of($1.text) } }

  var size: LayeredLayout.Size { layout.size }

  init(_ diagram: GraphDiagram) {
    self.diagram = diagram
    let bodies = diagram.boxes.map { $0.bodies.map(DiagramPicture.init) }
    self.bodies = bodies
    layout = LayeredLayout(
      zip(diagram.boxes, bodies).map(Self.size), edges: diagram.edges, isSource: diagram.boxes.map(\.isSource))
  }

  private static func size(of box: GraphDiagram.Box, bodies: [DiagramPicture]) -> LayeredLayout.Size {
    let text = max(
      TextWidth.of(box.name) * 1.06, TextWidth.of(box.detail, size: 11), TextWidth.of(box.type, size: 11, mono: true))
    let lines = 2 + (box.detail.isEmpty ? 0 : 1)
    var size = LayeredLayout.Size(width: min(text, widest) + 2 * padding, height: Double(lines) * 15 + 10)
    guard !bodies.isEmpty else { return size }
    let inside = bodies.reduce(-padding) { $0 + $1.size.width + padding }
    size.width = max(size.width, inside + 2 * padding)
    size.height = head + (bodies.map(\.size.height).max() ?? 0) + padding
    return size
  }

  static func drawLegend(into drawing: inout Drawing, x: Double, y: Double) {
    var x = x
    for (role, text) in legend {
      drawing.rectangle(x, y - 10, 14, 12, class: role.rawValue, radius: 3)
      drawing.text(text, x + 20, y, class: "ink")
      x += 38 + TextWidth.of(text)
    }
  }

  func draw(into drawing: inout Drawing, x: Double, y: Double) {
    for route in layout.routes { drawing.flow(route.map { ($0.x + x, $0.y + y) }, class: "edge") }
    for (index, box) in diagram.boxes.enumerated() {
      let corner = layout.corners[index]
      let size = Self.size(of: box, bodies: bodies[index])
      if bodies[index].isEmpty {
        draw(box, size, into: &drawing, x: x + corner.x, y: y + corner.y)
      } else {
        drawLoop(box, size, bodies[index], into: &drawing, x: x + corner.x, y: y + corner.y)
      }
    }
  }

  private func draw(
    _ box: GraphDiagram.Box, _ size: LayeredLayout.Size, into drawing: inout Drawing, x: Double, y: Double
  ) {
    drawing.rectangle(
      x, y, size.width, size.height, class: box.role.rawValue, radius: box.isSource ? 14 : 5, hint: box.hint)
    let room = size.width - 2 * Self.padding
    let middle = x + size.width / 2
    drawing.text(TextWidth.fitted(box.name, to: room), middle, y + 17, class: "strong", anchor: .middle)
    var baseline = y + 32
    if !box.detail.isEmpty {
      drawing.text(
        TextWidth.fitted(box.detail, to: room, size: 11), middle, baseline, class: "quiet small", anchor: .middle)
      baseline += 15
    }
    drawing.text(
      TextWidth.fitted(box.type, to: room, size: 11, mono: true), middle, baseline, class: "mono", anchor: .middle)
  }

  private func drawLoop(
    _ box: GraphDiagram.Box, _ size: LayeredLayout.Size, _ bodies: [DiagramPicture], into drawing: inout Drawing,
    x: Double, y: Double
  ) {
    drawing.rectangle(x, y, size.width, size.height, class: "loop", radius: 8, hint: box.hint)
    drawing.rectangle(x, y, size.width, 34, class: box.role.rawValue, radius: 8, hint: box.hint)
    let room = size.width - 2 * Self.padding
    let name = TextWidth.fitted(box.name, to: room)
    let nameWidth = TextWidth.of(name) * 1.06
    drawing.text(name, x + Self.padding, y + 15, class: "strong")
    drawing.text(
      TextWidth.fitted(box.detail, to: max(room - nameWidth - 10, 0), size: 11), x + Self.padding + nameWidth + 10,
      y + 15, class: "quiet small")
    drawing.text(
      TextWidth.fitted(box.type, to: room, size: 11, mono: true), x + Self.padding, y + 29, class: "mono")
    let inside = bodies.reduce(-Self.padding) { $0 + $1.size.width + Self.padding }
    var left = x + (size.width - inside) / 2
    for body in bodies {
      body.draw(into: &drawing, x: left, y: y + Self.head)
      left += body.size.width + Self.padding
    }
  }
}
