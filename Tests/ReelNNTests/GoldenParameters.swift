import Reel
import ReelNN
import ReelTestSupport
import Testing

// Initializers, regularizers and constraints from Keras's classes and settings.

/// The class and the settings of an object of Keras, which is written as a name or as an object with both.
private struct KerasObject {
  let className: String
  let config: JSONValue
  private var rest: Set<String>

  /// Nil for `null`, and where nothing is said.
  init?(_ json: JSONValue?) {
    guard let json, let name = json.string ?? json["class_name"]?.string else { return nil }
    self.init(name, json["config"] ?? .object([:]))
  }

  /// Names may be those of the class, `NonNeg`, or of the function, `non_neg`.
  init(_ className: String, _ config: JSONValue) {
    self.className = className.lowercased().replacing("_", with: "")
    self.config = config
    rest = Set((config.object ?? [:]).filter { $0.key != "seed" }.keys)
  }

  mutating func number(_ key: String, or value: Double) -> Double {
    rest.remove(key)
    return config[key]?.number ?? value
  }

  mutating func string(_ key: String, or value: String) -> String {
    rest.remove(key)
    return config[key]?.string ?? value
  }

  mutating func axes(or value: [Int]) -> [Int] {
    rest.remove("axis")
    return ReelNNTests.axes(config["axis"]) ?? value
  }

  /// The object, if all settings were asked for.
  func made<Object>(_ object: Object) throws -> Object {
    guard rest.isEmpty else { throw UnknownSetting("the setting \(rest.sorted()) of \(className)") }
    return object
  }
}

/// An initializer as a setting of Keras; nil if there is none.
func makeInitializer(_ json: JSONValue?) throws -> Initializer? {
  guard var object = KerasObject(json) else { return nil }
  let scaled: [String: Initializer] = [
    "zeros": .zeros, "ones": .ones, "glorotuniform": .glorotUniform, "glorotnormal": .glorotNormal,
    "heuniform": .heUniform, "henormal": .heNormal, "lecununiform": .lecunUniform, "lecunnormal": .lecunNormal,
  ]
  if let initializer = scaled[object.className] { return try object.made(initializer) }
  switch object.className {
  case "constant":
    let value = object.number("value", or: 0)
    return try object.made(.constant(value))
  case "randomuniform":
    let (lower, upper) = (object.number("minval", or: -0.05), object.number("maxval", or: 0.05))
    return try object.made(.randomUniform(from: lower, to: upper))
  case "randomnormal", "truncatednormal":
    let (mean, deviation) = (object.number("mean", or: 0), object.number("stddev", or: 0.05))
    return try object.made(
      object.className == "randomnormal"
        ? .randomNormal(mean: mean, standardDeviation: deviation)
        : .truncatedNormal(mean: mean, standardDeviation: deviation))
  case "variancescaling":
    let fans: [String: Initializer.Fan] = ["fan_in": .fanIn, "fan_out": .fanOut, "fan_avg": .average]
    let distributions: [String: Initializer.Distribution] = [
      "truncated_normal": .truncatedNormal, "untruncated_normal": .untruncatedNormal, "uniform": .uniform,
    ]
    let fan = try #require(fans[object.string("mode", or: "fan_in")])
    let distribution = try #require(distributions[object.string("distribution", or: "truncated_normal")])
    let scale = object.number("scale", or: 1)
    return try object.made(.varianceScaling(scale: scale, fan: fan, distribution: distribution))
  case "orthogonal":
    let gain = object.number("gain", or: 1)
    return try object.made(.orthogonal(gain: gain))
  case "identity":
    let gain = object.number("gain", or: 1)
    return try object.made(.identity(gain: gain))
  case let name: throw UnknownSetting("the initializer \(name)")
  }
}

/// A regularizer as a setting of Keras; nil if there is none.
func makeRegularizer(_ json: JSONValue?) throws -> Regularizer? { try KerasObject(json).map(makeRegularizer) }

private func makeRegularizer(_ object: KerasObject) throws -> Regularizer {
  var object = object
  switch object.className {
  case "l1":
    let factor = object.number("l1", or: 0.01)
    return try object.made(.l1(factor))
  case "l2":
    let factor = object.number("l2", or: 0.01)
    return try object.made(.l2(factor))
  case "l1l2":
    let (l1, l2) = (object.number("l1", or: 0), object.number("l2", or: 0))
    return try object.made(.l1l2(l1: l1, l2: l2))
  case "orthogonalregularizer":
    let (factor, mode) = (object.number("factor", or: 0.01), object.string("mode", or: "rows"))
    return try object.made(.orthogonal(factor, mode: mode == "rows" ? .rows : .columns))
  case let name: throw UnknownSetting("the regularizer \(name)")
  }
}

/// A constraint as a setting of Keras; nil if there is none.
func makeConstraint(_ json: JSONValue?) throws -> Constraint? { try KerasObject(json).map(makeConstraint) }

