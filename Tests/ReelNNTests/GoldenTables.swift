import Reel
import ReelNN
import ReelTestSupport
import Testing

// Golden cases of optimizers, initializers and activations.

// MARK: - Optimizers

/// A model that is nothing but parameters.
private struct Weights: Module {
  let weights: [Parameter]

  init(_ values: [Tensor]) { weights = values.map { Parameter(.value($0)) } }

  /// A value with given gradients by the parameters: Σ weight · gradient.
  func value(withGradients gradients: [Tensor]) -> Tensor {
    let terms = zip(weights, gradients).map { ($0($1.shape) * $1).sum() }
    return terms.dropFirst().reduce(terms[0], +)
  }
}

func checkOptimizer(_ golden: GoldenCase) throws {
  let tensors = try Golden.tensors(of: golden)
  let count = golden.inputs.keys.count { $0.hasPrefix("parameter.") }
  for mode in ["eager", "compiled"] {
    let weights = Weights((0..<count).map { tensors["parameter.\($0)"]! })
    let optimizer = try makeOptimizer(golden.layer, golden.config)
    let update = { (gradients: [Tensor]) -> Empty in
      let found = valueWithGradient(of: weights) { weights.value(withGradients: gradients) }
      optimizer.update(weights, along: found.gradients)
      return Empty()
    }
    let staged = compiled(update)
    var results: [String: Tensor] = [:]
    for step in 0..<(try #require(golden.steps)) {
      let gradients = (0..<count).map { tensors["gradient.\(step).\($0)"]! }
      _ = mode == "eager" ? update(gradients) : try staged(gradients)
      for index in 0..<count { results["parameter.\(index).after.\(step + 1)"] = weights.weights[index].value }
    }
    expectGolden(results, tensors, of: golden, mode)
  }
}

// MARK: - Initializers

/// The layer of a case about first values.
func initializedLSTM(_ golden: GoldenCase) throws -> LSTM {
  guard golden.layer == "LSTM" else { throw OutsideScope("initializers of the layer \(golden.layer)") }
  let known: Set = ["units", "activation", "recurrent_activation", "use_bias"]
  let settings = try Settings(golden.config, known: known)
  let initializer: Initializer
  switch golden.config["bias_initializer"] {
  case .string("Zeros"): initializer = .zeros
  case let value? where value["class_name"] == .string("Constant"):
    initializer = .constant(try #require(value["config"]?["value"]?.number))
  case let value: throw OutsideScope("the initializer \(value ?? .null)")
  }
  return LSTM(
    try settings.integer("units"), biasInitializer: initializer,
    unitForgetBias: golden.config["unit_forget_bias"] == .truth(true))
}

func checkInitializer(_ golden: GoldenCase) throws {
  let layer = try initializedLSTM(golden)
  _ = layer(.zeros([1, 1, 1]))
  let found = Dictionary(uniqueKeysWithValues: layer.parameters.map { (kerasName($0.name), $0.parameter.value!) })
  expectGolden(found, try Golden.tensors(of: golden), of: golden, "at the first use")
}

// MARK: - Activations

/// The functions of a case that the library has, by their names in the file.
func activationFunctions(_ golden: GoldenCase) throws -> [String: (Tensor) -> Tensor] {
  var functions: [String: (Tensor) -> Tensor] = [:]
  for entry in try #require(golden.config.array) {
    guard let id = entry["id"]?.string, let name = entry["function"]?.string, let arguments = entry["arguments"]?.object
    else { throw OutsideScope("a function without a name") }
    let axis = arguments["axis"]?.integer
    switch (name, arguments.count) {
    case ("softmax", 1) where axis != nil: functions[id] = { softmax($0, along: axis!) }
    case ("log_softmax", 1) where axis != nil: functions[id] = { logSoftmax($0, along: axis!) }
    case ("exponential", 0): functions[id] = { exp($0) }
    case (_, 0): functions[id] = Settings.activations[name].map { activation in { activation($0) } }
    default: break
    }
  }
  return functions
}

/// The names of the functions of a case that the library has.
func coveredActivations(_ golden: GoldenCase) -> Set<String> {
  Set(((try? activationFunctions(golden)) ?? [:]).keys)
}

func checkActivations(_ golden: GoldenCase) throws {
  let tensors = try Golden.tensors(of: golden)
  let functions = try activationFunctions(golden)
  let run = { (tensors: [String: Tensor]) -> [String: Tensor] in
    var results: [String: Tensor] = [:]
    for (name, function) in functions {
      let (y, pullback) = valueWithPullback(at: tensors["x"]!, of: function)
      results["\(name).output"] = y
      results["\(name).grad.x"] = pullback(tensors["\(name).cotangent"] ?? tensors["cotangent"]!)
    }
    return results
  }
  try ElementType.withDefault(golden.elementType) {
    let inputs = tensors.filter { $0.key == "x" || $0.key.hasSuffix("cotangent") }
    expectGolden(run(inputs), tensors, of: golden, "eager")
    expectGolden(try compiled(run)(inputs), tensors, of: golden, "compiled")
  }
}
