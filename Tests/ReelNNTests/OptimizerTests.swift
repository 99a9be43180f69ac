import Reel
import ReelNN
import ReelTestSupport
import Testing

/// Optimizers on given gradients: what each option does, and that an update is the same however it runs.
@Suite struct OptimizerTests {
  typealias Row = (name: String, make: @Sendable (Options) -> any Optimizer)

  /// What is done around a formula.
  struct Options: Sendable {
    var rate: any LearningRate = 0.05
    var weightDecay: WeightDecay?
    var clipping: GradientClipping?
    var movingAverage: MovingAverage?
    var accumulation = 1
  }

  static let optimizers: [Row] = [
    (
      "SGD",
      { o in
        SGD(
          learningRate: o.rate, weightDecay: o.weightDecay, clipping: o.clipping, movingAverage: o.movingAverage,
          gradientAccumulationSteps: o.accumulation)
      }
    ),
    (
      "SGD with momentum",
      { o in
        SGD(
          learningRate: o.rate, momentum: 0.5, nesterov: true, weightDecay: o.weightDecay, clipping: o.clipping,
          movingAverage: o.movingAverage, gradientAccumulationSteps: o.accumulation)
      }
    ),
    (
      "RMSprop",
      { o in
        RMSprop(
          learningRate: o.rate, momentum: 0.3, centered: true, weightDecay: o.weightDecay, clipping: o.clipping,
          movingAverage: o.movingAverage, gradientAccumulationSteps: o.accumulation)
      }
    ),
    (
      "Adam",
      { o in
        Adam(
          learningRate: o.rate, weightDecay: o.weightDecay, clipping: o.clipping, movingAverage: o.movingAverage,
          gradientAccumulationSteps: o.accumulation)
      }
    ),
    (
      "AMSGrad",
      { o in
        Adam(
          learningRate: o.rate, beta2: 0.5, amsgrad: true, weightDecay: o.weightDecay, clipping: o.clipping,
          movingAverage: o.movingAverage, gradientAccumulationSteps: o.accumulation)
      }
    ),
    (
      "AdamW",
      { o in
        AdamW(
          learningRate: o.rate, weightDecay: o.weightDecay ?? 0.004, clipping: o.clipping,
          movingAverage: o.movingAverage, gradientAccumulationSteps: o.accumulation)
      }
    ),
    (
      "Nadam",
      { o in
        Nadam(
          learningRate: o.rate, weightDecay: o.weightDecay, clipping: o.clipping, movingAverage: o.movingAverage,
          gradientAccumulationSteps: o.accumulation)
      }
    ),
    (
      "Adamax",
      { o in
        Adamax(
          learningRate: o.rate, weightDecay: o.weightDecay, clipping: o.clipping, movingAverage: o.movingAverage,
          gradientAccumulationSteps: o.accumulation)
      }
    ),
    (
      "Adagrad",
      { o in
        Adagrad(
          learningRate: o.rate, weightDecay: o.weightDecay, clipping: o.clipping, movingAverage: o.movingAverage,
          gradientAccumulationSteps: o.accumulation)
      }
    ),
    (
      "Adadelta",
      { o in
        Adadelta(
          learningRate: o.rate, rho: 0.5, epsilon: 0.1, weightDecay: o.weightDecay, clipping: o.clipping,
          movingAverage: o.movingAverage, gradientAccumulationSteps: o.accumulation)
      }
    ),
    (
      "Lion",
      { o in
        Lion(
          learningRate: o.rate, weightDecay: o.weightDecay, clipping: o.clipping, movingAverage: o.movingAverage,
          gradientAccumulationSteps: o.accumulation)
      }
    ),
    (
      "Ftrl",
      { o in
        Ftrl(
          learningRate: o.rate, beta: 0.1, weightDecay: o.weightDecay, clipping: o.clipping,
          movingAverage: o.movingAverage, gradientAccumulationSteps: o.accumulation)
      }
    ),
    (
      "Lamb",
      { o in
        Lamb(
          learningRate: o.rate, weightDecay: o.weightDecay, clipping: o.clipping, movingAverage: o.movingAverage,
          gradientAccumulationSteps: o.accumulation)
      }
    ),
    (
      "one of one's own",
      { o in
        SignDescent(
          state: OptimizerState(
            learningRate: o.rate, weightDecay: o.weightDecay, clipping: o.clipping, movingAverage: o.movingAverage,
            gradientAccumulationSteps: o.accumulation))
      }
    ),
  ]

  /// An optimizer as a user writes it.
  struct SignDescent: Optimizer {
    let state: OptimizerState
    func step(_ update: inout ParameterUpdate) { update.weight -= update.learningRate * sign(update.gradient) }
  }

