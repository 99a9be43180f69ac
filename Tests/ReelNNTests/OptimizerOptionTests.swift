import Reel
import ReelNN
import ReelTestSupport
import Testing

/// What is done around the formula of an optimizer, one option at a time, against plain numbers.
@Suite struct OptimizerOptionTests {
  /// The weights of a model after steps along gradients of one element each.
  private func path(_ optimizer: any Optimizer, from start: Double, along gradients: [Double]) -> [Double] {
    let model = Weights([Tensor([start])])
    return gradients.map { gradient in
      _ = OptimizerTests.update(model, optimizer)([Tensor([gradient])])
      return model.weights[0].value!.item
    }
  }

  // MARK: - Clipping

  /// The gradients that a plain step of size 1 goes along.
  private func clipped(_ clipping: GradientClipping, _ gradients: [[Double]]) -> [[Double]] {
    let model = Weights(gradients.map { .zeros([$0.count], elementType: .float64) })
    _ = OptimizerTests.update(model, SGD(learningRate: 1, clipping: clipping))(gradients.map { Tensor($0) })
    return model.weights.map { (-$0.value!).numbers }
  }

  typealias Clipped = (clipping: GradientClipping, gradients: [[Double]], expected: [[Double]])

  static let clippings: [Clipped] = [
    (.norm(2), [[3, 4], [1, 0]], [[1.2, 1.6], [1, 0]]),
    (.norm(2), [[0, 0], [0, -8]], [[0, 0], [0, -2]]),
    (.globalNorm(1), [[2, 0], [0, 1], [2]], [[2.0 / 3, 0], [0, 1.0 / 3], [2.0 / 3]]),
    (.globalNorm(10), [[3, 4], [1, 0]], [[3, 4], [1, 0]]),
    (.globalNorm(1), [[0, 0], [0]], [[0, 0], [0]]),
    (.globalNorm(1), [[.infinity, 1], [1]], [[.nan, .nan], [.nan]]),
    (.value(0.5), [[3, -0.25], [-4, 0]], [[0.5, -0.25], [-0.5, 0]]),
  ]

  @Test(arguments: clippings)
  func gradientsAreClipped(row: Clipped) {
    for (found, expected) in zip(clipped(row.clipping, row.gradients), row.expected) {
      expectClose(Tensor(found), Tensor(expected), relative: 1e-14, absolute: 0, "\(row.clipping)")
    }
  }

  // MARK: - Weight decay

  struct Named: Module {
    let kernel = Parameter(.ones)
    let recurrentBias = Parameter(.ones)
    let gamma = Parameter(.ones)
  }

  @Test func weightsDecayUnlessTheirNameIsExcluded() {
    let model = Named()
    let sgd = SGD(learningRate: 0.5, weightDecay: WeightDecay(0.1, excluding: ["bias", "gamma"]))
    let (_, gradients) = valueWithGradient(of: model) {
      ((model.kernel([2]) + model.recurrentBias([2]) + model.gamma([2])) * Tensor([0, 2] as [Float])).sum()
    }
    sgd.update(model, along: gradients)
    // Before the update, with the learning rate as a factor.
    expectClose(model.kernel.value!, [0.95, 0.95 - 1])
    expectSameBits(model.recurrentBias.value!, [1, 0])
    expectSameBits(model.gamma.value!, [1, 0])
  }

  @Test func decayFollowsTheScheduleOfTheRate() {
    let schedule = PiecewiseConstantDecay(boundaries: [0], values: [1, 0.5])
    let found = path(SGD(learningRate: schedule, weightDecay: 0.1), from: 2, along: [0, 0, 0])
    expectClose(Tensor(found), Tensor([1.8, 1.71, 1.6245]), relative: 1e-14)
  }

  // MARK: - Moving averages

  @Test(arguments: [nil, 1, 2, 3])
  func averagesFollowTheWeights(overwriteFrequency: Int?) {
    let model = Weights([Tensor([1.0])])
    let average = MovingAverage(momentum: 0.8, overwriteFrequency: overwriteFrequency)
    let sgd = SGD(learningRate: 1, movingAverage: average)
    var (w, a) = (1.0, 0.0)
    for (step, gradient) in [0.5, -0.25, 1, 0.125, -1].enumerated() {
      _ = OptimizerTests.update(model, sgd)([Tensor([gradient])])
      w -= gradient
      a = step == 0 ? w : 0.8 * a + 0.2 * w
      if let overwriteFrequency, (step + 1) % overwriteFrequency == 0 { w = a }
      expectClose(model.weights[0].value!, Tensor([w]), relative: 1e-14, "step \(step)")
    }
    sgd.finalizeParameters(of: model)
    expectClose(model.weights[0].value!, Tensor([a]), relative: 1e-14)
  }