private func makeConstraint(_ object: KerasObject) throws -> Constraint {
  var object = object
  switch object.className {
  case "nonneg": return try object.made(.nonNegative)
  case "unitnorm":
    let axes = object.axes(or: [0])
    return try object.made(.unitNorm(along: axes))
  case "maxnorm":
    let (bound, axes) = (object.number("max_value", or: 2), object.axes(or: [0]))
    return try object.made(.maxNorm(bound, along: axes))
  case "minmaxnorm":
    let (min, max) = (object.number("min_value", or: 0), object.number("max_value", or: 1))
    let (rate, axes) = (object.number("rate", or: 1), object.axes(or: [0]))
    return try object.made(.minMaxNorm(min: min, max: max, rate: rate, along: axes))
  case let name: throw UnknownSetting("the constraint \(name)")
  }
}

/// Keras's `Dense`, with all that is said about its parameters.
func makeDense(_ config: JSONValue) throws -> Dense {
  let settings = try Settings(
    config,
    known: [
      "units", "activation", "use_bias", "kernel_regularizer", "bias_regularizer", "activity_regularizer",
      "kernel_constraint", "bias_constraint",
    ])
  return Dense(
    try settings.integer("units"), activation: try settings.activation("activation"),
    useBias: settings.truth("use_bias"),
    kernelInitializer: try settings.initializer("kernel_initializer") ?? .glorotUniform,
    biasInitializer: try settings.initializer("bias_initializer") ?? .zeros,
    kernelRegularizer: try settings.regularizer("kernel_regularizer"),
    biasRegularizer: try settings.regularizer("bias_regularizer"),
    activityRegularizer: try settings.regularizer("activity_regularizer"),
    kernelConstraint: try settings.constraint("kernel_constraint"),
    biasConstraint: try settings.constraint("bias_constraint"))
}

// MARK: - Cases

/// A case of one regularizer, or of a layer that has some.
struct RegularizerCase {
  let golden: GoldenCase
  private let regularizer: Regularizer?

  init(_ golden: GoldenCase) throws {
    self.golden = golden
    regularizer = golden.weights.isEmpty ? try makeRegularizer(KerasObject(golden.layer, golden.config)) : nil
    if regularizer == nil { _ = try makeLayer(golden.layer, golden.config, unroll: .never) }
  }

  func check() throws {
    let file = try Golden.tensors(of: golden)
    try ElementType.withDefault(golden.elementType) {
      let run = try regularizer.map(results) ?? layerResults(file)
      expectGolden(run(file["x"]!), file, of: golden, "eager")
      expectGolden(try compiled(run)(file["x"]!), file, of: golden, "compiled")
    }
  }

  private func results(_ regularizer: Regularizer) -> (Tensor) -> [String: Tensor] {
    { x in
      let (value, gradient) = valueWithGradient(at: x) { regularizer($0) }
      return ["value": value, "grad.x": gradient]
    }
  }

  /// The penalties alone: those that a gradient by the parameters adds to a loss of 0.
  private func layerResults(_ file: [String: Tensor]) throws -> (Tensor) -> [String: Tensor] {
    let layer = try makeLayer(golden.layer, golden.config, unroll: .never)
    try setParameters(of: layer, to: file.filter { golden.weights.keys.contains($0.key) })
    return { x in
      var results = ["output": layer(x)]
      func penalties(_ x: Tensor) -> (value: Tensor, gradients: Gradients) {
        valueWithGradient(of: layer) { (layer(x) * 0).sum() }
      }
      let (value, gradients) = penalties(x)
      results["value"] = value
      for (name, parameter) in gradients.parameters { results["grad.\(kerasName(name))"] = gradients[parameter] }
      results["grad.x"] = gradient(at: x) { penalties($0).value }
      return results
    }
  }
}

/// The constraint of a case.
func goldenConstraint(_ golden: GoldenCase) throws -> Constraint {
  try makeConstraint(KerasObject(golden.layer, golden.config))
}

func checkConstraint(_ golden: GoldenCase) throws {
  let file = try Golden.tensors(of: golden)
  let constraint = try goldenConstraint(golden)
  let run = { (w: Tensor) -> [String: Tensor] in ["output": constraint(w)] }
  try ElementType.withDefault(golden.elementType) {
    expectGolden(run(file["w"]!), file, of: golden, "eager")
    expectGolden(try compiled(run)(file["w"]!), file, of: golden, "compiled")
  }
}

/// The layer of a case about first values.
func initializedLSTM(_ golden: GoldenCase) throws -> LSTM {
  guard golden.layer == "LSTM" else { throw UnknownSetting("initializers of the layer \(golden.layer)") }
  let known: Set = ["units", "activation", "recurrent_activation", "use_bias"]
  let settings = try Settings(golden.config, known: known)
  return LSTM(
    try settings.integer("units"), activation: try settings.activation("activation"),
    recurrentActivation: try settings.activation("recurrent_activation"), useBias: settings.truth("use_bias"),
    kernelInitializer: try settings.initializer("kernel_initializer") ?? .glorotUniform,
    recurrentInitializer: try settings.initializer("recurrent_initializer") ?? .orthogonal,
    biasInitializer: try settings.initializer("bias_initializer") ?? .zeros,
    unitForgetBias: golden.config["unit_forget_bias"] == .truth(true))
}

func checkInitializer(_ golden: GoldenCase) throws {
  let layer = try initializedLSTM(golden)
  _ = layer(.zeros([1, 1, 1]))
  let found = Dictionary(uniqueKeysWithValues: layer.parameters.map { (kerasName($0.name), $0.parameter.value!) })
  expectGolden(found, try Golden.tensors(of: golden), of: golden, "at the first use")
}
