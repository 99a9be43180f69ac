import Reel
import ReelNN
import ReelTestSupport
import Testing

// Golden cases of optimizers and of schedules of the learning rate.

// MARK: - From settings

/// The settings that all optimizers have.
private struct CommonSettings {
  static let names: Set = [
    "learning_rate", "weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "ema_momentum",
    "ema_overwrite_frequency", "gradient_accumulation_steps",
  ]

  let config: JSONValue
  let rate: any LearningRate
  let decay: WeightDecay?
  let clipping: GradientClipping?
  let average: MovingAverage?
  let accumulation: Int

  init(_ config: JSONValue) throws {
    self.config = config
    rate = try makeLearningRate(config["learning_rate"] ?? .null)
    decay = config["weight_decay"]?.number.map { WeightDecay($0) }
    clipping = makeClipping(config)
    average = makeMovingAverage(config)
    accumulation = config["gradient_accumulation_steps"]?.integer ?? 1
  }

  /// The settings of one optimizer: its own are known beside the common ones.
  func with(_ own: Set<String>) throws -> Settings { try Settings(config, known: Self.names.union(own)) }
}

/// An optimizer by its Keras class and settings.
func makeOptimizer(_ className: String, _ config: JSONValue) throws -> any Optimizer {
  let all = try CommonSettings(config)
  switch className {
  case "SGD":
    let own = try all.with(["momentum", "nesterov"])
    return SGD(
      learningRate: all.rate, momentum: try own.number("momentum"), nesterov: own.truth("nesterov"),
      weightDecay: all.decay, clipping: all.clipping, movingAverage: all.average,
      gradientAccumulationSteps: all.accumulation)
  case "RMSprop":
    let own = try all.with(["rho", "momentum", "epsilon", "centered"])
    return RMSprop(
      learningRate: all.rate, rho: try own.number("rho"), momentum: try own.number("momentum"),
      epsilon: try own.number("epsilon"), centered: own.truth("centered"), weightDecay: all.decay,
      clipping: all.clipping, movingAverage: all.average, gradientAccumulationSteps: all.accumulation)
  case "Adagrad":
    let own = try all.with(["initial_accumulator_value", "epsilon"])
    return Adagrad(
      learningRate: all.rate, initialAccumulatorValue: try own.number("initial_accumulator_value"),
      epsilon: try own.number("epsilon"), weightDecay: all.decay, clipping: all.clipping, movingAverage: all.average,
      gradientAccumulationSteps: all.accumulation)
  case "Adadelta":
    let own = try all.with(["rho", "epsilon"])
    return Adadelta(
      learningRate: all.rate, rho: try own.number("rho"), epsilon: try own.number("epsilon"), weightDecay: all.decay,
      clipping: all.clipping, movingAverage: all.average, gradientAccumulationSteps: all.accumulation)
  case "Lion":
    let own = try all.with(["beta_1", "beta_2"])
    return Lion(
      learningRate: all.rate, beta1: try own.number("beta_1"), beta2: try own.number("beta_2"), weightDecay: all.decay,
      clipping: all.clipping, movingAverage: all.average, gradientAccumulationSteps: all.accumulation)
  case "Ftrl": return try makeFtrl(all)
  default: return try makeAdam(className, all)
  }
}

private func makeFtrl(_ all: CommonSettings) throws -> Ftrl {
  let own = try all.with([
    "learning_rate_power", "initial_accumulator_value", "l1_regularization_strength", "l2_regularization_strength",
    "l2_shrinkage_regularization_strength", "beta",
  ])
  return Ftrl(
    learningRate: all.rate, learningRatePower: try own.number("learning_rate_power"),
    initialAccumulatorValue: try own.number("initial_accumulator_value"),
    l1RegularizationStrength: try own.number("l1_regularization_strength"),
    l2RegularizationStrength: try own.number("l2_regularization_strength"),
    l2ShrinkageRegularizationStrength: try own.number("l2_shrinkage_regularization_strength"),
    beta: try own.number("beta"), weightDecay: all.decay, clipping: all.clipping, movingAverage: all.average,
    gradientAccumulationSteps: all.accumulation)
}

