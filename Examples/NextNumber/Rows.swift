import Foundation
import Reel
import ReelNN

/// Rows of three numbers and the one that follows, read by LSTMs a number a step.
enum Rows {
  /// Four rows, the network of the tutorial, and the row after them.
  static func four(_ settings: Settings) throws {
    print("1. Four rows: 1 2 3 → 4 … 4 5 6 → 7")
    let rows: Tensor = [[1, 2, 3], [2, 3, 4], [3, 4, 5], [4, 5, 6]]
    let (x, y): (Tensor, Tensor) = (rows.expanded(at: 2), [[4], [5], [6], [7]])
    let network = Sequential {
      LSTM(10, activation: .relu)
      Dense(5)
      Dense(1)
    }
    let model = network.compile(optimizer: Adam(), loss: .meanSquaredError)
    let history = try model.fit(
      x, y, batchSize: 1, epochs: settings.epochs ?? 400, seed: settings.seed, verbose: 0)
    print(try network.summary(inputShape: [nil, 3, 1]))
    report(history)
    print("after 6 7 8 comes \(text(try model.number(for: column(6, 7, 8)))), should be 9\n")
  }

  /// Thirteen rows, of which three are far from the others, until the loss gets no better.
  static func thirteen(_ settings: Settings) throws {
    print("2. Thirteen rows, 1 2 3 → 4 … 40 50 60 → 70, until the loss gets no better")
    let network = Sequential {
      LSTM(10, activation: .relu)
      Dense(5)
      Dense(1)
    }
    let model = network.compile(optimizer: Adam(), loss: .meanSquaredError)
    let stopping = EarlyStopping(monitor: "loss", patience: 60, restoreBestWeights: true)
    let history = try model.fit(
      Self.x, Self.y, batchSize: 1, epochs: settings.epochs ?? 1000, seed: settings.seed, callbacks: [stopping],
      verbose: 0)
    report(history, stopping)
    print("after 25 35 45 comes \(text(try model.number(for: column(25, 35, 45)))), should be 55\n")
  }

  /// The same rows for nine LSTMs, one on the other.
  static func nineLayers(_ settings: Settings) throws {
    print("3. The same rows, nine LSTMs one on the other")
    let network = Sequential {
      for _ in 0..<8 { LSTM(10, activation: .relu, returnSequences: true) }
      LSTM(10, activation: .relu)
      Dense(5)
      Dense(1)
    }
    let model = network.compile(optimizer: Adam(learningRate: 0.005), loss: .meanSquaredError)
    let stopping = EarlyStopping(monitor: "loss", patience: 200, restoreBestWeights: true)
    let history = try model.fit(
      Self.x, Self.y, batchSize: 13, epochs: settings.epochs ?? 1000, seed: settings.seed, callbacks: [stopping],
      verbose: 0)
    print("\(network.parameterCount) weights")
    report(history, stopping)
    print("after 25 35 45 comes \(text(try model.number(for: column(25, 35, 45)))), should be 55\n")
  }

  /// `[13, 3, 1]` and `[13, 1]`.
  static let x = rows.expanded(at: 2)
  static let y: Tensor = [[4], [5], [6], [7], [8], [9], [10], [11], [12], [13], [50], [60], [70]]

  private static let rows: Tensor = [
    [1, 2, 3], [2, 3, 4], [3, 4, 5], [4, 5, 6], [5, 6, 7], [6, 7, 8], [7, 8, 9], [8, 9, 10], [9, 10, 11], [10, 11, 12],
    [20, 30, 40], [30, 40, 50], [40, 50, 60],
  ]

  /// Numbers as a sequence, `[time, 1]`.
  private static func column(_ numbers: Float...) -> Tensor { Tensor(numbers, shape: [numbers.count, 1]) }

  private static func report(_ history: History, _ stopping: EarlyStopping? = nil) {
    let losses = history["loss"]
    let best =
      stopping?.best.map { String(format: ", best %.4f in epoch %d", $0, (stopping?.bestEpoch ?? 0) + 1) } ?? ""
    print(
      String(
        format: "epochs %d, loss %.4f at first and %.4f at last", losses.count, losses.first ?? .nan,
        losses.last ?? .nan)
        + best)
  }
}
