import Reel

/// Makes the learning rate smaller when what it watches gets no better. Keras's `ReduceLROnPlateau`.
///
/// The rate of each epoch is logged as `learningRate`. The learning rate of the optimizer has to be a number.
public final class ReduceLROnPlateau: Callback {
  private let monitorName: String
  private let factor, minDelta, minLearningRate: Double
  private let patience, cooldown: Int
  private let mode: MonitorMode
  private let verbose: Bool
  private var monitor: Monitor?
  private var best: Double?
  private var wait = 0
  private var cooldownLeft = 0

  /// - Parameters:
  ///   - monitor: The name in the logs; `val_loss` by default.
  ///   - factor: What the rate is multiplied by, below 1; 0.1 by default.
  ///   - patience: After how many epochs without a better one the rate is reduced; 10 by default.
  ///   - mode: Which numbers are better; by the name by default.
  ///   - minDelta: How much better counts as better; 1e-4 by default.
  ///   - cooldown: The epochs after a reduction that do not count; 0 by default.
  ///   - minLearningRate: The rate is never made smaller than this; 0 by default. Keras's `min_lr`.
  ///   - verbose: Whether to say so; false by default.
  public init(
    monitor: String = "val_loss", factor: Double = 0.1, patience: Int = 10, mode: MonitorMode = .automatic,
    minDelta: Double = 1e-4, cooldown: Int = 0, minLearningRate: Double = 0, verbose: Bool = false
  ) {
    precondition(factor < 1, "ReduceLROnPlateau: a factor below 1, not \(factor)")
    monitorName = monitor
    (self.factor, self.minDelta, self.minLearningRate) = (factor, minDelta, minLearningRate)
    (self.patience, self.cooldown) = (patience, cooldown)
    self.mode = mode
    self.verbose = verbose
  }

  /// Forgets the training before.
  public func onTrainBegin(_ run: TrainingRun) { (monitor, best, wait, cooldownLeft) = (nil, nil, 0, 0) }

  /// Looks at the epoch.
  public func onEpochEnd(_ epoch: Int, _ run: TrainingRun) throws {
    let value = try Monitor.value(monitorName, in: run, for: "ReduceLROnPlateau")
    let monitor = try self.monitor ?? Monitor(monitorName, mode, of: run, for: "ReduceLROnPlateau")
    self.monitor = monitor
    run.logs["learningRate"] = run.optimizer.learningRate
    if cooldownLeft > 0 {
      cooldownLeft -= 1
      wait = 0
    }
    if best.map({ monitor.isBetter(value, than: $0, by: minDelta) }) ?? true {
      best = value
      wait = 0
    } else if cooldownLeft == 0 {
      wait += 1
      if wait >= patience { reduce(epoch, run) }
    }
  }

  private func reduce(_ epoch: Int, _ run: TrainingRun) {
    let rate = run.optimizer.learningRate
    guard rate > minLearningRate else { return }
    run.optimizer.learningRate = max(rate * factor, minLearningRate)
    if verbose { run.say("Epoch \(epoch + 1): the learning rate is reduced to \(run.optimizer.learningRate)") }
    cooldownLeft = cooldown
    wait = 0
  }

  /// What a resumed training has to know.
  public var memory: CallbackMemory {
    get {
      var numbers = ["wait": Double(wait), "cooldownLeft": Double(cooldownLeft)]
      numbers["best"] = best
      return CallbackMemory(numbers: numbers)
    }
    set {
      wait = Int(newValue.numbers["wait"] ?? 0)
      cooldownLeft = Int(newValue.numbers["cooldownLeft"] ?? 0)
      best = newValue.numbers["best"]
    }
  }
}

/// Sets the learning rate at the beginning of each epoch. Keras's `LearningRateScheduler`.
///
///     LearningRateScheduler { epoch, rate in epoch < 10 ? rate : rate * 0.95 }
///
/// The rate of each epoch is logged as `learningRate`. A schedule of steps is a ``LearningRate`` given to the optimizer.
public struct LearningRateScheduler: Callback {
  private let rate: (_ epoch: Int, _ rate: Double) -> Double
  private let verbose: Bool

  /// - Parameters:
  ///   - verbose: Whether to say so; false by default.
  ///   - rate: From the epoch, from 0, and the rate so far to the rate of the epoch.
  public init(verbose: Bool = false, _ rate: @escaping (_ epoch: Int, _ rate: Double) -> Double) {
    self.verbose = verbose
    self.rate = rate
  }

  /// Sets the rate.
  public func onEpochBegin(_ epoch: Int, _ run: TrainingRun) {
    // What is left of an epoch that was interrupted has its rate already.
    if run.batchesDone > 0 { return }
    run.optimizer.learningRate = rate(epoch, run.optimizer.learningRate)
    if verbose { run.say("Epoch \(epoch + 1): the learning rate is \(run.optimizer.learningRate)") }
  }

  /// Logs it.
  public func onEpochEnd(_ epoch: Int, _ run: TrainingRun) { run.logs["learningRate"] = run.optimizer.learningRate }
}

/// Ends a training without an error when its loss is NaN or infinite. Keras's `TerminateOnNaN`.
///
/// Without it `fit` throws a ``NonFiniteLoss``, which says more.
public struct TerminateOnNaN: Callback {
  /// The callback.
  public init() {}

  /// Looks at the loss of the batch.
  public func onTrainBatchEnd(_ batch: Int, _ run: TrainingRun) {
    guard let loss = run.batchLoss?.item, !loss.isFinite else { return }
    run.say("Batch \(batch + 1): the loss is \(Double(loss).withoutSignOfNaN), terminating training")
    run.stop(because: "the loss was \(loss) in batch \(batch + 1) of epoch \(run.epoch + 1)")
  }
}
