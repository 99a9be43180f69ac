import Reel

/// A `fit`, `evaluate` or `predict` while it runs, as callbacks see it.
public final class TrainingRun {
  /// What is trained or used.
  public let network: any Module
  /// What trains it.
  public let optimizer: any Optimizer
  /// The epoch that the training ends before; 1 where nothing is trained.
  public let epochs: Int
  /// The samples of a batch.
  public let batchSize: Int
  /// The number of batches of an epoch, or of the test or prediction that runs.
  public internal(set) var batchCount: Int
  /// The epoch in hand, from 0.
  public internal(set) var epoch: Int
  /// The batches of the epoch that are done.
  public internal(set) var batchesDone = 0
  /// The epochs so far.
  public internal(set) var history = History()
  /// Why the training is to end; nil while it is not.
  public private(set) var stopReason: String?
  /// The loss of the last batch with all penalties, a scalar.
  public internal(set) var batchLoss: Tensor?
  /// Whether the test that runs is the validation of an epoch.
  public internal(set) var isValidating = false

  let objective: Objective
  /// The seed of the order of the samples; nil if they keep theirs.
  var shuffleSeed: UInt64?
  /// The epoch that a training went on with after it was killed.
  var resumedEpoch: Int?
  /// The callbacks of the run.
  let callbacks: [any Callback]
  private var epochLogs: Logs?
  private var messages: [String] = []
  private let output: ProgressOutput

  init(
    network: any Module, optimizer: any Optimizer, objective: Objective, epochs: Int, firstEpoch: Int, batchSize: Int,
    batchCount: Int, callbacks: [any Callback], output: ProgressOutput
  ) {
    self.network = network
    self.optimizer = optimizer
    self.objective = objective
    self.epochs = epochs
    self.batchSize = batchSize
    self.batchCount = batchCount
    self.callbacks = callbacks
    self.output = output
    epoch = firstEpoch
  }

  /// The loss and the metrics: the running ones of the batches so far, and at the end of an epoch its own, where assigning
  /// adds to what the history keeps.
  public var logs: Logs {
    get { epochLogs ?? objective.logs }
    set { epochLogs = newValue }
  }

  /// Ends the training after this batch or epoch. The first reason counts.
  public func stop(because reason: String) { stopReason = stopReason ?? reason }

  /// Shows a line, after the line of progress that may be in hand.
  public func say(_ line: String) { messages.append(line) }

  /// Shows the lines that wait.
  func showMessages() {
    for line in messages { output.write(line + "\n") }
    messages = []
  }

  /// From now on the logs are the running ones.
  func beginEpoch(_ epoch: Int) {
    self.epoch = epoch
    epochLogs = nil
  }

  /// Calls a method of each callback.
  func call(_ body: (any Callback) throws -> Void) rethrows {
    for callback in callbacks { try body(callback) }
  }
}
