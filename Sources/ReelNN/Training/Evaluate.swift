import Reel

extension Model {
  /// Measures the model. Keras's `evaluate`.
  ///
  /// - Parameters:
  ///   - x: The inputs, each `[samples, ...]`.
  ///   - y: The targets, each `[samples, ...]`.
  ///   - batchSize: The samples of a step; 32 by default. The result does not depend on it, but for rounding.
  ///   - sampleWeight: What the samples count in the loss, `[samples]` or `[samples, time]`; all 1 if nil.
  ///   - callbacks: What is called on the way; nothing by default.
  ///   - verbose: 0 for nothing, 1 for a bar, 2 for a line; 1 by default.
  ///   - output: Where progress is shown; the standard output by default.
  /// - Returns: The loss, penalties included, and the metrics, over all samples.
  /// - Throws: ``Reel/TensorError`` if arguments or shapes do not fit; what callbacks throw.
  @discardableResult
  public func evaluate(
    _ x: Network.Input, _ y: Network.Output, batchSize: Int = 32, sampleWeight: Tensor? = nil,
    callbacks: [any Callback] = [], verbose: Verbosity = .bar, output: ProgressOutput = .standard
  ) throws -> Logs {
    try Self.check("evaluate", batchSize: batchSize)
    let data = try TrainingData(x, y, sampleWeight: sampleWeight, in: "evaluate")
    try build(like: data.firstBatch(of: batchSize).x)
    let run = self.run(over: data.batchCount(of: batchSize), batchSize, callbacks, verbose, output)
    let logs = try test(on: data, run)!
    run.showMessages()
    return logs
  }

  /// The outputs of the model. Keras's `predict`.
  ///
  /// - Parameters:
  ///   - x: The inputs, each `[samples, ...]`.
  ///   - batchSize: The samples of a step; 32 by default.
  ///   - callbacks: What is called on the way; nothing by default.
  ///   - verbose: 0 for nothing, 1 for a bar, 2 for a line; 1 by default.
  ///   - output: Where progress is shown; the standard output by default.
  /// - Returns: The outputs, each `[samples, ...]`.
  /// - Throws: ``Reel/TensorError`` if arguments or shapes do not fit; what callbacks throw.
  public func predict(
    _ x: Network.Input, batchSize: Int = 32, callbacks: [any Callback] = [], verbose: Verbosity = .bar,
    output: ProgressOutput = .standard
  ) throws -> Network.Output {
    try Self.check("predict", batchSize: batchSize)
    let data = try TrainingData<Network.Input, Network.Output>(x, nil, in: "predict")
    try build(like: data.firstBatch(of: batchSize).x)
    let run = self.run(over: data.batchCount(of: batchSize), batchSize, callbacks, verbose, output)
    try run.call { try $0.onPredictBegin(run) }
    var outputs: [Network.Output] = []
    for batch in data.batches(of: batchSize) {
      try run.call { try $0.onPredictBatchBegin(run.batchesDone, run) }
      outputs.append(try withTraining(false) { try predictionStep(batch.x) })
      run.batchesDone += 1
      try run.call { try $0.onPredictBatchEnd(run.batchesDone - 1, run) }
    }
    try run.call { try $0.onPredictEnd(run) }
    run.showMessages()
    return try Self.joined(outputs)
  }

  private static func joined(_ outputs: [Network.Output]) throws -> Network.Output {
    let parts = outputs.map(\.tensors)
    let joined = try parts[0].indices.map { index in
      guard parts[0][index].rank > 0 else {
        throw TensorError(
          operation: "predict", problem: "an output of shape \(parts[0][index].shape)",
          expected: "[batch, ...], so that the batches can be put together")
      }
      return parts.count == 1 ? parts[0][index] : concatenated(parts.map { $0[index] })
    }
    return outputs[0].replacingTensors(joined)
  }

  private func run(
    over batchCount: Int, _ batchSize: Int, _ callbacks: [any Callback], _ verbose: Verbosity, _ output: ProgressOutput
  ) -> TrainingRun {
    TrainingRun(
      network: network, optimizer: optimizer, objective: objective, epochs: 1, firstEpoch: 0, batchSize: batchSize,
      batchCount: batchCount, callbacks: callbacks + [ProgressBar(verbose, output)], output: output)
  }

  /// Goes over samples without training.
  ///
  /// - Returns: The loss and the metrics; nil if Ctrl-C ended the validation of an epoch.
  func test(on data: TrainingData<Network.Input, Network.Output>, _ run: TrainingRun) throws -> Logs? {
    objective.reset()
    let training = (run.batchCount, run.batchesDone)
    (run.batchCount, run.batchesDone) = (data.batchCount(of: run.batchSize), 0)
    defer { (run.batchCount, run.batchesDone) = training }
    try run.call { try $0.onTestBegin(run) }
    for batch in data.batches(of: run.batchSize) {
      try run.call { try $0.onTestBatchBegin(run.batchesDone, run) }
      _ = try withTraining(false) { try testStep(batch.x, batch.y!, batch.weight) }
      run.batchesDone += 1
      try run.call { try $0.onTestBatchEnd(run.batchesDone - 1, run) }
      if run.isValidating && Interruption.wasRequested { return nil }
    }
    let logs = objective.logs
    try run.call { try $0.onTestEnd(run) }
    return logs
  }
}
