import Reel
import ReelNN
import ReelTestSupport
import Testing

/// A model of Keras with its loss and optimizer: outputs, gradients, and some steps of training on one batch.
struct ModelCase {
  let golden: GoldenCase
  private let makeLayers: (Unroll) throws -> [any Layer<Tensor, Tensor>]
  private let loss: (Tensor, Tensor) -> Tensor
  /// Whether the model ends with a softmax, which our loss has in itself.
  private let endsWithSoftmax: Bool

  init(_ golden: GoldenCase) throws {
    self.golden = golden
    let parts = try #require(golden.config.array).map { part in
      (className: part["class_name"]?.string ?? "", config: part["config"] ?? .null)
    }
    guard let lossClass = golden.loss["class_name"]?.string, let last = parts.last else {
      throw UnknownSetting("a model without a loss")
    }
    let isCrossEntropy = lossClass.hasSuffix("CategoricalCrossentropy")
    let endsWithSoftmax = last.config["activation"] == .string("softmax") && isCrossEntropy
    self.endsWithSoftmax = endsWithSoftmax
    let kerasLoss = try makeLoss(lossClass, golden.loss["config"] ?? .null, logitsAreKnown: endsWithSoftmax)
    loss = { kerasLoss(predicted: $0, expected: $1) }
    makeLayers = { unroll in
      try parts.enumerated().map { index, part in
        var config = part.config
        if endsWithSoftmax && index == parts.count - 1 {
          config = .object(config.object!.merging(["activation": .string("linear")]) { $1 })
        }
        return try makeLayer(part.className, config, unroll: unroll)
      }
    }
    for name in golden.inputs.keys.sorted() where !["x", "x.0", "x.1", "y_true"].contains(name) {
      throw UnknownSetting("the input '\(name)'")
    }
  }

  private func newOptimizer() throws -> any Optimizer {
    let config = golden.optimizer["config"] ?? .null
    let ours = try makeOptimizer(golden.optimizer["class_name"]?.string ?? "", config)
    guard golden.elementType == .float64 else { return ours }
    return try KerasAdamInFloat64(
      Settings(config, known: ["learning_rate", "beta_1", "beta_2", "epsilon", "ema_momentum"]))
  }

  func check() throws {
    let file = try Golden.tensors(of: golden)
    try ElementType.withDefault(golden.elementType) {
      for unroll in [Unroll.never, .by(3), .full] {
        let eager = try results(file, unroll: unroll, isCompiled: false)
        let staged = try results(file, unroll: unroll, isCompiled: true)
        expectGolden(eager, file, of: golden, "unroll \(unroll), eager")
        expectGolden(staged, file, of: golden, "unroll \(unroll), compiled")
        for name in ["output", "loss"] { expectSameBits(staged[name]!, eager[name]!, "\(golden.name): \(name)") }
      }
    }
  }

  private func results(_ file: [String: Tensor], unroll: Unroll, isCompiled: Bool) throws -> [String: Tensor] {
    let model = GoldenNetwork(
      names: golden.config.array!.map { $0["name"]?.string ?? "" }, layers: try makeLayers(unroll))
    try setParameters(of: model, to: weights(file))
    #expect(model.parameterCount == golden.parameterCount)
    let (labels, optimizer) = (file["y_true"]!, try newOptimizer())
    let inputs = file.keys.filter { $0 == "x" || $0.hasPrefix("x.") }.sorted().map { file[$0]! }
    // Everything in training, as in Keras's own loop; what that changes beside the update is put back.
    let differentiate = { (inputs: [Tensor], labels: Tensor) -> [String: Tensor] in
      model.restoringState {
        let output = withTraining { model(inputs) }
        let (value, gradients) = valueWithGradient(of: model) { loss(model(inputs), labels) }
        var results = ["output": endsWithSoftmax ? softmax(output) : output, "loss": value]
        for (name, parameter) in gradients.parameters { results["grad.\(kerasName(name))"] = gradients[parameter] }
        return results
      }
    }
    let train = { (inputs: [Tensor], labels: Tensor) -> Tensor in
      let (value, gradients) = valueWithGradient(of: model) { loss(model(inputs), labels) }
      optimizer.update(model, along: gradients)
      return value
    }
    let (stagedDifferentiate, stagedTrain) = (compiled(differentiate), compiled(train))
    var results = try isCompiled ? stagedDifferentiate(inputs, labels) : differentiate(inputs, labels)
    var losses: [Tensor] = []
    for _ in 0..<(try #require(golden.steps)) {
      losses.append(try isCompiled ? stagedTrain(inputs, labels) : train(inputs, labels))
    }
    for (name, parameter) in model.parameters { results["after.\(kerasName(name))"] = parameter.value }
    losses.append(
      try isCompiled ? stagedDifferentiate(inputs, labels)["loss"]! : differentiate(inputs, labels)["loss"]!)
    results["losses"] = stacked(losses)
    return results.merging(sampled(results)) { $1 }
  }

  /// The first weights: stored, or by formula, of which the file has a sample to compare with.
  private func weights(_ file: [String: Tensor]) -> [String: Tensor] {
    let computed = golden.formulas.mapValues(\.tensor)
    let samples = sampled(computed)
    var weights = computed
    for name in golden.weights.keys.sorted() {
      if let made = samples[name] ?? computed[name] {
        expectClose(made, file[name]!, relative: 1e-6, absolute: 0, "\(golden.name): \(name)")
      } else {
        weights[name] = file[name]!
      }
    }
    return weights
  }

  /// The samples and norms of the tensors that are too large to be stored.
  private func sampled(_ tensors: [String: Tensor]) -> [String: Tensor] {
    var results: [String: Tensor] = [:]
    for (name, sample) in golden.samples {
      guard let tensor = tensors[name] else { continue }
      let flat = tensor.reshaped(to: [tensor.count])
      #expect(tensor.shape == Shape(sample.shape))
      let indices = Tensor.iota(sample.count, by: Double(sample.stride))
      results["sample.\(name)"] = flat.gathered(at: indices)
      results["norm.\(name)"] = sqrt((flat * flat).sum())
    }
    return results
  }
}