/// Adam and its relations.
private func makeAdam(_ className: String, _ all: CommonSettings) throws -> any Optimizer {
  guard ["Adam", "AdamW", "Nadam", "Adamax", "Lamb"].contains(className) else {
    throw UnknownSetting("the optimizer \(className)")
  }
  let own = try all.with(
    className.hasPrefix("Adam") ? ["beta_1", "beta_2", "epsilon", "amsgrad"] : ["beta_1", "beta_2", "epsilon"])
  let (beta1, beta2, epsilon) = (try own.number("beta_1"), try own.number("beta_2"), try own.number("epsilon"))
  switch className {
  case "Adam":
    return Adam(
      learningRate: all.rate, beta1: beta1, beta2: beta2, epsilon: epsilon, amsgrad: own.truth("amsgrad"),
      weightDecay: all.decay, clipping: all.clipping, movingAverage: all.average,
      gradientAccumulationSteps: all.accumulation)
  case "AdamW":
    return AdamW(
      learningRate: all.rate, weightDecay: all.decay ?? 0, beta1: beta1, beta2: beta2, epsilon: epsilon,
      amsgrad: own.truth("amsgrad"), clipping: all.clipping, movingAverage: all.average,
      gradientAccumulationSteps: all.accumulation)
  case "Nadam":
    return Nadam(
      learningRate: all.rate, beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: all.decay,
      clipping: all.clipping, movingAverage: all.average, gradientAccumulationSteps: all.accumulation)
  case "Adamax":
    return Adamax(
      learningRate: all.rate, beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: all.decay,
      clipping: all.clipping, movingAverage: all.average, gradientAccumulationSteps: all.accumulation)
  default:
    return Lamb(
      learningRate: all.rate, beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: all.decay,
      clipping: all.clipping, movingAverage: all.average, gradientAccumulationSteps: all.accumulation)
  }
}

private func makeClipping(_ config: JSONValue) -> GradientClipping? {
  if let limit = config["clipnorm"]?.number { return .norm(limit) }
  if let limit = config["global_clipnorm"]?.number { return .globalNorm(limit) }
  return config["clipvalue"]?.number.map { .value($0) }
}

private func makeMovingAverage(_ config: JSONValue) -> MovingAverage? {
  guard config["use_ema"]?.truth == true else { return nil }
  return MovingAverage(
    momentum: config["ema_momentum"]?.number ?? 0.99,
    overwriteFrequency: config["ema_overwrite_frequency"]?.integer)
}

/// A number, or a schedule with its Keras class and settings.
func makeLearningRate(_ json: JSONValue) throws -> any LearningRate {
  if let number = json.number { return number }
  guard let className = json["class_name"]?.string, let config = json["config"] else {
    throw UnknownSetting("learning_rate = \(json)")
  }
  return try makeSchedule(className, config)
}

