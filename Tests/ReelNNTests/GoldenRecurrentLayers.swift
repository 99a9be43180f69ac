import Reel
import ReelNN
import ReelTestSupport

// Recurrent layers and cells by their Keras classes and settings.

/// A layer by its Keras class and settings.
func makeLayer(_ className: String, _ config: JSONValue, unroll: Unroll) throws -> any Layer<Tensor, Tensor> {
  switch className {
  case "Dense": return try makeDense(config)
  case "Bidirectional": return try makeBidirectional(config, unroll: unroll)
  case "SimpleRNN", "LSTM", "GRU", "RNN":
    return try makeRecurrentLayer(className, config, unroll: unroll).asLayer
  default:
    if let layer = try makeActivationLayer(className, config) { return layer }
    if let layer = try makeCompanyLayer(className, config, unroll: unroll) { return layer }
    throw UnknownSetting("the layer \(className)")
  }
}

private func makeBidirectional(_ config: JSONValue, unroll: Unroll) throws -> any Layer<Tensor, Tensor> {
  _ = try Settings(config, known: ["layer", "backward_layer", "merge_mode"])
  func layer(_ key: String) throws -> any AnyRNN {
    try makeRecurrentLayer(config[key]?["class_name"]?.string ?? "", config[key]?["config"] ?? .null, unroll: unroll)
  }
  let mode = config["merge_mode"]?.string
  return try layer("layer").bidirectional(with: layer("backward_layer"), mode: mode)
}

/// A recurrent layer whose cell is forgotten.
private protocol AnyRNN {
  var asLayer: any Layer<Tensor, Tensor> { get }
  func bidirectional(with backward: any AnyRNN, mode: String?) throws -> any Layer<Tensor, Tensor>
  func bidirectional<Forward: RecurrentCell>(
    after forward: RNN<Forward>, merge: (isNone: Bool, mode: String)
  ) throws -> any Layer<Tensor, Tensor>
}

extension RNN: AnyRNN {
  fileprivate var asLayer: any Layer<Tensor, Tensor> { self }

  fileprivate func bidirectional(with backward: any AnyRNN, mode: String?) throws -> any Layer<Tensor, Tensor> {
    try backward.bidirectional(after: self, merge: (mode == nil, mode ?? ""))
  }

  fileprivate func bidirectional<Forward: RecurrentCell>(
    after forward: RNN<Forward>, merge: (isNone: Bool, mode: String)
  ) throws -> any Layer<Tensor, Tensor> {
    let merges: [String: Bidirectional<Forward, Cell>.Merge] = [
      "concat": .concat, "sum": .sum, "mul": .multiply, "ave": .average,
    ]
    guard merge.isNone || merges[merge.mode] != nil else {
      throw UnknownSetting("the setting merge_mode = \(merge.mode)")
    }
    return Bidirectional(forward, backward: self, merge: merges[merge.mode])
  }
}

private let wrapperSettings: Set = [
  "return_sequences", "return_state", "go_backwards", "unroll", "stateful", "zero_output_for_mask",
  "activity_regularizer",
]
private let cellSettings: Set = [
  "units", "activation", "recurrent_activation", "use_bias", "reset_after", "implementation", "dropout",
  "recurrent_dropout", "kernel_regularizer", "recurrent_regularizer", "bias_regularizer", "kernel_constraint",
  "recurrent_constraint", "bias_constraint",
]

private func makeRecurrentLayer(_ className: String, _ config: JSONValue, unroll: Unroll) throws -> any AnyRNN {
  let isWrapper = className == "RNN"
  let settings = try Settings(config, known: wrapperSettings.union(isWrapper ? ["cell"] : cellSettings))
  let regularizer = try settings.regularizer("activity_regularizer")
  func wrapped(_ cell: some RecurrentCell) -> any AnyRNN {
    RNN(
      cell, returnSequences: settings.truth("return_sequences"), returnState: settings.truth("return_state"),
      goBackwards: settings.truth("go_backwards"), stateful: settings.truth("stateful"), unroll: unroll,
      zeroOutputForMask: settings.truth("zero_output_for_mask"), activityRegularizer: regularizer)
  }
  if isWrapper { return wrapped(try makeCell(config["cell"] ?? .null)) }
  // A layer of one cell has the settings of both.
  let cellConfig = config.object!.filter { !wrapperSettings.contains($0.key) }
  return wrapped(try makeCell(.object(["class_name": .string("\(className)Cell"), "config": .object(cellConfig)])))
}

