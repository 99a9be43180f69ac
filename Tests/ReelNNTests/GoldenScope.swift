import Reel
import ReelNN
import ReelTestSupport

/// What a golden case asks for that the library does not have.
struct OutsideScope: Error {
  let reason: String

  init(_ reason: String) { self.reason = reason }
}

/// Why a case is not run, or nil if it is: building what the case describes is the rule, so that whatever can be built is
/// run, and a setting that nothing here knows keeps its case out instead of being ignored.
func reasonOutsideScope(_ golden: GoldenCase) -> String? {
  do {
    switch golden.kind {
    case "layer": _ = try LayerCase(keras: golden)
    case "torch_layer": _ = try LayerCase(torch: golden)
    case "loss": _ = try LossCase(golden)
    case "optimizer": _ = try makeOptimizer(golden.layer, golden.config)
    case "initializer": _ = try initializedLSTM(golden)
    case "model": _ = try ModelCase(golden, unroll: .never)
    case "activation": _ = try activationFunctions(golden)
    case "regularizer": _ = try RegularizerCase(golden)
    case "constraint": _ = try goldenConstraint(golden)
    default: throw OutsideScope("cases of kind \(golden.kind)")
    }
    return nil
  } catch let outside as OutsideScope {
    return outside.reason
  } catch {
    return "\(error)"
  }
}

/// Why a tensor of a case that is run is not compared, or nil if it is.
func reasonOutsideScope(tensor name: String, of golden: GoldenCase) -> String? {
  switch golden.kind {
  case "loss" where name.contains("weighted"): "losses take no sample weights"
  case "loss" where name == "loss.sum": "losses are means; `values` has the terms of the sum"
  case "optimizer" where name.hasPrefix("slot."): "an optimizer's state is private; the steps after it depend on it"
  default: nil
  }
}

// MARK: - Settings

/// The settings of a layer, cell or optimizer by their Keras names.
struct Settings {
  private let values: [String: JSONValue]

  /// Settings that do not change what is computed from given weights.
  private static let idle: Set = [
    "trainable", "dtype", "seed", "implementation", "unit_forget_bias", "kernel_initializer", "recurrent_initializer",
    "bias_initializer", "ema_momentum",
  ]

  /// Takes the settings if all that say anything are known.
  init(_ json: JSONValue, known: Set<String>) throws {
    guard let values = json.object else { throw OutsideScope("settings that are no object") }
    for (key, value) in values.sorted(by: { $0.key < $1.key })
    where !known.contains(key) && !Self.idle.contains(key) && ![.null, .truth(false), .number(0)].contains(value) {
      throw OutsideScope("the setting \(key) = \(value)")
    }
    self.values = values
  }

  func truth(_ key: String) -> Bool { values[key]?.truth ?? false }

  func number(_ key: String) throws -> Double {
    guard let number = values[key]?.number else { throw OutsideScope("\(key) = \(values[key] ?? .null)") }
    return number
  }

  func integer(_ key: String) throws -> Int {
    guard let integer = values[key]?.integer else { throw OutsideScope("\(key) = \(values[key] ?? .null)") }
    return integer
  }

  func activation(_ key: String) throws -> Activation {
    guard let name = values[key]?.string else { throw OutsideScope("the activation \(values[key] ?? .null)") }
    return try makeActivation(name)
  }
}

// MARK: - Layers

private let wrapperSettings: Set = ["return_sequences", "return_state", "go_backwards", "unroll"]
private let cellSettings: Set = ["units", "activation", "recurrent_activation", "use_bias", "reset_after"]

/// A layer by its Keras class and settings.
func makeLayer(_ className: String, _ config: JSONValue, unroll: Unroll) throws -> any Layer<Tensor, Tensor> {
  switch className {
  case "Dense":
    return try makeDense(config)
  case "RNN": return try makeWrapper(config, unroll: unroll)
  default:
    if let layer = try makeActivationLayer(className, config) { return layer }
    return try makeRecurrentLayer(className, config, unroll: unroll)
  }
}

private func makeDense(_ config: JSONValue) throws -> Dense {
  let settings = try Settings(
    config,
    known: [
      "units", "activation", "use_bias", "kernel_regularizer", "bias_regularizer", "activity_regularizer",
      "kernel_constraint", "bias_constraint",
    ])
  return Dense(
    try settings.integer("units"), activation: try settings.activation("activation"),
    useBias: settings.truth("use_bias"),
    kernelInitializer: try makeInitializer(config["kernel_initializer"]) ?? .glorotUniform,
    biasInitializer: try makeInitializer(config["bias_initializer"]) ?? .zeros,
    kernelRegularizer: try makeRegularizer(config["kernel_regularizer"]),
    biasRegularizer: try makeRegularizer(config["bias_regularizer"]),
    activityRegularizer: try makeRegularizer(config["activity_regularizer"]),
    kernelConstraint: try makeConstraint(config["kernel_constraint"]),
    biasConstraint: try makeConstraint(config["bias_constraint"]))
}

