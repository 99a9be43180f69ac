/// What a training logged: for each epoch the loss and the metrics. Keras's `History`.
///
///     let history = try model.fit(x, y, epochs: 5, validationSplit: 0.1)
///     history["loss"]         // one number for each epoch
///     history["val_accuracy"]
public struct History: Hashable, Sendable {
  /// Why a training came to its end.
  public enum Ending: Hashable, Sendable {
    /// All epochs were done.
    case completed
    /// A callback stopped it, for the reason it gave.
    case stopped(reason: String)
    /// Ctrl-C; the batch in hand was finished.
    case interrupted
  }

  /// The epochs that were finished, counted from 0, in order.
  public var epochs: [Int]
  /// The names of what was logged, in the order of a line of progress: `loss`, the metrics, then what belongs to the
  /// validation data, with `val_` in front, then what callbacks add.
  public var names: [String]
  /// A number for each epoch, by name; NaN for an epoch that did not log it.
  public var values: [String: [Double]]
  /// Why the training came to its end.
  public var ending: Ending

  /// A history with its parts; empty by default.
  public init(
    epochs: [Int] = [], names: [String] = [], values: [String: [Double]] = [:], ending: Ending = .completed
  ) {
    self.epochs = epochs
    self.names = names
    self.values = values
    self.ending = ending
  }

  /// A number for each epoch; none for a name that was not logged.
  public subscript(name: String) -> [Double] { values[name] ?? [] }

  /// Adds what an epoch logged.
  mutating func append(epoch: Int, _ logs: Logs) {
    for (name, _) in logs.entries where values[name] == nil {
      names.append(name)
      values[name] = [Double](repeating: .nan, count: epochs.count)
    }
    epochs.append(epoch)
    for name in names { values[name]!.append(logs[name] ?? .nan) }
  }
}
