import Reel
import ReelNN
import ReelTestSupport
import Testing

/// `fit`, `evaluate` and `predict` against loops written by hand.
@Suite struct FitTests {
  typealias Samples = TrainingSamples

  /// The loss and the gradients of a batch, as a user would write it.
  static func handStep(
    _ network: Sequential, _ optimizer: any Optimizer, _ x: Tensor, _ y: Tensor, _ w: Tensor?
  )
    -> Double
  {
    let (loss, gradients) = valueWithGradient(of: network) {
      Samples.loss(predicted: network(x), expected: y, sampleWeight: w)
    }
    optimizer.update(network, along: gradients)
    return loss.item
  }

  @Test(arguments: [nil, Regularizer.l2(0.1)], [false, true])
  func theHistoryIsThatOfAHandLoop(regularizer: Regularizer?, isWeighted: Bool) throws {
    let (x, y) = (Samples.inputs(11), Samples.classes(11))
    let weights = isWeighted ? Tensor((0..<11).map { Float($0 % 4) * 0.5 }) : nil
    let model = Samples.model(Samples.classifier(regularizer: regularizer))
    let history = try model.fit(
      x, y, batchSize: 4, epochs: 3, shuffle: false, sampleWeight: weights, verbose: 0)
    let (network, adam) = (Samples.classifier(regularizer: regularizer), Adam(learningRate: 0.01))
    #expect(history.epochs == [0, 1, 2] && history.names == ["loss", "accuracy"] && history.ending == .completed)
    for epoch in 0..<3 {
      var (loss, right) = (0.0, 0.0)
      for start in stride(from: 0, to: 11, by: 4) {
        let range = start..<min(start + 4, 11)
        let predicted = network(x[range])
        right += zip(predicted.argMax().numbers, y[range].numbers).reduce(0) { $0 + ($1.0 == $1.1 ? 1 : 0) }
        loss += Self.handStep(network, adam, x[range], y[range], weights?[range]) * Double(range.count)
      }
      #expect(abs(history["loss"][epoch] - loss / 11) < 1e-5)
      #expect(abs(history["accuracy"][epoch] - right / 11) < 1e-6)
    }
    for (name, value) in network.weights {
      expectClose(model.network.weights[name]!, value, relative: 1e-4, absolute: 1e-6, name)
    }
  }

  @Test func validationTakesTheLastSamples() throws {
    let (x, y) = (Samples.inputs(10), Samples.classes(10))
    let model = Samples.model()
    let history = try model.fit(x, y, batchSize: 3, epochs: 2, validationSplit: 0.35, verbose: 0)
    #expect(history.names == ["loss", "accuracy", "val_loss", "val_accuracy"])
    let logs = try model.evaluate(x[6..<10], y[6..<10], batchSize: 2, verbose: 0)
    #expect(abs(logs["loss"]! - history["val_loss"][1]) < 1e-6)
    #expect(logs["accuracy"] == history["val_accuracy"][1])
    let other = Samples.model()
    let given = try other.fit(
      x[0..<6], y[0..<6], batchSize: 3, epochs: 2, validationData: (x[6..<10], y[6..<10]), validationFrequency: 2,
      verbose: 0)
    #expect(given["val_loss"].count == 2 && given["val_loss"][0].isNaN && given["val_loss"][1].isFinite)
  }

  @Test func evaluationAddsPenaltiesAndTrainsNothing() throws {
    let (x, y) = (Samples.inputs(7), Samples.classes(7))
    let model = Samples.model(Samples.classifier(regularizer: .l2(0.5)))
    let logs = try model.evaluate(x, y, batchSize: 3, verbose: 0)
    let plain = Samples.loss(predicted: model.network(x), expected: y).item
    #expect(abs(logs["loss"]! - plain - model.network.penalty!.item) < 1e-5)
    #expect(model.network.penalty!.item > 0.01)
    let before = weightsOf(model.network)
    _ = try model.predict(x, verbose: 0)
    #expect(weightsOf(model.network) == before)
  }

  @Test func predictionsAreThoseOfTheNetwork() throws {
    let model = Samples.model()
    let x = Samples.inputs(7)
    let found = try model.predict(x, batchSize: 3, verbose: 0)
    expectClose(found, model.network(x), relative: 1e-5, absolute: 1e-6, "predictions")
  }

  @Test func theOrderIsAFunctionOfSeedAndEpoch() throws {
    let (x, y) = (Samples.inputs(9), Samples.classes(9))
    func weights(_ seed: UInt64?, shuffle: Bool = true) throws -> [String: [Double]] {
      try withRandomSeed(3) {
        let model = Samples.model()
        try model.fit(x, y, batchSize: 2, epochs: 2, shuffle: shuffle, seed: seed, verbose: 0)
        return weightsOf(model.network)
      }
    }
    #expect(try weights(5) == weights(5))
    #expect(try weights(nil) == weights(nil))
    #expect(try weights(5) != weights(6))
    #expect(try weights(5, shuffle: false) == weights(6, shuffle: false))
  }

