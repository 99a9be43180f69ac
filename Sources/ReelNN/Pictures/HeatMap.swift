import Reel

/// A grid of cells coloured by their values: rows by columns.
struct HeatMap {
  /// What the colours mean.
  enum Scale {
    /// From no colour at `low` to full colour at `high`.
    case rising(low: Double, high: Double)
    /// Two colours on both sides of 0, full at `size`.
    case signed(size: Double)
  }

  let rows, columns: Int
  /// Row by row.
  let values: [Double]
  let scale: Scale

  /// The class and the style of a cell with a value; nil if there is nothing to show.
  func paint(_ value: Double) -> (name: String, style: String)? {
    guard value.isFinite else { return nil }
    switch scale {
    case .rising(let low, let high):
      return ("positive", DrawingStyle.opacity(high > low ? (value - low) / (high - low) : 0))
    case .signed(let size):
      return (value < 0 ? "negative" : "positive", DrawingStyle.opacity(size > 0 ? abs(value) / size : 0))
    }
  }

  /// Draws the cells into a rectangle. Cells are joined where they would be smaller than two pixels.
  func draw(into drawing: inout Drawing, x: Double, y: Double, width: Double, height: Double) {
    let (shownRows, shownColumns) = (min(rows, Int(height / 2)), min(columns, Int(width / 2)))
    drawing.rectangle(x, y, width, height, class: "panel")
    for row in 0..<shownRows {
      let (top, bottom) = (Double(row) * height / Double(shownRows), Double(row + 1) * height / Double(shownRows))
      for column in 0..<shownColumns {
        guard let (name, style) = paint(mean(row, of: shownRows, column, of: shownColumns)) else { continue }
        let left = Double(column) * width / Double(shownColumns)
        let right = Double(column + 1) * width / Double(shownColumns)
        drawing.rectangle(x + left, y + top, right - left, bottom - top, class: name, style: style)
      }
    }
  }

  /// The mean of the values that one shown cell stands for.
  private func mean(_ row: Int, of shownRows: Int, _ column: Int, of shownColumns: Int) -> Double {
    var (sum, count) = (0.0, 0.0)
    for row in rows * row / shownRows..<rows * (row + 1) / shownRows {
      for column in columns * column / shownColumns..<columns * (column + 1) / shownColumns {
        let value = values[row * columns + column]
        if value.isFinite { (sum, count) = (sum + value, count + 1) }
      }
    }
    return count == 0 ? .nan : sum / count
  }
}