private func makeCell(_ json: JSONValue) throws -> any RecurrentCell {
  let config = json["config"] ?? .null
  switch json["class_name"]?.string {
  case "LSTMCell": return try makeLSTMCell(Settings(config, known: cellSettings))
  case "GRUCell": return try makeGRUCell(Settings(config, known: cellSettings))
  case "SimpleRNNCell": return try makeSimpleRNNCell(Settings(config, known: cellSettings))
  case "MinimalGatedUnit": return MinimalGatedUnitCell(try Settings(config, known: cellSettings).integer("units"))
  case "StackedRNNCells": return StackedRNNCells(try config["cells"]?.array?.map(makeCell) ?? [])
  case let name: throw UnknownSetting("the cell \(name ?? "without a name")")
  }
}

private func makeLSTMCell(_ settings: Settings) throws -> LSTMCell {
  LSTMCell(
    try settings.integer("units"), activation: try settings.activation("activation"),
    recurrentActivation: try settings.activation("recurrent_activation"), useBias: settings.truth("use_bias"),
    kernelRegularizer: try settings.regularizer("kernel_regularizer"),
    recurrentRegularizer: try settings.regularizer("recurrent_regularizer"),
    biasRegularizer: try settings.regularizer("bias_regularizer"),
    kernelConstraint: try settings.constraint("kernel_constraint"),
    recurrentConstraint: try settings.constraint("recurrent_constraint"),
    biasConstraint: try settings.constraint("bias_constraint"), dropout: try settings.rate("dropout"),
    recurrentDropout: try settings.rate("recurrent_dropout"), implementation: settings.implementation)
}

private func makeGRUCell(_ settings: Settings) throws -> GRUCell {
  GRUCell(
    try settings.integer("units"), activation: try settings.activation("activation"),
    recurrentActivation: try settings.activation("recurrent_activation"), useBias: settings.truth("use_bias"),
    kernelRegularizer: try settings.regularizer("kernel_regularizer"),
    recurrentRegularizer: try settings.regularizer("recurrent_regularizer"),
    biasRegularizer: try settings.regularizer("bias_regularizer"),
    kernelConstraint: try settings.constraint("kernel_constraint"),
    recurrentConstraint: try settings.constraint("recurrent_constraint"),
    biasConstraint: try settings.constraint("bias_constraint"), dropout: try settings.rate("dropout"),
    recurrentDropout: try settings.rate("recurrent_dropout"), implementation: settings.implementation,
    resetAfter: settings.truth("reset_after"))
}

private func makeSimpleRNNCell(_ settings: Settings) throws -> SimpleRNNCell {
  SimpleRNNCell(
    try settings.integer("units"), activation: try settings.activation("activation"),
    useBias: settings.truth("use_bias"), kernelRegularizer: try settings.regularizer("kernel_regularizer"),
    recurrentRegularizer: try settings.regularizer("recurrent_regularizer"),
    biasRegularizer: try settings.regularizer("bias_regularizer"),
    kernelConstraint: try settings.constraint("kernel_constraint"),
    recurrentConstraint: try settings.constraint("recurrent_constraint"),
    biasConstraint: try settings.constraint("bias_constraint"), dropout: try settings.rate("dropout"),
    recurrentDropout: try settings.rate("recurrent_dropout"))
}

extension Settings {
  fileprivate func rate(_ key: String) throws -> Double { has(key) ? try number(key) : 0 }

  fileprivate var implementation: Int { (try? integer("implementation")) ?? 2 }
}