  @Test func classWeightsAreSampleWeights() throws {
    let (x, y) = (Samples.inputs(8), Samples.classes(8))
    let (byClass, bySample, byOneHot) = (Samples.model(), Samples.model(), Samples.model())
    let weights = Tensor(y.numbers.map { $0 == 1 ? Float(3) : 1 })
    let first = try byClass.fit(x, y, batchSize: 4, shuffle: false, classWeight: [1: 3], verbose: 0)
    let second = try bySample.fit(x, y, batchSize: 4, shuffle: false, sampleWeight: weights, verbose: 0)
    #expect(first == second && weightsOf(byClass.network) == weightsOf(bySample.network))
    let categorical = byOneHot.network.compile(
      optimizer: Adam(learningRate: 0.01), loss: .categoricalCrossEntropy(fromLogits: true))
    let third = try categorical.fit(x, y.oneHot(2), batchSize: 4, shuffle: false, classWeight: [1: 3], verbose: 0)
    #expect(abs(third["loss"][0] - first["loss"][0]) < 1e-5)
  }

  @Test func theMaskReachesLossAndMetrics() throws {
    let x = Samples.inputs(6).withMask(lengths: Tensor([4, 2, 3, 1, 4, 2] as [Int32]))
    let y = Tensor((0..<24).map { Int32($0 % 2) }, shape: [6, 4])
    let model = Samples.model(Samples.classifier(returnSequences: true))
    let logs = try model.evaluate(x, y, batchSize: 6, verbose: 0)
    let scores = model.network(x)
    let expected = Samples.loss(predicted: scores, expected: y)
    #expect(abs(logs["loss"]! - expected.item) < 1e-6)
    let unmasked = Samples.loss(predicted: scores.withMask(nil), expected: y)
    #expect(abs(logs["loss"]! - unmasked.item) > 1e-4)
    let history = try model.fit(x, y, batchSize: 4, epochs: 2, verbose: 0)
    #expect(history["loss"].allSatisfy { $0.isFinite })
  }

  @Test func oneBatchAtATime() throws {
    let (x, y) = (Samples.inputs(4), Samples.classes(4))
    let (model, twin) = (Samples.model(), Samples.model())
    let first = try model.testOnBatch(x, y)
    #expect(abs(first["loss"]! - Samples.loss(predicted: model.network(x), expected: y).item) < 1e-6)
    model.resetMetrics()
    try model.trainOnBatch(x, y)
    try twin.fit(x, y, batchSize: 4, shuffle: false, verbose: 0)
    #expect(weightsOf(model.network) == weightsOf(twin.network))
  }

  // MARK: - Networks of other kinds

  /// Two inputs, two outputs.
  struct Fork: Layer {
    let left = Dense(3, kernelInitializer: .ones)
    let right = Dense(1, kernelInitializer: .ones)
    func callAsFunction(_ x: Pair<Tensor, Tensor>) -> [String: Tensor] {
      ["classes": left(x.first), "value": right(x.first * x.second)]
    }
  }

  @Test func severalInputsAndOutputs() throws {
    let x = Pair(sample([7, 2], seed: 1, elementType: .float32), sample([7, 2], seed: 2, elementType: .float32))
    let y = ["classes": Tensor((0..<7).map { Int32($0 % 3) }), "value": Tensor.ones([7, 1])]
    let model = Fork().compile(
      optimizer: SGD(learningRate: 0.1), losses: [.sparseCategoricalCrossEntropy(fromLogits: true), .meanSquaredError],
      lossWeights: [1, 0.5], metrics: [[.accuracy()], []])
    let history = try model.fit(x, y, batchSize: 3, epochs: 20, verbose: 0)
    #expect(history.names == ["loss", "classes_loss", "value_loss", "classes_accuracy"])
    for epoch in 0..<20 {
      let sum = history["classes_loss"][epoch] + 0.5 * history["value_loss"][epoch]
      #expect(abs(history["loss"][epoch] - sum) < 1e-5)
    }
    #expect(history["loss"][19] < history["loss"][0])
    let found = try model.predict(x, batchSize: 4, verbose: 0)
    #expect(found["classes"]!.shape == [7, 3] && found["value"]!.shape == [7, 1])
    // Layers of one's own are told apart by their parameters.
    #expect(try model.summary().rows.map(\.outputShapes) == [[[nil, 3]], [[nil, 1]]])
  }
}
