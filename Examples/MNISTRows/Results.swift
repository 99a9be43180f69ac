import Foundation
import Reel
import ReelNN

/// A confusion matrix as text.
struct ConfusionTable: CustomStringConvertible {
  private let counts: Tensor

  /// - Parameter counts: `[10, 10]`: true digit, predicted digit.
  init(_ counts: Tensor) { self.counts = counts }

  var description: String {
    func line(_ title: String, _ numbers: [Int]) -> String {
      title + numbers.map { String(format: "%6d", $0) }.joined()
    }
    let rows = counts.unstacked().enumerated().map { digit, row in line("     \(digit)", row.numbers.map { Int($0) }) }
    return
      (["confusion matrix: the true digit by row, the predicted one by column", line("      ", Array(0..<10))] + rows)
      .joined(separator: "\n")
  }
}

/// The pictures of a training.
struct Pictures {
  private let history: History
  private let confusion: Tensor

  init(_ reporter: EpochReporter, _ confusion: Tensor) {
    history = History(
      epochs: reporter.epochs.map(\.number), names: ["cost", "accuracy", "val_accuracy"],
      values: [
        "cost": reporter.epochs.map(\.cost), "accuracy": reporter.epochs.map(\.accuracy),
        "val_accuracy": reporter.epochs.map(\.test),
      ])
    self.confusion = confusion
  }

  /// Writes the curves to a file, and the confusion matrix beside it: `run.svg` and `run-confusion.svg`.
  func write(to path: String) throws {
    let file = URL(fileURLWithPath: path)
    let folder = String(path.dropLast(file.lastPathComponent.count))
    let other = folder + file.deletingPathExtension().lastPathComponent + "-confusion.svg"
    try history.svg().write(to: path)
    try SVG.confusionMatrix(confusion).write(to: other)
    print("wrote \(path) and \(other)")
  }
}
