import Reel
import ReelNN
import ReelTestSupport
import Testing

// Golden cases of initializers and activations.

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
