import Foundation

/// Writes the logs of each epoch into a file, a line each. Keras's `CSVLogger`.
///
/// The columns are `epoch`, from 0, and the names of the first epoch's logs; the numbers are written so that they can be
/// read again exactly. After each epoch the file is whole. A training that is resumed goes on in the same file.
public final class CSVLogger: Callback {
  private let path: String
  private let separator: String
  private let append: Bool
  private var columns: [String]?
  private var lines: [String] = []

  /// - Parameters:
  ///   - path: The file; its folder exists.
  ///   - separator: What stands between the columns; a comma by default.
  ///   - append: Whether the lines of a file that is there are kept; false by default.
  public init(_ path: String, separator: String = ",", append: Bool = false) {
    self.path = path
    self.separator = separator
    self.append = append
  }

  /// Forgets the training before.
  public func onTrainBegin(_ run: TrainingRun) { (columns, lines) = (nil, []) }

  /// Writes the line.
  public func onEpochEnd(_ epoch: Int, _ run: TrainingRun) throws {
    let columns = self.columns ?? firstColumns(epoch, run)
    self.columns = columns
    lines.append((["\(epoch)"] + columns.map { run.logs[$0].map { "\($0)" } ?? "" }).joined(separator: separator))
    let text = ([(["epoch"] + columns).joined(separator: separator)] + lines).map { $0 + "\n" }.joined()
    try AtomicFile.replace(path) { (file) throws(DataError) in try file.append([UInt8](text.utf8)) }
  }

  /// The columns, and the lines to keep: those of a file to append to, and those before the epoch that a killed training
  /// goes on with.
  private func firstColumns(_ epoch: Int, _ run: TrainingRun) -> [String] {
    guard append || run.resumedEpoch != nil, let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      return run.logs.names
    }
    let found = text.split(separator: "\n").map(String.init)
    lines = found.dropFirst().filter { line in
      guard run.resumedEpoch != nil else { return true }
      return line.components(separatedBy: separator).first.flatMap { Int($0) }.map { $0 < epoch } ?? false
    }
    let names = found.first.map { Array($0.components(separatedBy: separator).dropFirst()) }
    return names ?? run.logs.names
  }
}