  @Test func withoutAnAverageNothingIsFinalized() {
    let model = Weights([Tensor([1.0])])
    let adam = Adam()
    adam.finalizeParameters(of: model)
    _ = OptimizerTests.update(model, adam)([Tensor([1.0])])
    let before = model.weights[0].value!
    adam.finalizeParameters(of: model)
    expectSameBits(model.weights[0].value!, before)
  }

  /// An average exists before the first update, and of a parameter that gets no gradient, and is the weight then.
  @Test func anAverageStartsAtTheWeight() {
    let model = Weights([Tensor([1.0]), Tensor([5.0])])
    let sgd = SGD(learningRate: 1, movingAverage: MovingAverage(momentum: 0.5))
    #expect(sgd.variables(of: model).map { $0.variable.value.numbers.last! } == [1, 0, 1, 5])
    for _ in 0..<2 {
      let (_, gradients) = valueWithGradient(of: model) { model.weights[0]([1]).sum() }
      sgd.update(model, along: gradients)
    }
    #expect(sgd.variables(of: model).map { $0.variable.value.numbers.last! } == [1, 2, -0.5, 5])
    sgd.finalizeParameters(of: model)
    #expect(model.weights.map { $0.value!.item } == [-0.5, 5])
  }

  /// Keras counts updates, not steps, where gradients are accumulated, and an average moves in every step.
  @Test func averagesOfAccumulatedUpdates() {
    let average = MovingAverage(momentum: 0.5, overwriteFrequency: 2)
    let found = path(
      SGD(learningRate: 1, movingAverage: average, gradientAccumulationSteps: 2), from: 8, along: [2, 4, 1, 1, 0, 2])
    // Weights 8, 5; averages 8, 5; then 5, overwritten by 5; 4, by ½·5 + ½·4; 4.5; 3.5.
    expectClose(Tensor(found), Tensor([8, 5, 5, 4.5, 4.5, 3.5]), relative: 1e-14)
  }

  // MARK: - Constraints

  @Test(arguments: [false, true])
  func constraintsHoldAfterEachUpdate(isCompiled: Bool) throws {
    struct Bounded: Module {
      let weight = Parameter(.ones, constraint: Constraint("atLeastHalf") { maximum($0, 0.5) })
      let free = Parameter(.ones)
    }
    let model = Bounded()
    let sgd = SGD(learningRate: 1, movingAverage: MovingAverage(momentum: 0.5, overwriteFrequency: 1))
    let update = { (g: Tensor) -> Empty in
      let (_, gradients) = valueWithGradient(of: model) { ((model.weight([2]) + model.free([2])) * g).sum() }
      sgd.update(model, along: gradients)
      return Empty()
    }
    let staged = compiled(update)
    for gradient in [[0.25, 4.0], [0, -1.5]] as [[Float]] {
      _ = try isCompiled ? staged(Tensor(gradient)) : update(Tensor(gradient))
    }
    // The second element: 1 - 4 is raised to 0.5, and its average, -3, is not; then 0.5 + 1.5 = 2 and ½·(-3) + ½·2.
    expectSameBits(model.weight.value!, [0.75, 0.5])
    expectSameBits(model.free.value!, [0.75, -2.25])
  }

  // MARK: - Learning rates

  @Test func aScheduleCountsAllStepsAndAFormulaUpdates() {
    struct Rising: LearningRate {
      func rate(at step: Tensor) -> Tensor { step + 1 }
    }
    expectSameBits(Tensor(path(SGD(learningRate: Rising()), from: 0, along: [1, 1, 1])), Tensor([-1.0, -3, -6]))
    let accumulating = SGD(learningRate: Rising(), gradientAccumulationSteps: 2)
    expectSameBits(Tensor(path(accumulating, from: 0, along: [1, 1, 1, 1])), Tensor([0.0, -2, -2, -6]))
    #expect(accumulating.learningRate == 5)
    // Adam's correction of the first update makes it one of the size of the rate, whichever step it is.
    let adam = Adam(learningRate: 0.5, epsilon: 0, gradientAccumulationSteps: 3)
    expectClose(Tensor(path(adam, from: 0, along: [1, 2, 3])), Tensor([0, 0, -0.5]), relative: 1e-12)
  }

