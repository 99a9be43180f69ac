import Reel

/// Where everything of a chart stands: title, legend, axes and curves, none over another.
struct ChartPicture {
  private(set) var drawing: Drawing
  private let chart: Chart
  private let x: Ticks
  private let y: Ticks
  /// The edges of what curves are drawn in.
  private var left = 0.0
  private var top = 0.0
  private let right: Double
  private let bottom: Double

  private static let margin = 20.0
  private static let labelSize = 12.0
  /// More points than this in a curve are joined to the least and greatest of each stretch, which looks the same.
  private static let mostPoints = 1200

  init(_ chart: Chart, width: Double, height: Double) {
    self.chart = chart
    drawing = Drawing(width: width, height: height)
    let points = chart.series.flatMap { $0.pieces.joined() }
    let marks = chart.mark.map { [$0] } ?? []
    right = width - Self.margin
    bottom = height - Self.margin - (chart.xLabel.isEmpty ? 20 : 38)
    x = Ticks(
      covering: points.map(\.x) + (points.isEmpty ? [] : marks), count: 7, wholeNumbers: chart.countsX, isTight: true)
    y = Ticks(covering: points.map(\.y))
    top = drawHead()
    let labels = y.labels.map { TextWidth.of($0, size: Self.labelSize) }.max() ?? 0
    left = Self.margin + labels + 10 + (chart.yLabel.isEmpty ? 0 : 20)
    drawAxes()
    if points.isEmpty {
      drawing.text("no values", (left + right) / 2, (top + bottom) / 2, class: "quiet", anchor: .middle)
    }
    for (index, series) in chart.series.enumerated() { draw(series, index) }
  }

  /// The share of the axis in pixels.
  private func place(x value: Double) -> Double {
    left + (value - x.range.lowerBound) / (x.range.upperBound - x.range.lowerBound) * (right - left)
  }

  private func place(y value: Double) -> Double {
    bottom - (value - y.range.lowerBound) / (y.range.upperBound - y.range.lowerBound) * (bottom - top)
  }

  // MARK: - Title and legend

  /// Draws title and legend, and gives where the chart begins below them.
  private mutating func drawHead() -> Double {
    let room = right - Self.margin
    drawing.text(TextWidth.fitted(chart.title, to: room, size: 15), Self.margin, Self.margin + 13, class: "title")
    let entries = Self.legend(of: chart, width: right + Self.margin)
    for (entry, (index, series)) in zip(entries, chart.series.enumerated()) {
      drawing.polyline([(entry.x, entry.y - 4), (entry.x + 24, entry.y - 4)], class: Self.curveClass(series, index))
      drawing.text(entry.name, entry.x + 32, entry.y, class: "ink")
    }
    return entries.last.map { $0.y + 18 } ?? Self.margin + 34
  }

  /// The names of the curves and where they stand: in lines below the title, none if the title says it all.
  private static func legend(of chart: Chart, width: Double) -> [(name: String, x: Double, y: Double)] {
    guard chart.series.count > 1 || chart.series.first.map({ $0.name != chart.title }) == true else { return [] }
    var (x, y) = (margin, margin + 36)
    return chart.series.map { series in
      let words = series.pieces.isEmpty ? "\(series.name) (no values)" : series.name
      let name = TextWidth.fitted(words, to: width - 2 * margin - 32)
      let end = x + 32 + TextWidth.of(name)
      if x > margin && end > width - margin { (x, y) = (margin, y + 19) }
      defer { x += 48 + TextWidth.of(name) }
      return (name, x, y)
    }
  }

  /// The height of a chart: more where its legend has many lines.
  static func height(of chart: Chart, width: Double) -> Double {
    let lines = Set(legend(of: chart, width: width).map(\.y)).count
    return 340 + Double(max(lines - 2, 0)) * 19
  }

  private static func curveClass(_ series: Chart.Series, _ index: Int) -> String {
    let color = abs(series.color ?? index)
    let isDashed = series.style == .dashed || color / DrawingStyle.seriesCount % 2 == 1
    return "curve s\(color % DrawingStyle.seriesCount)" + (isDashed ? " dashed" : "")
  }

  // MARK: - Axes

  private mutating func drawAxes() {
    for (value, label) in zip(y.values, y.labels) {
      drawing.line(left, place(y: value), right, place(y: value), class: "grid")
      drawing.text(label, left - 8, place(y: value) + 4, class: "quiet", anchor: .end)
    }
    drawing.line(left, bottom, right, bottom, class: "axis")
    var lastEnd = -Double.infinity
    for (value, label) in zip(x.values, x.labels) {
      let width = TextWidth.of(label, size: Self.labelSize)
      // A label at the edge moves inwards, so that it is not cut.
      let center = min(place(x: value), right + Self.margin - 4 - width / 2)
      guard center - width / 2 > lastEnd + 8 else { continue }
      lastEnd = center + width / 2
      drawing.line(place(x: value), bottom, place(x: value), bottom + 4, class: "axis")
      drawing.text(label, center, bottom + 18, class: "quiet", anchor: .middle)
    }
    if !chart.xLabel.isEmpty {
      let text = TextWidth.fitted(chart.xLabel, to: right - left)
      drawing.text(text, (left + right) / 2, bottom + 38, class: "ink", anchor: .middle)
    }
    if !chart.yLabel.isEmpty {
      let text = TextWidth.fitted(chart.yLabel, to: bottom - top)
      drawing.text(text, Self.margin + 6, (top + bottom) / 2, class: "ink", anchor: .middle, angle: -90)
    }
    if let mark = chart.mark, x.range.contains(mark) {
      drawing.line(place(x: mark), top, place(x: mark), bottom, class: "mark")
    }
  }

  // MARK: - Curves

  private mutating func draw(_ series: Chart.Series, _ index: Int) {
    let color = abs(series.color ?? index) % DrawingStyle.seriesCount
    for piece in series.pieces {
      let points = Self.thinned(piece).map { (x: place(x: $0.x), y: place(y: $0.y)) }
      if points.count > 1 { drawing.polyline(points, class: Self.curveClass(series, index)) }
      // A value without neighbours is no line; a few values are easier to see with their points.
      if points.count == 1 || series.y.count <= 12 {
        for (point, value) in zip(points, piece) {
          let hint = "\(series.name): \(NumberText.short(value.y)) at \(NumberText.short(value.x))"
          drawing.circle(point.x, point.y, radius: 3.5, class: "f\(color)", hint: hint)
        }
      }
    }
  }

  /// The first, least, greatest and last of every stretch of a long curve.
  static func thinned(_ points: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
    guard points.count > mostPoints else { return points }
    let stretches = mostPoints / 4
    return (0..<stretches).flatMap { stretch in
      let part = points[points.count * stretch / stretches..<points.count * (stretch + 1) / stretches]
      let least = part.indices.min { part[$0].y < part[$1].y }!
      let greatest = part.indices.max { part[$0].y < part[$1].y }!
      return Set([part.startIndex, least, greatest, part.endIndex - 1]).sorted().map { points[$0] }
    }
  }
}
