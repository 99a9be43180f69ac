import Reel

/// Ends a training when what it watches gets no better. Keras's `EarlyStopping`.
///
///     let history = try model.fit(
///       x, y, epochs: 100, validationSplit: 0.2, callbacks: [EarlyStopping(patience: 5, restoreBestWeights: true)])
///
/// As in Keras, patience 0 and 1 are alike, a training does not stop in its first epoch, and a NaN in the first epoch
/// counts as the best ever. A name that is not logged is a ``MonitorError``, where Keras only warns.
public final class EarlyStopping: Callback {
  private let monitorName: String
  private let minDelta: Double
  private let patience: Int
  private let mode: MonitorMode
  private let baseline: Double?
  private let restoreBestWeights: Bool
  private let startFromEpoch: Int
  private let verbose: Bool

  /// The epoch that the training was ended after, from 0; nil if it came to its own end.
  public private(set) var stoppedEpoch: Int?
  /// The best number of this training; nil before the first epoch.
  public private(set) var best: Double?
  /// The epoch of the best number, from 0; that of the first weights that were kept, if no epoch was better.
  public private(set) var bestEpoch = 0
  private var bestWeights: [String: Tensor]?
  private var wait = 0
  private var monitor: Monitor?

  /// - Parameters:
  ///   - monitor: The name in the logs; `val_loss` by default.
  ///   - minDelta: How much better counts as better; 0 by default.
  ///   - patience: After how many epochs without a better one the training ends; 0 by default.
  ///   - mode: Which numbers are better; by the name by default.
  ///   - baseline: A number that has to be bettered for the epochs to count as good ones; none by default.
  ///   - restoreBestWeights: Whether the network ends with the weights of the best epoch; false by default. They are
  ///     restored even if the training came to its own end.
  ///   - startFromEpoch: The first epoch that counts, from 0; 0 by default.
  ///   - verbose: Whether to say so; false by default.
  public init(
    monitor: String = "val_loss", minDelta: Double = 0, patience: Int = 0, mode: MonitorMode = .automatic,
    baseline: Double? = nil, restoreBestWeights: Bool = false, startFromEpoch: Int = 0, verbose: Bool = false
  ) {
    monitorName = monitor
    self.minDelta = minDelta
    self.patience = patience
    self.mode = mode
    self.baseline = baseline
    self.restoreBestWeights = restoreBestWeights
    self.startFromEpoch = startFromEpoch
    self.verbose = verbose
  }

  /// Forgets the training before.
  public func onTrainBegin(_ run: TrainingRun) {
    (stoppedEpoch, best, bestEpoch, bestWeights, wait, monitor) = (nil, nil, 0, nil, 0, nil)
  }

  /// Looks at the epoch.
  public func onEpochEnd(_ epoch: Int, _ run: TrainingRun) throws {
    let value = try Monitor.value(monitorName, in: run, for: "EarlyStopping")
    let monitor = try self.monitor ?? Monitor(monitorName, mode, of: run, for: "EarlyStopping")
    self.monitor = monitor
    guard epoch >= startFromEpoch else { return }
    if restoreBestWeights && bestWeights == nil { keep(epoch, run) }
    wait += 1
    if best.map({ monitor.isBetter(value, than: $0, by: minDelta) }) ?? true {
      best = value
      keep(epoch, run)
      if baseline.map({ monitor.isBetter(value, than: $0, by: minDelta) }) ?? true { wait = 0 }
      return
    }
    if wait >= patience && epoch > 0 {
      stoppedEpoch = epoch
      run.stop(because: "'\(monitorName)' was best in epoch \(bestEpoch + 1)")
    }
  }

  /// Gives the network its best weights, if it should have them.
  public func onTrainEnd(_ run: TrainingRun) throws {
    if verbose, let stoppedEpoch { run.say("Epoch \(stoppedEpoch + 1): early stopping") }
    guard let bestWeights else { return }
    if verbose { run.say("Restoring the weights of the best epoch: \(bestEpoch + 1)") }
    try run.network.setWeights(bestWeights)
  }

  private func keep(_ epoch: Int, _ run: TrainingRun) {
    bestEpoch = epoch
    if restoreBestWeights { bestWeights = run.network.weights }
  }

  /// What a resumed training has to know.
  public var memory: CallbackMemory {
    get {
      var numbers = ["wait": Double(wait), "bestEpoch": Double(bestEpoch)]
      numbers["best"] = best
      numbers["stoppedEpoch"] = stoppedEpoch.map(Double.init)
      return CallbackMemory(numbers: numbers, weights: bestWeights)
    }
    set {
      wait = Int(newValue.numbers["wait"] ?? 0)
      bestEpoch = Int(newValue.numbers["bestEpoch"] ?? 0)
      best = newValue.numbers["best"]
      stoppedEpoch = newValue.numbers["stoppedEpoch"].map { Int($0) }
      bestWeights = newValue.weights
    }
  }
}