  static let options: [(name: String, options: Options)] = [
    ("plain", Options()),
    (
      "schedule",
      Options(rate: CosineDecay(initialLearningRate: 0.02, decaySteps: 3, warmupTarget: 0.05, warmupSteps: 2))
    ),
    ("decay and a common norm", Options(weightDecay: 0.1, clipping: .globalNorm(1))),
    ("values and an average", Options(clipping: .value(0.3), movingAverage: MovingAverage(momentum: 0.7))),
    (
      "all at once",
      Options(
        rate: ExponentialDecay(initialLearningRate: 0.05, decaySteps: 2, decayRate: 0.9),
        weightDecay: WeightDecay(0.2, excluding: ["1"]), clipping: .norm(0.8),
        movingAverage: MovingAverage(momentum: 0.6, overwriteFrequency: 2), accumulation: 2)
    ),
  ]

  static func tensors(_ seed: UInt64, _ elementType: ElementType) -> [Tensor] {
    [sample([5], seed: seed, elementType: elementType), sample([2, 3], seed: seed + 1, elementType: elementType)]
  }

  static func gradients(_ step: Int, _ elementType: ElementType = .float32) -> [Tensor] {
    tensors(UInt64(100 + 2 * step), elementType)
  }

  /// A function that updates a model along given gradients.
  static func update(_ model: Weights, _ optimizer: any Optimizer) -> ([Tensor]) -> Empty {
    { gradients in
      optimizer.update(model, along: valueWithGradient(of: model) { model.value(withGradients: gradients) }.gradients)
      return Empty()
    }
  }

  static func expectSameState(
    _ found: (model: Weights, optimizer: any Optimizer), _ expected: (model: Weights, optimizer: any Optimizer),
    _ what: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let (a, b) = (found.optimizer.variables(of: found.model), expected.optimizer.variables(of: expected.model))
    #expect(a.map { $0.name } == b.map { $0.name }, sourceLocation: sourceLocation)
    for (a, b) in zip(a, b) {
      expectSameBits(a.variable.value, b.variable.value, "\(what): \(a.name)", sourceLocation: sourceLocation)
    }
    for (a, b) in zip(found.model.weights, expected.model.weights) {
      expectSameBits(a.value!, b.value!, "\(what): weight", sourceLocation: sourceLocation)
    }
  }

  // MARK: - Every optimizer with every option

  @Test(arguments: optimizers.indices, [ElementType.float32, .float64])
  func compiledUpdatesAreEagerOnesBitForBit(index: Int, elementType: ElementType) throws {
    let (name, make) = Self.optimizers[index]
    for (options, values) in Self.options {
      let eager = (model: Weights(Self.tensors(1, elementType)), optimizer: make(values))
      let staged = (model: Weights(Self.tensors(1, elementType)), optimizer: make(values))
      let mixed = (model: Weights(Self.tensors(1, elementType)), optimizer: make(values))
      let (eagerUpdate, mixedUpdate) = (
        Self.update(eager.model, eager.optimizer), Self.update(mixed.model, mixed.optimizer)
      )
      let (stagedUpdate, stagedMixed) = (compiled(Self.update(staged.model, staged.optimizer)), compiled(mixedUpdate))
      for step in 0..<5 {
        let gradients = Self.gradients(step, elementType)
        _ = eagerUpdate(gradients)
        _ = try stagedUpdate(gradients)
        _ = try step % 2 == 0 ? mixedUpdate(gradients) : stagedMixed(gradients)
        Self.expectSameState(staged, eager, "\(name), \(options), compiled, step \(step)")
        Self.expectSameState(mixed, eager, "\(name), \(options), mixed, step \(step)")
      }
      for weight in eager.model.weights {
        #expect(weight.value!.elementType == elementType && weight.value!.numbers.allSatisfy(\.isFinite))
      }
    }
  }

  /// The mean of the gradients of some steps makes one update; between updates nothing moves.
  @Test(arguments: optimizers.indices, [false, true])
  func accumulatedGradientsMakeOneUpdateOfTheirMean(index: Int, isCompiled: Bool) throws {
    let (name, make) = Self.optimizers[index]
    let (found, expected) = (Weights(Self.tensors(1, .float32)), Weights(Self.tensors(1, .float32)))
    let (accumulating, plain) = (make(Options(clipping: .norm(1), accumulation: 3)), make(Options(clipping: .norm(1))))
    let (eager, expectedUpdate) = (Self.update(found, accumulating), Self.update(expected, plain))
    let staged = compiled(eager)
    for round in 0..<3 {
      let parts = (0..<3).map { Self.gradients(3 * round + $0) }
      for (step, gradients) in parts.enumerated() {
        let before = found.weights.map { $0.value! }
        _ = try isCompiled ? staged(gradients) : eager(gradients)
        guard step < 2 else { continue }
        for (weight, value) in zip(found.weights, before) { expectSameBits(weight.value!, value, "\(name), between") }
      }
      _ = expectedUpdate((0..<2).map { (parts[0][$0] + parts[1][$0] + parts[2][$0]) / 3 })
      let states = [accumulating.variables(of: found), plain.variables(of: expected)].map { list in
        Dictionary(uniqueKeysWithValues: list.map { ($0.name, $0.variable.value) })
      }
      for (key, value) in states[1] where key != "step" { expectSameBits(states[0][key]!, value, "\(name): \(key)") }
      for (a, b) in zip(found.weights, expected.weights) { expectSameBits(a.value!, b.value!, name) }
    }
  }