/// The layers of a model by their names in the file: one after another, or with two inputs an encoder whose last states the
/// decoder starts from.
private struct GoldenNetwork: Layer {
  let names: [String]
  let layers: [any Layer<Tensor, Tensor>]

  init(names: [String], layers: [any Layer<Tensor, Tensor>]) {
    (self.names, self.layers) = (names, layers)
    let isNamedByUser = names.contains("encoder")
    if !isNamedByUser { #expect(Sequential(layers).names.map(kerasName) == names) }
  }

  var reflectedChildren: [(name: String, value: Any)] { zip(names, layers).map { ($0, $1) } }

  func callAsFunction(_ inputs: [Tensor]) -> Tensor {
    guard inputs.count == 2, let encoder = layers[0] as? any WithStates, let decoder = layers[1] as? any WithStates
    else {
      return Sequential(layers)(inputs[0])
    }
    let states = encoder.outputs(of: inputs[0], flatState: []).states
    let decoded = decoder.outputs(of: inputs[1], flatState: states).outputs[0]
    return Sequential(Array(layers[2...]))(decoded)
  }
}

extension GoldenCase.Formula {
  /// The tensor: numbers from a counter, mixed, scaled and rounded to single precision.
  var tensor: Tensor {
    var seed: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in key.utf8 { seed = (seed ^ UInt64(byte)) &* 0x100_0000_01b3 }
    let count = shape.reduce(1, *)
    let elements = (0..<count).map { index -> Float in
      var z = seed &+ UInt64(index + 1) &* 0x9e37_79b9_7f4a_7c15
      z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
      z ^= z >> 31
      return Float((2 * Double(z >> 40) + 1 - 16_777_216) / 16_777_216) * Float(scale)
    }
    return Tensor(elements, shape: Shape(shape))
  }
}

/// Adam as Keras on TensorFlow computes it for float64 weights: the decays in the bias correction, but not those of the
/// moments, are rounded to single precision. That changes the first steps by some 6e-6 of their size, more than the
/// tolerance of float64. Our Adam rounds nothing; it is compared in float32, and in float64 with plain numbers.
private struct KerasAdamInFloat64: Optimizer {
  let state: OptimizerState
  let slots: [OptimizerSlot] = ["momentum", "velocity"]
  private let beta1, beta2, epsilon: Double

  init(_ settings: Settings) throws {
    state = OptimizerState(learningRate: try settings.number("learning_rate"))
    beta1 = try settings.number("beta_1")
    beta2 = try settings.number("beta_2")
    epsilon = try settings.number("epsilon")
  }

  func step(_ update: inout ParameterUpdate) {
    func rounded(_ value: Double) -> Tensor { Tensor(Double(Float(value))) }
    let (g, t) = (update.gradient, update.count)
    let α = update.learningRate * sqrt(1 - power(rounded(beta2), t)) / (1 - power(rounded(beta1), t))
    update["momentum"] += (g - update["momentum"]) * Tensor(1 - beta1)
    update["velocity"] += (g * g - update["velocity"]) * Tensor(1 - beta2)
    update.weight -= α * update["momentum"] / (sqrt(update["velocity"]) + Tensor(epsilon))
  }
}