  @Test func theRateOfAScheduleIsThatOfTheNextStep() {
    let sgd = SGD(learningRate: InverseTimeDecay(initialLearningRate: 1, decaySteps: 1, decayRate: 1))
    #expect(sgd.learningRate == 1)
    _ = path(sgd, from: 0, along: [1, 1, 1])
    #expect(sgd.learningRate == 0.25)
  }

  @Test func cosinesRestartOnTime() {
    let restarts = CosineDecayRestarts(
      initialLearningRate: 1, firstDecaySteps: 10, tMultiplier: 3, mMultiplier: 0.5, alpha: 0)
    // 10·(3ⁱ - 1)/2: the first step of a cosine has its height, and the one before is near the end of the other.
    var height = 1.0
    for start in [0, 10, 40, 130, 400, 1210, 3640, 10930, 32800, 98410] {
      #expect(restarts.rate(at: Tensor(Double(start))).item == height, "\(start)")
      if start > 0 { #expect(restarts.rate(at: Tensor(Double(start - 1))).item < 0.2 * height, "\(start)") }
      height /= 2
    }
    let even = CosineDecayRestarts(initialLearningRate: 2, firstDecaySteps: 4, tMultiplier: 1, alpha: 0.5)
    let found = (0..<9).map { even.rate(at: Tensor(Double($0))).item }
    expectClose(Tensor(found[0..<4] + found[4..<8] + [found[8]]), Tensor(found[4..<8] + found[0..<4] + [2]))
    expectClose(Tensor(found[2]), Tensor(1.5))
  }

  // MARK: - Names, models and their parts

  @Test func variablesAreNamedByTheirParameters() {
    let model = Sequential {
      LSTM(3)
      Dense(2)
    }
    let adam = Adam(movingAverage: MovingAverage(), gradientAccumulationSteps: 2)
    #expect(adam.variables(of: model).map { $0.name } == ["learningRate", "step"])
    _ = model(.ones([1, 4, 5]))
    let slots = ["gradientAccumulator", "momentum", "velocity", "average"]
    let paths = ["lstm.kernel", "lstm.recurrentKernel", "lstm.bias", "dense.kernel", "dense.bias"]
    let expected = ["learningRate", "step"] + paths.flatMap { path in slots.map { "\(path).\($0)" } }
    let found = adam.variables(of: model)
    #expect(found.map { $0.name } == expected)
    for (name, variable) in found.dropFirst(2) { #expect(variable.name == name) }
    // The same ones each time.
    for (a, b) in zip(adam.variables(of: model), found) { #expect(a.variable === b.variable) }
    let scheduled = Nadam(learningRate: ExponentialDecay(initialLearningRate: 1, decaySteps: 1, decayRate: 1))
    #expect(
      scheduled.variables(of: Dense(1)).map { $0.name } == ["step"], "a schedule has no variable, an unbuilt layer none"
    )
  }

  @Test func aSavedLearningRateIsRestored() {
    let (first, second) = (Adam(learningRate: 0.1), Adam(learningRate: 0.3))
    first.learningRate = 0.025
    let model = Weights([])
    second.variables(of: model)[0].variable.value = first.variables(of: model)[0].variable.value
    #expect(second.learningRate == 0.025)
  }

  @Test func aPartOfTheModelIsUpdatedAloneAndCountsItsOwnSteps() {
    let model = Sequential {
      Dense(3, activation: .tanh)
      Dense(2)
    }
    let (first, last) = (model.layers[0] as! Dense, model.layers[1] as! Dense)
    let adam = Adam()
    func gradients() -> Gradients { valueWithGradient(of: model) { model(.ones([1, 4])).sum() }.gradients }
    let found = gradients()
    let before = (first.kernel.value!, last.kernel.value!)
    adam.update(last, along: found)
    expectSameBits(first.kernel.value!, before.0)
    #expect(last.kernel.value!.numbers != before.1.numbers)
    adam.update(model, along: gradients())
    let counts = adam.variables(of: model).filter { $0.name.hasSuffix("step") }
    #expect(counts.map { $0.name } == ["step", "dense_1.kernel.step"])
    #expect(counts.map { $0.variable.value.item } == [1, 2])
  }

  @Test func copiesShareTheirState() {
    let (optimizer, model) = (SGD(learningRate: 1, momentum: 0.5), Weights([Tensor([0.0])]))
    let copy = optimizer
    _ = OptimizerTests.update(model, optimizer)([Tensor([1.0])])
    _ = OptimizerTests.update(model, copy)([Tensor([0.0])])
    #expect(model.weights[0].value!.item == -1.5)
    copy.learningRate = 0.25
    #expect(optimizer.learningRate == 0.25)
  }
}
