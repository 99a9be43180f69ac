import Reel
import ReelNN
import ReelTestSupport
import Testing

// Functions of keras.activations and the layers made of them, from Keras's names and settings.

/// The functions that have no arguments.
private let plainActivations: [String: Activation] = [
  "linear": .linear, "relu6": .relu6, "selu": .selu, "softplus": .softplus, "softsign": .softsign,
  "sparse_plus": .sparsePlus, "silu": .silu, "swish": .silu, "tanh": .tanh, "tanh_shrink": .tanhShrink,
  "hard_tanh": .hardTanh, "sigmoid": .sigmoid, "sparse_sigmoid": .sparseSigmoid, "exponential": .exponential,
  "hard_sigmoid": .hardSigmoid, "hard_silu": .hardSilu, "hard_swish": .hardSilu, "log_sigmoid": .logSigmoid,
  "mish": .mish,
]

/// A function that has one number as an argument: its name, the function where it is not given, and where it is.
private typealias ScalarActivation = (argument: String, plain: Activation, make: @Sendable (Double) -> Activation)

private let scalarActivations: [String: ScalarActivation] = [
  "leaky_relu": ("negative_slope", .leakyReLU, { .leakyReLU(negativeSlope: $0) }),
  "elu": ("alpha", .elu, { .elu(alpha: $0) }),
  "celu": ("alpha", .celu, { .celu(alpha: $0) }),
  "soft_shrink": ("threshold", .softShrink, { .softShrink(threshold: $0) }),
  "hard_shrink": ("threshold", .hardShrink, { .hardShrink(threshold: $0) }),
  "squareplus": ("b", .squareplus, { .squareplus(b: $0) }),
]

/// The functions along an axis.
private let axisActivations: [String: (plain: Activation, make: @Sendable (Int) -> Activation)] = [
  "softmax": (.softmax, { .softmax(along: $0) }), "log_softmax": (.logSoftmax, { .logSoftmax(along: $0) }),
  "glu": (.glu, { .glu(along: $0) }), "sparsemax": (.sparsemax, { .sparsemax(along: $0) }),
]

/// An activation by its Keras name and arguments.
func makeActivation(_ name: String, _ arguments: [String: JSONValue] = [:]) throws -> Activation {
  var rest = arguments
  func number(_ key: String) throws -> Double? {
    guard let value = rest.removeValue(forKey: key), value != .null else { return nil }
    guard let number = value.number else { throw UnknownSetting("the setting \(key) = \(value) of \(name)") }
    return number
  }
  let activation: Activation
  if let plain = plainActivations[name] {
    activation = plain
  } else if let entry = scalarActivations[name] {
    activation = try number(entry.argument).map(entry.make) ?? entry.plain
  } else if let entry = axisActivations[name] {
    activation = try number("axis").map { entry.make(Int($0)) } ?? entry.plain
  } else {
    switch name {
    case "relu" where arguments.isEmpty: activation = .relu
    case "relu":
      activation = .relu(
        negativeSlope: try number("negative_slope") ?? 0, maxValue: try number("max_value"),
        threshold: try number("threshold") ?? 0)
    case "gelu": activation = .gelu(approximate: rest.removeValue(forKey: "approximate")?.truth ?? false)
    case "threshold":
      activation = .threshold(
        try #require(try number("threshold")), defaultValue: try #require(try number("default_value")))
    default: throw UnknownSetting("the activation \(name)")
    }
  }
  guard rest.isEmpty else { throw UnknownSetting("the setting \(rest.keys.sorted()) of \(name)") }
  return activation
}

/// An activation layer by its Keras class and settings; nil if the class is none of these.
func makeActivationLayer(_ className: String, _ config: JSONValue) throws -> (any Layer<Tensor, Tensor>)? {
  switch className {
  case "Activation": return try Settings(config, known: ["activation"]).activation("activation")
  case "ReLU":
    let settings = try Settings(config, known: ["max_value", "negative_slope", "threshold"])
    return ReLU(
      maxValue: config["max_value"]?.number, negativeSlope: try settings.number("negative_slope"),
      threshold: try settings.number("threshold"))
  case "LeakyReLU":
    return LeakyReLU(negativeSlope: try Settings(config, known: ["negative_slope"]).number("negative_slope"))
  case "ELU": return ELU(alpha: try Settings(config, known: ["alpha"]).number("alpha"))
  case "PReLU":
    _ = try Settings(config, known: ["alpha_initializer", "alpha_regularizer", "alpha_constraint", "shared_axes"])
    return PReLU(
      alphaInitializer: try makeInitializer(config["alpha_initializer"]) ?? .zeros,
      alphaRegularizer: try makeRegularizer(config["alpha_regularizer"]),
      alphaConstraint: try makeConstraint(config["alpha_constraint"]), sharedAxes: axes(config["shared_axes"]) ?? [])
  case "Softmax":
    _ = try Settings(config, known: ["axis"])
    return Softmax(along: axes(config["axis"]) ?? [-1])
  default: return nil
  }
}

/// One axis, or several; nil for none.
func axes(_ value: JSONValue?) -> [Int]? { value?.integer.map { [$0] } ?? value?.array?.compactMap(\.integer) }

// MARK: - Cases

/// The functions of a case by their names in the file.
func activationFunctions(_ golden: GoldenCase) throws -> [String: (Tensor) -> Tensor] {
  var functions: [String: (Tensor) -> Tensor] = [:]
  for entry in try #require(golden.config.array) {
    guard let id = entry["id"]?.string, let name = entry["function"]?.string, let arguments = entry["arguments"]?.object
    else { throw UnknownSetting("a function without a name") }
    let activation = try makeActivation(name, arguments)
    if name == "sparsemax" {
      // The projection is what the function is; Keras's values are those of its defect.
      functions["projection"] = { activation($0) }
      functions[id] = { sparsemaxOfKeras($0, along: arguments["axis"]?.integer ?? -1) }
    } else {
      functions[id] = { activation($0) }
    }
  }
  return functions
}

/// What Keras 3.15 gives for sparsemax: τ from the sum of all cumulative sums over the support, in place of the last one.
private func sparsemaxOfKeras(_ x: Tensor, along axis: Int) -> Tensor {
  let axis = axis < 0 ? axis + x.rank : axis
  let isLeft = Activation.sparsemax(along: axis)(x) .> 0
  // In descending order, an element is a part of its own cumulative sum and of those after it.
  let isLater = (x.expanded(at: axis) .<= x.expanded(at: axis + 1)) .& isLeft.expanded(at: axis)
  let times = isLater.converted(to: x.elementType).sum(along: [axis + 1])
  let sums = select(isLeft, times * x, 0).sum(along: [axis], keepDims: true)
  return maximum(x - (sums - 1) / isLeft.converted(to: x.elementType).sum(along: [axis], keepDims: true), 0)
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
    let eager = run(inputs)
    let staged = try compiled(run)(inputs)
    expectGolden(eager, tensors, of: golden, "eager")
    expectGolden(staged, tensors, of: golden, "compiled")
    for name in eager.keys.sorted() where name.hasSuffix(".output") {
      expectSameBits(staged[name]!, eager[name]!, "\(golden.name): \(name)")
    }
  }
}
