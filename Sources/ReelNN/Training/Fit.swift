import Reel

extension Model {
  /// Trains the model. Keras's `fit`, with its arguments and defaults.
  ///
  /// Each epoch goes over all samples in batches. The loss that is shown and kept is the mean over the samples of the epoch,
  /// penalties included; the last batch may be smaller. Ctrl-C ends the training after the batch in hand, with the history
  /// so far; a second one kills the process.
  ///
  /// - Parameters:
  ///   - x: The inputs, each `[samples, ...]`; a mask on an input goes with its samples.
  ///   - y: The targets, each `[samples, ...]`.
  ///   - batchSize: The samples of a step; 32 by default.
  ///   - epochs: The epoch to end before; 1 by default.
  ///   - validationSplit: The part of the samples, the last ones, that is kept for validation; 0 by default. Class
  ///     weights do not count there.
  ///   - validationData: Samples to measure the model with after each epoch, in place of a split; none by default.
  ///   - validationSampleWeight: What the samples of `validationData` count; all 1 if nil.
  ///   - validationFrequency: The number of epochs from one validation to the next; 1 by default.
  ///   - shuffle: Whether each epoch has an order of its own; true by default.
  ///   - seed: The seed of the order, which is a function of it and of the epoch; drawn from the stream of random numbers
  ///     if nil, so that ``seedRandomness(_:)`` repeats it.
  ///   - sampleWeight: What the samples count in the loss, `[samples]`, or `[samples, time]` for a number a step; all 1 if
  ///     nil.
  ///   - classWeight: What the samples of a class count, times `sampleWeight`; 1 for classes that are not listed.
  ///   - callbacks: What is called on the way; nothing by default.
  ///   - verbose: 0 for nothing, 1 for a bar, 2 for a line an epoch; 1 by default.
  ///   - initialEpoch: The epoch to start with; 0 by default.
  ///   - stopsAtNonFiniteLoss: Whether a loss that is NaN or infinite is an error; true by default. A callback that stops
  ///     the training there, as ``TerminateOnNaN`` does, comes first.
  ///   - output: Where progress is shown; the standard output by default.
  /// - Returns: The loss and metrics of each epoch.
  /// - Throws: ``Reel/TensorError`` if arguments or shapes do not fit, before anything is changed; ``NonFiniteLoss``;
  ///   what callbacks throw.
  @discardableResult
  public func fit(
    _ x: Network.Input, _ y: Network.Output, batchSize: Int = 32, epochs: Int = 1, validationSplit: Double = 0,
    validationData: (x: Network.Input, y: Network.Output)? = nil, validationSampleWeight: Tensor? = nil,
    validationFrequency: Int = 1, shuffle: Bool = true, seed: UInt64? = nil, sampleWeight: Tensor? = nil,
    classWeight: [Int: Double]? = nil, callbacks: [any Callback] = [], verbose: Verbosity = .bar,
    initialEpoch: Int = 0, stopsAtNonFiniteLoss: Bool = true, output: ProgressOutput = .standard
  ) throws -> History {
    try Self.check("fit", batchSize: batchSize)
    guard initialEpoch >= 0, validationFrequency >= 1 else {
      throw TensorError(
        operation: "fit", problem: "initialEpoch \(initialEpoch), validationFrequency \(validationFrequency)",
        expected: "an epoch from 0, and a frequency from 1")
    }
    var all = try TrainingData(x, y, sampleWeight: sampleWeight, in: "fit")
    let border = try Self.border(of: validationSplit, count: all.count)
    var validation = border.map { all[$0..<all.count] }
    if let validationData {
      validation = try TrainingData(
        validationData.x, validationData.y, sampleWeight: validationSampleWeight, in: "fit, validationData")
    }
    if let classWeight {
      let weights = try ClassWeights.sampleWeights(classWeight, of: y.tensors, times: sampleWeight)
      all = try TrainingData(x, y, sampleWeight: weights, in: "fit")
    }
    let data = border.map { all[0..<$0] } ?? all
    try build(like: data.firstBatch(of: batchSize).x)
    let run = TrainingRun(
      network: network, optimizer: optimizer, objective: objective, epochs: epochs, firstEpoch: initialEpoch,
      batchSize: batchSize, batchCount: data.batchCount(of: batchSize),
      callbacks: Self.ordered(callbacks, ProgressBar(verbose, output)), output: output)
    run.shuffleSeed = shuffle ? seed ?? Self.drawnSeed() : nil
    let loop = FitLoop(
      model: self, run: run, data: data, validation: validation, validationFrequency: validationFrequency,
      stopsAtNonFiniteLoss: stopsAtNonFiniteLoss)
    hasTrained = true
    return try Interruption.watching { try loop.train() }
  }

