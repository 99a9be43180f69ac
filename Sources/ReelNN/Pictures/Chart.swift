import Reel

/// Curves over axes with a legend.
///
///     var chart = Chart(title: "Learning rate", x: "step")
///     chart.series = [Chart.Series("warm-up", [0.1, 0.2, 0.4])]
///     try chart.svg().write(to: "rate.svg")
///
/// Values that are not finite are left out: a curve has a gap there.
public struct Chart: Hashable, Sendable {
  /// One curve.
  public struct Series: Hashable, Sendable {
    /// How a curve is drawn.
    public enum Style: Hashable, Sendable {
      /// An unbroken line.
      case line
      /// A broken line.
      case dashed
    }

    /// The name in the legend.
    public var name: String
    /// Where the values stand; as many as values.
    public var x: [Double]
    /// The values.
    public var y: [Double]
    /// How the curve is drawn.
    public var style: Style
    /// Which of the colours; by default the curve's place among the chart's.
    public var color: Int?

    /// A curve with its parts; `x` counts from 0 unless given.
    public init(_ name: String, _ y: [Double], x: [Double]? = nil, style: Style = .line, color: Int? = nil) {
      precondition(x == nil || x!.count == y.count, "a curve has as many places as values")
      self.name = name
      self.x = x ?? y.indices.map(Double.init)
      self.y = y
      self.style = style
      self.color = color
    }

    /// The points, without those that are not finite; each unbroken piece by itself.
    var pieces: [[(x: Double, y: Double)]] {
      var pieces: [[(x: Double, y: Double)]] = [[]]
      for (x, y) in zip(x, y) {
        if x.isFinite && y.isFinite {
          pieces[pieces.count - 1].append((x, y))
        } else if !pieces[pieces.count - 1].isEmpty {
          pieces.append([])
        }
      }
      return pieces.filter { !$0.isEmpty }
    }
  }

  /// What stands above the chart.
  public var title: String
  /// What stands beside the axes; may be empty.
  public var xLabel, yLabel: String
  /// The curves.
  public var series: [Series]
  /// Whether places along the horizontal axis are whole numbers, such as epochs.
  public var countsX: Bool
  /// A place along the horizontal axis that is marked by a vertical line, such as the present of a forecast.
  public var mark: Double?

  /// A chart with its parts.
  public init(
    title: String, x xLabel: String = "", y yLabel: String = "", series: [Series] = [], countsX: Bool = false,
    mark: Double? = nil
  ) {
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.series = series
    self.countsX = countsX
    self.mark = mark
  }

  /// The chart as a picture.
  public func svg() -> SVG { Figure([self]).svg(title: title) }
}

/// Charts beside and below each other.
struct Figure {
  let charts: [Chart]
  private static let width = 560.0

  init(_ charts: [Chart]) { self.charts = charts }

  func svg(title: String) -> SVG {
    let columns = charts.count > 1 ? 2 : 1
    let rows = stride(from: 0, to: charts.count, by: columns).map {
      Array(charts[$0..<min($0 + columns, charts.count)])
    }
    let heights = rows.map { row in row.map { ChartPicture.height(of: $0, width: Self.width) }.max() ?? 0 }
    var drawing = Drawing(width: Double(columns) * Self.width, height: heights.reduce(0, +))
    var y = 0.0
    for (row, height) in zip(rows, heights) {
      for (column, chart) in row.enumerated() {
        let picture = ChartPicture(chart, width: Self.width, height: height)
        drawing.insert(picture.drawing, x: Double(column) * Self.width, y: y)
      }
      y += height
    }
    return drawing.svg(title: title)
  }
}
