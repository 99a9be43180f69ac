import Reel

/// What is called at the moments of a training, a test or a prediction. Keras's `Callback`: the same moments, in the same
/// order.
///
///     struct Announcer: Callback {
///       func onEpochEnd(_ epoch: Int, _ run: TrainingRun) { print("epoch \(epoch): \(run.logs["loss"]!)") }
///     }
///
/// An epoch of a training is `onEpochBegin`, `onTrainBatchBegin` and `onTrainBatchEnd` for each batch, then, if there is
/// validation data, `onTestBegin` … `onTestEnd`, then `onEpochEnd`. Epochs and batches are counted from 0. Every method does
/// nothing unless a callback says otherwise. An error that is thrown ends the training, and `fit` throws it.
public protocol Callback {
  /// A training begins; parameters have their values.
  func onTrainBegin(_ run: TrainingRun) throws
  /// A training ends, however it came to that, but for an error.
  func onTrainEnd(_ run: TrainingRun) throws
  /// An epoch begins.
  func onEpochBegin(_ epoch: Int, _ run: TrainingRun) throws
  /// An epoch ends; ``TrainingRun/logs`` has its loss and metrics, those of the validation data too, and can be added to.
  func onEpochEnd(_ epoch: Int, _ run: TrainingRun) throws
  /// A batch of a training begins.
  func onTrainBatchBegin(_ batch: Int, _ run: TrainingRun) throws
  /// A batch of a training ends; ``TrainingRun/logs`` has the running loss and metrics of the epoch.
  func onTrainBatchEnd(_ batch: Int, _ run: TrainingRun) throws
  /// A test begins: the validation of an epoch, or an `evaluate`.
  func onTestBegin(_ run: TrainingRun) throws
  /// A test ends.
  func onTestEnd(_ run: TrainingRun) throws
  /// A batch of a test begins.
  func onTestBatchBegin(_ batch: Int, _ run: TrainingRun) throws
  /// A batch of a test ends.
  func onTestBatchEnd(_ batch: Int, _ run: TrainingRun) throws
  /// A prediction begins.
  func onPredictBegin(_ run: TrainingRun) throws
  /// A prediction ends.
  func onPredictEnd(_ run: TrainingRun) throws
  /// A batch of a prediction begins.
  func onPredictBatchBegin(_ batch: Int, _ run: TrainingRun) throws
  /// A batch of a prediction ends.
  func onPredictBatchEnd(_ batch: Int, _ run: TrainingRun) throws

  /// What the callback has to remember for a training that is killed and resumed; empty unless it says otherwise.
  var memory: CallbackMemory { get nonmutating set }
}

extension Callback {
  /// Nothing.
  public func onTrainBegin(_ run: TrainingRun) throws {}
  /// Nothing.
  public func onTrainEnd(_ run: TrainingRun) throws {}
  /// Nothing.
  public func onEpochBegin(_ epoch: Int, _ run: TrainingRun) throws {}
  /// Nothing.
  public func onEpochEnd(_ epoch: Int, _ run: TrainingRun) throws {}
  /// Nothing.
  public func onTrainBatchBegin(_ batch: Int, _ run: TrainingRun) throws {}
  /// Nothing.
  public func onTrainBatchEnd(_ batch: Int, _ run: TrainingRun) throws {}
  /// Nothing.
  public func onTestBegin(_ run: TrainingRun) throws {}
  /// Nothing.
  public func onTestEnd(_ run: TrainingRun) throws {}
  /// Nothing.
  public func onTestBatchBegin(_ batch: Int, _ run: TrainingRun) throws {}
  /// Nothing.
  public func onTestBatchEnd(_ batch: Int, _ run: TrainingRun) throws {}
  /// Nothing.
  public func onPredictBegin(_ run: TrainingRun) throws {}
  /// Nothing.
  public func onPredictEnd(_ run: TrainingRun) throws {}
  /// Nothing.
  public func onPredictBatchBegin(_ batch: Int, _ run: TrainingRun) throws {}
  /// Nothing.
  public func onPredictBatchEnd(_ batch: Int, _ run: TrainingRun) throws {}

  /// Empty.
  public var memory: CallbackMemory {
    get { CallbackMemory() }
    nonmutating set {}
  }
}

/// What a callback remembers from epoch to epoch.
public struct CallbackMemory: Sendable {
  /// Numbers by name.
  public var numbers: [String: Double]
  /// Weights by the path of their parameter; none if nil.
  public var weights: [String: Tensor]?

  /// A memory of its parts; nothing by default.
  public init(numbers: [String: Double] = [:], weights: [String: Tensor]? = nil) {
    self.numbers = numbers
    self.weights = weights
  }
}

/// A callback of closures. Keras's `LambdaCallback`.
public struct LambdaCallback: Callback {
  /// A closure for one of the numbered moments.
  public typealias Counted = (_ index: Int, _ run: TrainingRun) throws -> Void
  /// A closure for a beginning or an end.
  public typealias Plain = (_ run: TrainingRun) throws -> Void

  private let trainBegin, trainEnd: Plain?
  private let epochBegin, epochEnd, batchBegin, batchEnd: Counted?

  /// - Parameters:
  ///   - onEpochBegin: Called when an epoch begins; nothing by default, as for the others.
  ///   - onEpochEnd: Called when an epoch ends.
  ///   - onTrainBegin: Called when a training begins.
  ///   - onTrainEnd: Called when a training ends.
  ///   - onTrainBatchBegin: Called when a batch of a training begins.
  ///   - onTrainBatchEnd: Called when a batch of a training ends.
  public init(
    onEpochBegin: Counted? = nil, onEpochEnd: Counted? = nil, onTrainBegin: Plain? = nil, onTrainEnd: Plain? = nil,
    onTrainBatchBegin: Counted? = nil, onTrainBatchEnd: Counted? = nil
  ) {
    (epochBegin, epochEnd, trainBegin, trainEnd) = (onEpochBegin, onEpochEnd, onTrainBegin, onTrainEnd)
    (batchBegin, batchEnd) = (onTrainBatchBegin, onTrainBatchEnd)
  }

  /// Calls the closure.
  public func onTrainBegin(_ run: TrainingRun) throws { try trainBegin?(run) }
  /// Calls the closure.
  public func onTrainEnd(_ run: TrainingRun) throws { try trainEnd?(run) }
  /// Calls the closure.
  public func onEpochBegin(_ epoch: Int, _ run: TrainingRun) throws { try epochBegin?(epoch, run) }
  /// Calls the closure.
  public func onEpochEnd(_ epoch: Int, _ run: TrainingRun) throws { try epochEnd?(epoch, run) }
  /// Calls the closure.
  public func onTrainBatchBegin(_ batch: Int, _ run: TrainingRun) throws { try batchBegin?(batch, run) }
  /// Calls the closure.
  public func onTrainBatchEnd(_ batch: Int, _ run: TrainingRun) throws { try batchEnd?(batch, run) }
}
