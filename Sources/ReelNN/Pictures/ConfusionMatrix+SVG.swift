import Reel

extension SVG {
  /// A picture of a confusion matrix: the counts of each true class (rows) by the class that was predicted (columns), the
  /// totals of both, the recall of each class and the accuracy.
  ///
  /// Cells are coloured by their share of their row, so that rare classes are as easy to read as common ones.
  ///
  /// - Parameters:
  ///   - counts: How often, `[classes, classes]`: true class, predicted class.
  ///   - classes: The names of the classes; their numbers by default.
  ///   - title: What stands above the picture.
  /// - Throws: ``TensorError`` if the counts are no square of numbers of at least 0, or there is another number of names.
  public static func confusionMatrix(
    _ counts: Tensor, classes: [String]? = nil, title: String = "Confusion matrix"
  ) throws -> SVG {
    func fail(_ problem: String, _ expected: String) -> TensorError {
      TensorError(operation: "confusionMatrix", operands: [counts.type], problem: problem, expected: expected)
    }
    guard counts.rank == 2, counts.shape[0] == counts.shape[1], counts.shape[0] > 0 else {
      throw fail("counts of shape \(counts.shape)", "[classes, classes]")
    }
    guard classes == nil || classes!.count == counts.shape[0] else {
      throw fail("\(classes!.count) names for \(counts.shape[0]) classes", "a name for each class")
    }
    let numbers = counts.numbers
    guard numbers.allSatisfy({ $0.isFinite && $0 >= 0 }) else {
      throw fail("counts that are negative or not finite", "numbers of at least 0")
    }
    let names = classes ?? (0..<counts.shape[0]).map(String.init)
    return ConfusionPicture(numbers, names, title: title).drawing.svg(title: title)
  }
}

/// Where everything of a confusion matrix stands.
private struct ConfusionPicture {
  private(set) var drawing: Drawing
  private let counts: [Double]
  private let names: [String]
  private let cell: (width: Double, height: Double)
  private let left, top: Double
  private let totalWidth: Double

  private static let margin = 20.0
  /// Above this many classes cells are too small for numbers.
  private static let mostWithNumbers = 24

  init(_ counts: [Double], _ names: [String], title: String) {
    self.counts = counts
    let count = names.count
    let showsNumbers = count <= Self.mostWithNumbers
    let totals = names.indices.flatMap { index in
      [
        counts[index * count..<(index + 1) * count].reduce(0, +),
        names.indices.reduce(0) { $0 + counts[$1 * count + index] },
      ]
    }
    let widest = (counts + totals).map { TextWidth.of(Self.text($0)) }.max() ?? 0
    self.names = names.map { TextWidth.fitted($0, to: 120) }
    let nameWidth = self.names.map { TextWidth.of($0) }.max() ?? 0
    cell =
      showsNumbers
      ? (max(widest + 14, min(nameWidth + 12, 70), 38), 32)
      : (max(480.0 / Double(count), 2), max(480.0 / Double(count), 2))
    left = Self.margin + 22 + nameWidth + 10
    // Names that are wider than their column are turned.
    let isTurned = nameWidth > cell.width - 6
    top = Self.margin + 60 + (isTurned ? nameWidth * 0.72 + 16 : 20)
    totalWidth = max(widest, TextWidth.of("total")) + 18
    let beside = showsNumbers ? totalWidth + Self.recallWidth : 0
    let correct = (0..<count).reduce(0) { $0 + counts[$1 * count + $1] }
    let total = counts.reduce(0, +)
    let accuracy = total > 0 ? "accuracy \(Self.percent(correct / total))" : "no samples"
    let note = "\(accuracy), \(Self.text(correct)) of \(Self.text(total)) correct"
    let width = max(
      left + Double(count) * cell.width + max(beside, isTurned ? nameWidth * 0.75 : 0) + Self.margin,
      TextWidth.of(title, size: 15) + 2 * Self.margin,
      TextWidth.of(note) + 2 * Self.margin)
    drawing = Drawing(
      width: width, height: top + Double(count) * cell.height + (showsNumbers ? 34 : 0) + Self.margin)
    drawing.text(title, Self.margin, Self.margin + 13, class: "title")
    drawing.text(note, Self.margin, Self.margin + 33, class: "quiet")
    drawCells(showsNumbers)
    drawNames(isTurned, showsNumbers)
    if showsNumbers { drawTotals() }
  }