  /// The callbacks in the order they are called in: the bar shows what the others log, a backup keeps what all remember.
  private static func ordered(_ callbacks: [any Callback], _ bar: ProgressBar) -> [any Callback] {
    callbacks.filter { !($0 is BackupAndRestore) } + [bar] + callbacks.filter { $0 is BackupAndRestore }
  }

  static func check(_ operation: String, batchSize: Int) throws(TensorError) {
    guard batchSize >= 1 else {
      throw TensorError(operation: operation, problem: "a batch size of \(batchSize)", expected: "at least 1")
    }
  }

  /// The first sample for validation; nil if there is none to be split off.
  private static func border(of split: Double, count: Int) throws(TensorError) -> Int? {
    if split == 0 { return nil }
    guard split > 0, split < 1 else {
      throw TensorError(operation: "fit", problem: "a validationSplit of \(split)", expected: "0, or a part below 1")
    }
    let border = Int((Double(count) * (1 - split)).rounded(.down))
    guard border > 0, border < count else {
      throw TensorError(
        operation: "fit",
        problem: "a validationSplit of \(split) leaves \(border) of \(count) samples to train with and "
          + "\(count - border) to validate with",
        expected: "at least one for each")
    }
    return border
  }

  /// A seed from the stream of random numbers.
  private static func drawnSeed() -> UInt64 {
    Tensor.randomUniform([3], elementType: .float64).numbers.reduce(0) { $0 << 21 | UInt64($1 * 0x1p21) }
  }
}

/// A training: epochs, batches, and the moments at which callbacks are called.
struct FitLoop<Network: Layer> where Network.Input: TensorStructure, Network.Output: TensorStructure {
  typealias Data = TrainingData<Network.Input, Network.Output>

  let model: Model<Network>
  let run: TrainingRun
  let data: Data
  let validation: Data?
  let validationFrequency: Int
  let stopsAtNonFiniteLoss: Bool

  func train() throws -> History {
    try run.call { try $0.onTrainBegin(run) }
    run.showMessages()
    while run.epoch < run.epochs, run.stopReason == nil, !Interruption.wasRequested {
      guard try epoch() else { break }
      run.epoch += 1
      run.batchesDone = 0
    }
    let isInterrupted = Interruption.wasRequested && run.stopReason == nil && run.epoch < run.epochs
    run.history.ending =
      isInterrupted ? .interrupted : run.stopReason.map { .stopped(reason: $0) } ?? .completed
    if !isInterrupted && !run.history.epochs.isEmpty { model.optimizer.finalizeParameters(of: model.network) }
    try run.call { try $0.onTrainEnd(run) }
    run.showMessages()
    return run.history
  }

  /// One epoch, or what is left of it.
  ///
  /// - Returns: Whether it came to its end.
  private func epoch() throws -> Bool {
    let (epoch, first) = (run.epoch, run.batchesDone)
    run.beginEpoch(epoch)
    run.batchCount = data.batchCount(of: run.batchSize)
    if first == 0 { model.objective.reset() }
    try run.call { try $0.onEpochBegin(epoch, run) }
    guard try batches(from: first) else { return false }
    var logs = model.objective.logs
    if let validation, (epoch + 1) % validationFrequency == 0 {
      run.isValidating = true
      defer { run.isValidating = false }
      guard let found = try model.test(on: validation, run) else { return false }
      for (name, value) in found.entries { logs["val_\(name)"] = value }
    }
    run.logs = logs
    try run.call { if !($0 is BackupAndRestore) { try $0.onEpochEnd(epoch, run) } }
    run.history.append(epoch: epoch, run.logs)
    try run.call { if $0 is BackupAndRestore { try $0.onEpochEnd(epoch, run) } }
    run.showMessages()
    return true
  }

  /// The batches of the epoch in hand.
  ///
  /// - Returns: Whether none is left that should be done; false after Ctrl-C.
  private func batches(from first: Int) throws -> Bool {
    var replay = NonFiniteReplay(self)
    for batch in data.batches(of: run.batchSize, shuffledBy: run.shuffleSeed, epoch: run.epoch, from: first) {
      let index = run.batchesDone
      try run.call { try $0.onTrainBatchBegin(index, run) }
      if stopsAtNonFiniteLoss { replay.note(batch: index) }
      let loss = try model.trainingStep(batch.x, batch.y!, batch.weight)
      run.batchLoss = loss
      run.batchesDone += 1
      try run.call { try $0.onTrainBatchEnd(index, run) }
      if run.stopReason != nil { return true }
      if stopsAtNonFiniteLoss, !loss.item.isFinite { throw try replay.failure(inBatch: index, loss: loss.item) }
      if Interruption.wasRequested { return false }
    }
    if stopsAtNonFiniteLoss, let failure = try replay.failureAtEnd() { throw failure }
    return true
  }
}
