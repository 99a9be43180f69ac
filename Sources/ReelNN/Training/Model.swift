import Reel

/// A network with what trains it: an optimizer, a loss and metrics. ``Layer/compile(optimizer:loss:metrics:weightedMetrics:)``
/// makes it; `fit`, `evaluate` and `predict` are Keras's.
///
///     let network = Sequential {
///       LSTM(64)
///       Dense(10)
///     }
///     let model = network.compile(
///       optimizer: Adam(), loss: .sparseCategoricalCrossEntropy(fromLogits: true), metrics: [.accuracy()])
///     let history = try model.fit(images, labels, batchSize: 128, epochs: 5, validationSplit: 0.1)
///     let logs = try model.evaluate(testImages, testLabels)
///     let scores = try model.predict(testImages)
///
/// The network is any layer: a ``Sequential``, or a struct of one's own. Its input and output may be structures of tensors;
/// the targets then are a structure like the output. A step is staged once for each shape of a batch: it computes the
/// loss, moves the parameters and adds to the metrics.
///
/// The parameters live in the network and the moments in the optimizer: a model has no state of its own but the running
/// values of loss and metrics.
public final class Model<Network: Layer> where Network.Input: TensorStructure, Network.Output: TensorStructure {
  /// What is trained.
  public let network: Network
  /// What trains it.
  public let optimizer: any Optimizer
  let objective: Objective
  let trainingStep: Compiled<Tensor, Network.Input, Network.Output, Tensor?>
  let testStep: Compiled<Tensor, Network.Input, Network.Output, Tensor?>
  let predictionStep: Compiled<Network.Output, Network.Input>
  /// Input of the types that were used last, with an empty batch.
  var lastInput: Network.Input?
  /// Whether the optimizer has made its variables.
  var hasTrained = false

  init(_ network: Network, optimizer: any Optimizer, _ objective: Objective) {
    self.network = network
    self.optimizer = optimizer
    self.objective = objective
    trainingStep = compiled { Self.train(network, optimizer, objective, $0, $1, $2) }
    testStep = compiled { Self.test(network, objective, $0, $1, $2) }
    predictionStep = compiled { (x: Network.Input) in network(x) }
  }

  // MARK: - What is staged

  private static func train(
    _ network: Network, _ optimizer: any Optimizer, _ objective: Objective, _ x: Network.Input, _ y: Network.Output,
    _ weight: Tensor?
  ) -> Tensor {
    var found: (predicted: Network.Output, value: Objective.Value)!
    let (loss, gradients) = valueWithGradient(of: network) {
      let predicted = network(x)
      let value = objective.value(predicted: predicted, expected: y, sampleWeight: weight)
      found = (predicted, value)
      return value.total
    }
    optimizer.update(network, along: gradients)
    objective.update(
      loss: loss, value: found.value, predicted: found.predicted, expected: y, sampleWeight: weight)
    return loss
  }

  private static func test(
    _ network: Network, _ objective: Objective, _ x: Network.Input, _ y: Network.Output, _ weight: Tensor?
  ) -> Tensor {
    var found: (predicted: Network.Output, value: Objective.Value)!
    let value = ActivityPenalties.added {
      let predicted = network(x)
      let value = objective.value(predicted: predicted, expected: y, sampleWeight: weight)
      found = (predicted, value)
      return value.total
    }
    let loss = network.penalty.map { value + $0 } ?? value
    objective.update(
      loss: loss, value: found.value, predicted: found.predicted, expected: y, sampleWeight: weight)
    return loss
  }

  // MARK: - One batch

  /// Trains on one batch. Keras's `train_on_batch`.
  ///
  /// - Parameters:
  ///   - x: The input, `[batch, ...]`.
  ///   - y: The targets, as the loss says.
  ///   - sampleWeight: What the samples count, `[batch]`, or `[batch, time]` for a number a step; all 1 if nil.
  /// - Returns: The loss and the metrics over all batches since the last ``resetMetrics()``.
  /// - Throws: ``Reel/TensorError`` if the batch does not fit the network; nothing is changed then.
  @discardableResult
  public func trainOnBatch(_ x: Network.Input, _ y: Network.Output, sampleWeight: Tensor? = nil) throws -> Logs {
    try build(like: x)
    _ = try trainingStep(x, y, sampleWeight)
    hasTrained = true
    return objective.logs
  }

  /// Measures one batch, and changes nothing but the running values. Keras's `test_on_batch`; the parameters are those of
  /// ``trainOnBatch(_:_:sampleWeight:)``.
  @discardableResult
  public func testOnBatch(_ x: Network.Input, _ y: Network.Output, sampleWeight: Tensor? = nil) throws -> Logs {
    try build(like: x)
    _ = try withTraining(false) { try testStep(x, y, sampleWeight) }
    return objective.logs
  }

  /// Forgets the batches that loss and metrics have seen.
  public func resetMetrics() { objective.reset() }
}

// MARK: - Making one

extension Layer where Input: TensorStructure, Output == Tensor {
  /// The layer as a model that can be trained. Keras's `compile`.
  ///
  /// - Parameters:
  ///   - optimizer: What moves the parameters. It keeps its moments; give each model one of its own.
  ///   - loss: What is made small.
  ///   - metrics: What is measured, without sample weights; nothing by default.
  ///   - weightedMetrics: What is measured with sample weights; nothing by default.
  public func compile(
    optimizer: any Optimizer, loss: Loss, metrics: [Metric] = [], weightedMetrics: [Metric] = []
  ) -> Model<Self> {
    let head = Objective.Head(loss: loss, weight: 1, metrics: metrics, weightedMetrics: weightedMetrics)
    return Model(self, optimizer: optimizer, Objective([head]))
  }
}

extension Layer where Input: TensorStructure, Output: TensorStructure {
  /// The layer as a model with several outputs that can be trained. The loss is Σ weight · loss over the outputs.
  ///
  /// - Parameters:
  ///   - optimizer: What moves the parameters.
  ///   - losses: A loss for each tensor of the output, in the order of ``Reel/TensorStructure/tensors``.
  ///   - lossWeights: What each counts; 1 each if nil.
  ///   - metrics: What is measured for each output; nothing by default.
  public func compile(
    optimizer: any Optimizer, losses: [Loss], lossWeights: [Double]? = nil, metrics: [[Metric]] = []
  ) -> Model<Self> {
    precondition(!losses.isEmpty, "compile: at least one loss")
    precondition(lossWeights?.count ?? losses.count == losses.count, "compile: a weight for each loss")
    precondition(metrics.isEmpty || metrics.count == losses.count, "compile: a list of metrics for each loss")
    let heads = losses.indices.map { index in
      Objective.Head(
        loss: losses[index], weight: lossWeights?[index] ?? 1, metrics: metrics.isEmpty ? [] : metrics[index],
        weightedMetrics: [])
    }
    return Model(self, optimizer: optimizer, Objective(heads))
  }
}