  /// State goes from one process to another by name, into an optimizer that has done nothing yet.
  @Test(arguments: optimizers.indices)
  func aRestoredOptimizerGoesOnWhereTheOtherStopped(index: Int) throws {
    let (name, make) = Self.optimizers[index]
    for (options, values) in Self.options {
      let first = (model: Weights(Self.tensors(1, .float32)), optimizer: make(values))
      for step in 0..<3 { _ = Self.update(first.model, first.optimizer)(Self.gradients(step)) }
      let saved = first.optimizer.variables(of: first.model).map { ($0.name, $0.variable.value) }
      let store = Dictionary(uniqueKeysWithValues: saved)

      let second = (model: Weights(first.model.weights.map { $0.value! }), optimizer: make(values))
      let variables = second.optimizer.variables(of: second.model)
      #expect(variables.map { $0.name } == saved.map { $0.0 })
      for (name, variable) in variables { variable.value = try #require(store[name]) }
      for step in 3..<6 {
        _ = Self.update(first.model, first.optimizer)(Self.gradients(step))
        _ = try compiled(Self.update(second.model, second.optimizer))(Self.gradients(step))
        Self.expectSameState(second, first, "\(name), \(options), step \(step)")
      }
    }
  }

  /// Clipping is what the formula sees as a gradient, and decay what it sees as a weight.
  @Test(arguments: optimizers.indices)
  func everyOptimizerTakesEveryOption(index: Int) {
    let (name, make) = Self.optimizers[index]
    let (weights, gradients) = (Self.tensors(1, .float32), Self.gradients(0))
    func updated(_ weights: [Tensor], _ options: Options, _ gradients: [Tensor]) -> [Tensor] {
      let model = Weights(weights)
      _ = Self.update(model, make(options))(gradients)
      return model.weights.map { $0.value! }
    }
    let clipped = updated(weights, Options(clipping: .value(0.3)), gradients)
    let expected = updated(weights, Options(), gradients.map { minimum(maximum($0, -0.3), 0.3) })
    for (a, b) in zip(clipped, expected) { expectSameBits(a, b, "\(name), clipping") }

    let decayed = updated(weights, Options(rate: 0.5, weightDecay: 0.25), gradients)
    let decayedFirst = weights.map { $0 - $0 * 0.25 * 0.5 }
    let expectedDecayed = updated(decayedFirst, Options(rate: 0.5, weightDecay: 0), gradients)
    for (a, b) in zip(decayed, expectedDecayed) { expectSameBits(a, b, "\(name), decay") }

    let names = make(Options(movingAverage: MovingAverage(), accumulation: 2)).variables(of: Weights(weights)).map {
      $0.name
    }
    for slot in ["average", "gradientAccumulator"] {
      #expect(names.count { $0.hasSuffix(".\(slot)") } == 2, "\(name), \(slot)")
    }
  }

  @Test(arguments: optimizers.indices)
  func everyOptimizerGoesDown(index: Int) throws {
    let (name, make) = Self.optimizers[index]
    let model = Weights([Tensor(repeating: 2, shape: [5], elementType: .float32), .ones([2, 3]) * -1.5])
    let targets = Self.tensors(7, .float32).map { tanh($0) }
    let optimizer = make(Options(rate: name == "Ftrl" || name == "Adagrad" ? 0.5 : 0.05))
    let step = compiled { () -> Tensor in
      let (loss, gradients) = valueWithGradient(of: model) {
        let distances = zip(model.weights, targets).map { $0($1.shape) - $1 }
        return (distances[0] * distances[0]).sum() + (distances[1] * distances[1]).sum()
      }
      optimizer.update(model, along: gradients)
      return loss
    }
    let losses = try (0..<150).map { _ in try step().item }
    #expect(losses.last! < 0.1 * losses[0], "\(name): from \(losses[0]) to \(losses.last!)")
  }

  // MARK: - The graph of an update

  /// What costs time: operations on whole parameters. Accumulating and applying are one program, without a branch.
  @Test func anUpdateIsAFewElementwisePrograms() throws {
    func operations(_ optimizer: any Optimizer) throws -> [Substring] {
      let model = Weights([.zeros([64, 8])])
      let graph = try compiled(Self.update(model, optimizer)).graph(for: [.ones([64, 8])])
      return "\(graph)".split(separator: "\n").filter { $0.contains("f32[64,8] =") }
    }
    for (_, make) in Self.optimizers {
      let found = try operations(
        make(Options(weightDecay: 0.1, movingAverage: MovingAverage(overwriteFrequency: 3), accumulation: 4)))
      #expect(found.count <= 4 && found.allSatisfy { $0.contains("= fused") || $0.contains("= select") }, "\(found)")
    }
    #expect(try operations(Adam()).count == 2)
  }
}