/// A schedule by its Keras class and settings.
func makeSchedule(_ className: String, _ config: JSONValue) throws -> any LearningRate {
  func settings(_ own: Set<String>) throws -> Settings {
    try Settings(config, known: own.union(["initial_learning_rate", "decay_steps", "name"]))
  }
  switch className {
  case "ExponentialDecay":
    let own = try settings(["decay_rate", "staircase"])
    return ExponentialDecay(
      initialLearningRate: try own.number("initial_learning_rate"), decaySteps: try own.integer("decay_steps"),
      decayRate: try own.number("decay_rate"), staircase: own.truth("staircase"))
  case "InverseTimeDecay":
    let own = try settings(["decay_rate", "staircase"])
    return InverseTimeDecay(
      initialLearningRate: try own.number("initial_learning_rate"), decaySteps: try own.integer("decay_steps"),
      decayRate: try own.number("decay_rate"), staircase: own.truth("staircase"))
  case "PolynomialDecay":
    let own = try settings(["end_learning_rate", "power", "cycle"])
    return PolynomialDecay(
      initialLearningRate: try own.number("initial_learning_rate"), decaySteps: try own.integer("decay_steps"),
      endLearningRate: try own.number("end_learning_rate"), power: try own.number("power"), cycle: own.truth("cycle"))
  case "PiecewiseConstantDecay":
    _ = try settings(["boundaries", "values"])
    return PiecewiseConstantDecay(
      boundaries: try #require(config["boundaries"]?.array).map { try #require($0.integer) },
      values: try #require(config["values"]?.array).map { try #require($0.number) })
  case "CosineDecay":
    let own = try settings(["alpha", "warmup_target", "warmup_steps"])
    return CosineDecay(
      initialLearningRate: try own.number("initial_learning_rate"), decaySteps: try own.integer("decay_steps"),
      alpha: try own.number("alpha"), warmupTarget: config["warmup_target"]?.number,
      warmupSteps: config["warmup_target"]?.number == nil ? 0 : try own.integer("warmup_steps"))
  case "CosineDecayRestarts":
    let own = try settings(["first_decay_steps", "t_mul", "m_mul", "alpha"])
    return CosineDecayRestarts(
      initialLearningRate: try own.number("initial_learning_rate"),
      firstDecaySteps: try own.integer("first_decay_steps"), tMultiplier: try own.number("t_mul"),
      mMultiplier: try own.number("m_mul"), alpha: try own.number("alpha"))
  default: throw UnknownSetting("the schedule \(className)")
  }
}

// MARK: - Checks

/// A model that is nothing but parameters.
struct Weights: Module {
  let weights: [Parameter]

  init(_ values: [Tensor]) {
    weights = values.map { _ in Parameter(.zeros) }
    for (weight, value) in zip(weights, values) { weight.value = value }
  }

  /// A value with given gradients by the parameters: Σ weight · gradient.
  func value(withGradients gradients: [Tensor]) -> Tensor {
    let terms = zip(weights, gradients).map { ($0($1.shape) * $1).sum() }
    return terms.dropFirst().reduce(terms[0], +)
  }
}

/// Our names of slots that are not Keras's in another spelling.
private let slotNames = ["accumulated_gradient": "accumulated_grad", "accumulated_delta": "accumulated_delta_var"]

func checkOptimizer(_ golden: GoldenCase) throws {
  let tensors = try Golden.tensors(of: golden)
  try ElementType.withDefault(golden.elementType) {
    let eager = try optimizerResults(golden, tensors, isCompiled: false)
    let staged = try optimizerResults(golden, tensors, isCompiled: true)
    expectGolden(eager, tensors, of: golden, "eager")
    expectGolden(staged, tensors, of: golden, "compiled")
    #expect(eager.keys == staged.keys)
    for (name, value) in eager { expectSameBits(staged[name]!, value, "\(golden.name): \(name)") }
  }
}

private func optimizerResults(
  _ golden: GoldenCase, _ tensors: [String: Tensor], isCompiled: Bool
) throws -> [String: Tensor] {
  let count = golden.inputs.keys.count { $0.hasPrefix("parameter.") }
  let model = Weights((0..<count).map { tensors["parameter.\($0)"]! })
  let optimizer = try makeOptimizer(golden.layer, golden.config)
  let update = { (gradients: [Tensor]) -> Empty in
    let found = valueWithGradient(of: model) { model.value(withGradients: gradients) }
    optimizer.update(model, along: found.gradients)
    return Empty()
  }
  let staged = compiled(update)
  var results: [String: Tensor] = [:]
  for step in 0..<(try #require(golden.steps)) {
    let gradients = (0..<count).map { tensors["gradient.\(step).\($0)"]! }
    _ = isCompiled ? try staged(gradients) : update(gradients)
    for index in 0..<count { results["parameter.\(index).after.\(step + 1)"] = model.weights[index].value }
  }
  for (name, variable) in optimizer.variables(of: model) where name.hasPrefix("weights.") {
    let parts = name.split(separator: ".")
    let slot = kerasName(String(parts[2]))
    results["slot.\(slotNames[slot] ?? slot).\(parts[1])"] = variable.value
  }
  optimizer.finalizeParameters(of: model)
  for index in 0..<count { results["parameter.\(index).finalized"] = model.weights[index].value }
  return results
}

func checkSchedule(_ golden: GoldenCase) throws {
  let tensors = try Golden.tensors(of: golden)
  let schedule = try makeSchedule(golden.layer, golden.config)
  let staged = compiled { (step: Tensor) in schedule.rate(at: step) }
  let steps = try #require(tensors["step"]).numbers.map { Tensor($0) }
  let rates = steps.map { schedule.rate(at: $0) }
  for (step, rate) in zip(steps, rates) { expectSameBits(try staged(step), rate, "\(golden.name) at \(step)") }
  expectGolden(
    ["learning_rate": stacked(rates).converted(to: golden.elementType)], tensors, of: golden, "eager")
}
