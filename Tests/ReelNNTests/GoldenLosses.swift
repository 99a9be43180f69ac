import Reel
import ReelNN
import ReelTestSupport
import Testing

// Golden cases of losses.

/// A loss of Keras, with every reduction and with weights.
struct LossCase {
  let golden: GoldenCase
  private let loss: Loss
  /// What made the predictions, and whether the loss computes from what it was given.
  private let activation: Activation?
  private let isFromLogits: Bool

  init(_ golden: GoldenCase) throws {
    self.golden = golden
    activation = try golden.activation.map { try makeActivation($0) }
    // Keras remembers what its softmax and sigmoid were made of, and computes from that.
    let remembers = ["softmax": ["Categorical", "SparseCategorical"], "sigmoid": ["Binary"]]
    isFromLogits = (remembers[golden.activation ?? ""] ?? []).contains { golden.layer.hasPrefix($0 + "Cross") }
    loss = try makeLoss(golden.layer, golden.config, logitsAreKnown: isFromLogits)
  }

  func check() throws {
    let file = try Golden.tensors(of: golden)
    try ElementType.withDefault(golden.elementType) {
      let eager = results(file)
      expectGolden(eager, file, of: golden, "eager")
      let staged = try compiled(results)(file)
      expectGolden(staged, file, of: golden, "compiled")
      for name in golden.outputs.keys { expectSameBits(staged[name]!, eager[name]!, "\(golden.name): \(name)") }
    }
  }

  private func results(_ file: [String: Tensor]) -> [String: Tensor] {
    let source = activation == nil ? "y_pred" : "logits"
    let (x, expected, weight) = (file[source]!, file["y_true"]!, file["sample_weight"]!)
    func value(_ x: Tensor, _ reduction: Loss.Reduction, _ weight: Tensor? = nil) -> Tensor {
      let predicted = isFromLogits ? x : activation?(x) ?? x
      return loss.reduced(by: reduction)(predicted: predicted, expected: expected, sampleWeight: weight)
    }
    let (plain, gradient) = valueWithGradient(at: x) { value($0, .sumOverBatchSize) }
    let (weighted, weightedGradient) = valueWithGradient(at: x) { value($0, .sumOverBatchSize, weight) }
    return [
      "y_pred": activation?(x) ?? x, "values": value(x, .none), "loss": plain, "loss.sum": value(x, .sum),
      "loss.weighted": weighted, "loss.weighted_sum": value(x, .sum, weight),
      "loss.weighted_mean": value(x, .meanWithSampleWeight, weight), "grad.\(source)": gradient,
      "grad.weighted.\(source)": weightedGradient,
    ]
  }
}

/// A loss by its Keras class and settings. Keras computes the cross-entropy of a softmax or sigmoid from its logits,
/// whatever `from_logits` says, when it knows them.
func makeLoss(_ className: String, _ config: JSONValue, logitsAreKnown: Bool) throws -> Loss {
  let loss = try unreducedLoss(className, config, logitsAreKnown: logitsAreKnown)
  switch config["reduction"]?.string {
  case nil, "none": return loss.reduced(by: .none)
  case "sum": return loss.reduced(by: .sum)
  case "sum_over_batch_size", "mean", "see outputs": return loss
  case "mean_with_sample_weight": return loss.reduced(by: .meanWithSampleWeight)
  case let name?: throw UnknownSetting("the setting reduction = \(name)")
  }
}

private func unreducedLoss(_ className: String, _ config: JSONValue, logitsAreKnown: Bool) throws -> Loss {
  func settings(_ known: String...) throws -> Settings { try Settings(config, known: Set(known + ["reduction"])) }
  func entropy(_ known: String...) throws -> (fromLogits: Bool, smoothing: Double, axis: Int) {
    let all = try Settings(config, known: Set(known + ["reduction", "from_logits", "label_smoothing", "axis"]))
    let smoothing = config["label_smoothing"]?.number ?? 0
    return (all.truth("from_logits") || logitsAreKnown, smoothing, config["axis"]?.integer ?? -1)
  }
  let plain: [String: Loss] = [
    "MeanSquaredError": .meanSquaredError, "MeanAbsoluteError": .meanAbsoluteError,
    "MeanAbsolutePercentageError": .meanAbsolutePercentageError,
    "MeanSquaredLogarithmicError": .meanSquaredLogarithmicError, "LogCosh": .logCosh, "Poisson": .poisson,
    "Hinge": .hinge, "SquaredHinge": .squaredHinge, "CategoricalHinge": .categoricalHinge,
    "KLDivergence": .klDivergence,
  ]
  if let loss = plain[className] {
    _ = try settings()
    return loss
  }
  switch className {
  case "Huber": return .huber(delta: try settings("delta").number("delta"))
  case "CosineSimilarity": return .cosineSimilarity(along: try settings("axis").integer("axis"))
  case "BinaryCrossentropy":
    let (fromLogits, smoothing, axis) = try entropy()
    return .binaryCrossEntropy(fromLogits: fromLogits, labelSmoothing: smoothing, along: axis)
  case "BinaryFocalCrossentropy":
    let (fromLogits, smoothing, axis) = try entropy("gamma", "alpha", "apply_class_balancing")
    let balances = config["apply_class_balancing"] == .truth(true)
    return .binaryFocalCrossEntropy(
      gamma: try settingNumber("gamma", config), alpha: balances ? try settingNumber("alpha", config) : nil,
      fromLogits: fromLogits, labelSmoothing: smoothing, along: axis)
  case "CategoricalCrossentropy":
    let (fromLogits, smoothing, axis) = try entropy()
    return .categoricalCrossEntropy(fromLogits: fromLogits, labelSmoothing: smoothing, along: axis)
  case "CategoricalFocalCrossentropy":
    let (fromLogits, smoothing, axis) = try entropy("gamma", "alpha")
    return .categoricalFocalCrossEntropy(
      gamma: try settingNumber("gamma", config), alpha: try settingNumber("alpha", config), fromLogits: fromLogits,
      labelSmoothing: smoothing, along: axis)
  case "SparseCategoricalCrossentropy":
    let (fromLogits, _, axis) = try entropy("ignore_class")
    let ignored = config["ignore_class"]?.integer.map { Int32($0) }
    return .sparseCategoricalCrossEntropy(fromLogits: fromLogits, ignoreClass: ignored, along: axis)
  default: throw UnknownSetting("the loss \(className)")
  }
}

private func settingNumber(_ key: String, _ config: JSONValue) throws -> Double {
  guard let number = config[key]?.number else { throw UnknownSetting("\(key) = \(config[key] ?? .null)") }
  return number
}