  private static let recallWidth = 68.0

  private static func text(_ count: Double) -> String {
    count == count.rounded() && count < 1e15 ? NumberText.grouped(Int(count)) : NumberText.short(count)
  }

  private static func percent(_ share: Double) -> String { NumberText.fixed(share * 100, digits: 1) + " %" }

  private func rowTotal(_ row: Int) -> Double {
    counts[row * names.count..<(row + 1) * names.count].reduce(0, +)
  }

  private mutating func drawCells(_ showsNumbers: Bool) {
    let gap = showsNumbers ? 1.0 : 0
    for row in names.indices {
      let total = rowTotal(row)
      for column in names.indices {
        let count = counts[row * names.count + column]
        let share = total > 0 ? count / total : 0
        let (x, y) = (left + Double(column) * cell.width, top + Double(row) * cell.height)
        drawing.rectangle(
          x, y, cell.width - gap, cell.height - gap, class: row == column ? "positive" : "negative",
          style: DrawingStyle.opacity(share),
          hint: "\(names[row]) taken for \(names[column]): \(Self.text(count)), \(Self.percent(share))")
        guard showsNumbers else { continue }
        drawing.text(
          Self.text(count), x + cell.width / 2, y + cell.height / 2 + 4,
          class: count == 0 ? "quiet" : DrawingStyle.letters(on: share), anchor: .middle)
      }
    }
  }

  private mutating func drawNames(_ isTurned: Bool, _ showsNumbers: Bool) {
    let height = Double(names.count) * cell.height
    drawing.text("true", Self.margin + 8, top + height / 2, class: "quiet", anchor: .middle, angle: -90)
    drawing.text(
      "predicted", left + Double(names.count) * cell.width / 2, Self.margin + 56, class: "quiet", anchor: .middle)
    // Where rows are lower than letters, only some of them get their name.
    let every = max(Int((14 / cell.height).rounded(.up)), 1)
    for (index, name) in names.enumerated() where index % every == 0 {
      drawing.text(name, left - 10, top + (Double(index) + 0.5) * cell.height + 4, class: "ink", anchor: .end)
      let x = left + (Double(index) + 0.5) * cell.width
      if isTurned {
        drawing.text(name, x + 3, top - 8, class: "ink", angle: -45)
      } else {
        drawing.text(name, x, top - 8, class: "ink", anchor: .middle)
      }
    }
  }

  private mutating func drawTotals() {
    let count = names.count
    let x = left + Double(count) * cell.width
    let bottom = top + Double(count) * cell.height
    drawing.text("total", x + totalWidth, top - 8, class: "quiet", anchor: .end)
    drawing.text("recall", x + totalWidth + Self.recallWidth, top - 8, class: "quiet", anchor: .end)
    for row in names.indices {
      let (total, y) = (rowTotal(row), top + (Double(row) + 0.5) * cell.height + 4)
      drawing.text(Self.text(total), x + totalWidth, y, class: "ink", anchor: .end)
      let recall = total > 0 ? Self.percent(counts[row * count + row] / total) : "–"
      drawing.text(recall, x + totalWidth + Self.recallWidth, y, class: "ink", anchor: .end)
    }
    drawing.text("total", left - 10, bottom + 20, class: "quiet", anchor: .end)
    for column in names.indices {
      let total = names.indices.reduce(0) { $0 + counts[$1 * count + column] }
      drawing.text(
        Self.text(total), left + (Double(column) + 0.5) * cell.width, bottom + 20, class: "ink", anchor: .middle)
    }
  }
}