private func makeRecurrentLayer(
  _ className: String, _ config: JSONValue, unroll: Unroll
) throws -> any Layer<Tensor, Tensor> {
  guard ["SimpleRNN", "LSTM", "GRU"].contains(className) else { throw OutsideScope("the layer \(className)") }
  let settings = try Settings(config, known: wrapperSettings.union(cellSettings))
  let units = try settings.integer("units")
  let activation = try settings.activation("activation")
  let (sequences, state) = (settings.truth("return_sequences"), settings.truth("return_state"))
  let (useBias, backwards) = (settings.truth("use_bias"), settings.truth("go_backwards"))
  switch className {
  case "LSTM":
    return LSTM(
      units, activation: activation, recurrentActivation: try settings.activation("recurrent_activation"),
      useBias: useBias, returnSequences: sequences, returnState: state, goBackwards: backwards, unroll: unroll)
  case "GRU":
    return GRU(
      units, activation: activation, recurrentActivation: try settings.activation("recurrent_activation"),
      useBias: useBias, resetAfter: settings.truth("reset_after"), returnSequences: sequences, returnState: state,
      goBackwards: backwards, unroll: unroll)
  default:
    return SimpleRNN(
      units, activation: activation, useBias: useBias, returnSequences: sequences, returnState: state,
      goBackwards: backwards, unroll: unroll)
  }
}

/// Keras's `RNN` around a cell.
private func makeWrapper(_ config: JSONValue, unroll: Unroll) throws -> any Layer<Tensor, Tensor> {
  let settings = try Settings(config, known: wrapperSettings.union(["cell"]))
  func wrapped(_ cell: some RecurrentCell) -> any Layer<Tensor, Tensor> {
    RNN(
      cell, returnSequences: settings.truth("return_sequences"), returnState: settings.truth("return_state"),
      goBackwards: settings.truth("go_backwards"), unroll: unroll)
  }
  let cellConfig = config["cell"]?["config"] ?? .null
  let cell = try Settings(cellConfig, known: cellSettings)
  switch config["cell"]?["class_name"]?.string {
  case "LSTMCell":
    return wrapped(
      LSTMCell(
        try cell.integer("units"), activation: try cell.activation("activation"),
        recurrentActivation: try cell.activation("recurrent_activation"), useBias: cell.truth("use_bias")))
  case "GRUCell":
    return wrapped(
      GRUCell(
        try cell.integer("units"), activation: try cell.activation("activation"),
        recurrentActivation: try cell.activation("recurrent_activation"), useBias: cell.truth("use_bias"),
        resetAfter: cell.truth("reset_after")))
  case "MinimalGatedUnit": return wrapped(MinimalGatedUnit(units: try cell.integer("units")))
  case let name: throw OutsideScope("the cell \(name ?? "without a name")")
  }
}

/// The cell of one's own that the reference was computed with: f, then n in kernel, recurrent kernel and bias.
struct MinimalGatedUnit: RecurrentCell {
  let units: Int
  let kernel = Parameter(.glorotUniform)
  let recurrentKernel = Parameter(.orthogonal)
  let bias = Parameter(.zeros)

  func initialState(batchSize: Int) -> Tensor { .zeros([batchSize, units]) }

  func callAsFunction(_ x: Tensor, _ h: Tensor) -> (output: Tensor, state: Tensor) {
    let input = x.matmul(kernel([x.shape.last, 2 * units])) + bias([2 * units])
    let (xf, xn) = input.split(into: 2)
    let (uf, un) = recurrentKernel([units, 2 * units]).split(into: 2)
    let forget = sigmoid(xf + h.matmul(uf))
    let candidate = tanh(xn + (forget * h).matmul(un))
    let next = (1 - forget) * h + forget * candidate
    return (next, next)
  }
}

// MARK: - Optimizers

/// An optimizer by its Keras class and settings.
func makeOptimizer(_ className: String, _ config: JSONValue) throws -> any Optimizer {
  switch className {
  case "SGD":
    let settings = try Settings(config, known: ["learning_rate", "momentum", "nesterov"])
    return SGD(
      learningRate: try settings.number("learning_rate"), momentum: try settings.number("momentum"),
      nesterov: settings.truth("nesterov"))
  case "Adam":
    let settings = try Settings(config, known: ["learning_rate", "beta_1", "beta_2", "epsilon"])
    return Adam(
      learningRate: try settings.number("learning_rate"), beta1: try settings.number("beta_1"),
      beta2: try settings.number("beta_2"), epsilon: try settings.number("epsilon"))
  default: throw OutsideScope("the optimizer \(className)")
  }
}
