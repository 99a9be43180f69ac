import Reel

extension SVG {
  /// A picture of what the gates of a recurrent cell do over time: for each gate a map of its units (rows) by steps
  /// (columns).
  ///
  /// Gates with values in 0...1 are coloured from none to full; other values, such as states and candidates, by sign and
  /// size.
  ///
  /// - Parameters:
  ///   - gates: By name, `[time, units]`; any number of steps and units.
  ///   - title: What stands above the picture.
  /// - Throws: ``TensorError`` if a tensor has not two axes.
  public static func gates(_ gates: KeyValuePairs<String, Tensor>, title: String = "Gates over time") throws -> SVG {
    let maps = try gates.map { name, values in
      guard values.rank == 2 else {
        throw TensorError(
          operation: "gates", operands: [values.type], problem: "'\(name)' of shape \(values.shape)",
          expected: "[time, units]")
      }
      return GateMap(name: name, values: values)
    }
    return GatesPicture(maps, title: title).drawing.svg(title: title)
  }
}

/// One gate: units by steps.
private struct GateMap {
  let name: String
  let map: HeatMap
  /// What full colour means.
  let scale: String

  init(name: String, values: Tensor) {
    let (time, units) = (values.shape[0], values.shape[1])
    let numbers = values.numbers
    let finite = numbers.filter(\.isFinite)
    let isShare = finite.allSatisfy { (0...1).contains($0) }
    let size = finite.map { abs($0) }.max() ?? 0
    self.name = name
    scale = isShare ? "0 to 1" : "-\(NumberText.short(size)) to \(NumberText.short(size))"
    map = HeatMap(
      rows: units, columns: time, values: (0..<units * time).map { numbers[$0 % time * units + $0 / time] },
      scale: isShare ? .rising(low: 0, high: 1) : .signed(size: size))
  }
}

private struct GatesPicture {
  private(set) var drawing: Drawing
  private static let margin = 20.0
  private static let mapWidth = 560.0
  private static let left = 76.0

  init(_ gates: [GateMap], title: String) {
    let heights = gates.map { Self.height($0.map) }
    let height = heights.reduce(0) { $0 + $1 + 62 } + 62
    drawing = Drawing(width: Self.left + Self.mapWidth + Self.margin, height: max(height, 90))
    let room = drawing.width - 2 * Self.margin
    drawing.text(TextWidth.fitted(title, to: room, size: 15), Self.margin, Self.margin + 13, class: "title")
    var y = 58.0
    for (gate, height) in zip(gates, heights) {
      draw(gate, y: y, height: height)
      y += height + 62
    }
    if gates.isEmpty { drawing.text("no values", Self.margin, 64, class: "quiet") }
  }

  private static func height(_ map: HeatMap) -> Double { min(max(Double(map.rows) * 8, 40), 200) }

  private mutating func draw(_ gate: GateMap, y: Double, height: Double) {
    let scaleWidth = TextWidth.of(gate.scale) + 58
    drawing.text(TextWidth.fitted(gate.name, to: Self.mapWidth - scaleWidth - 10), Self.left, y + 6, class: "strong")
    drawScale(gate, x: Self.left + Self.mapWidth - scaleWidth, y: y)
    let top = y + 16
    gate.map.draw(into: &drawing, x: Self.left, y: top, width: Self.mapWidth, height: height)
    guard gate.map.rows > 0, gate.map.columns > 0 else {
      drawing.text("no values", Self.left + Self.mapWidth / 2, top + height / 2 + 4, class: "quiet", anchor: .middle)
      return
    }
    drawing.text("unit", Self.margin + 8, top + height / 2, class: "quiet", anchor: .middle, angle: -90)
    drawing.text("0", Self.left - 8, top + 10, class: "quiet", anchor: .end)
    if gate.map.rows > 1 {
      drawing.text("\(gate.map.rows - 1)", Self.left - 8, top + height, class: "quiet", anchor: .end)
    }
    let bottom = top + height + 15
    drawing.text("0", Self.left, bottom, class: "quiet")
    drawing.text("step", Self.left + Self.mapWidth / 2, bottom, class: "quiet", anchor: .middle)
    if gate.map.columns > 1 {
      drawing.text("\(gate.map.columns - 1)", Self.left + Self.mapWidth, bottom, class: "quiet", anchor: .end)
    }
  }

  /// A strip with the colours from the least to the greatest value.
  private mutating func drawScale(_ gate: GateMap, x: Double, y: Double) {
    let steps = 10
    let (low, high): (Double, Double) =
      switch gate.map.scale {
      case .rising(let low, let high): (low, high)
      case .signed(let size): (-size, size)
      }
    for step in 0..<steps {
      let value = low + (high - low) * (Double(step) + 0.5) / Double(steps)
      guard let (name, style) = gate.map.paint(value) else { continue }
      drawing.rectangle(x + Double(step) * 5, y - 3, 5, 10, class: name, style: style)
    }
    drawing.text(gate.scale, x + 58, y + 6, class: "quiet")
  }
}
