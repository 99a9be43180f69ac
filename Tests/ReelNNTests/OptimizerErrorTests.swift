import Reel
import ReelNN
import ReelTestSupport
import Testing

/// What optimizers and schedules refuse, and in which words.
@Suite struct OptimizerErrorTests {
  static let settings: [(what: String, words: String, make: @Sendable () -> Void)] = [
    (
      "`Adam(learningRate: -1)`", "learning rate ≥ 0, not -1.0",
      { _ = Adam(learningRate: -1) }
    ),
    (
      "`SGD().learningRate = .nan`", "learning rate ≥ 0, not nan",
      { SGD().learningRate = .nan }
    ),
    (
      "`SGD(learningRate: CosineDecay(initialLearningRate: 1, decaySteps: 2)).learningRate = 1`",
      "the learning rate follows a schedule and cannot be assigned",
      { SGD(learningRate: CosineDecay(initialLearningRate: 1, decaySteps: 2)).learningRate = 1 }
    ),
    (
      "`SGD(momentum: 1.5)`", "SGD: momentum in 0...1, not 1.5",
      { _ = SGD(momentum: 1.5) }
    ),
    (
      "`RMSprop(rho: -0.1)`", "RMSprop: rho in 0...1, not -0.1",
      { _ = RMSprop(rho: -0.1) }
    ),
    (
      "`Adam(beta1: 1)`", "Adam: decays in 0..<1, not 1.0 and 0.999",
      { _ = Adam(beta1: 1) }
    ),
    (
      "`Nadam(beta2: 2)`", "Nadam: decays in 0..<1, not 0.9 and 2.0",
      { _ = Nadam(beta2: 2) }
    ),
    (
      "`Adamax(epsilon: -1e-7)`", "Adamax: epsilon ≥ 0, not -1e-07",
      { _ = Adamax(epsilon: -1e-7) }
    ),
    (
      "`Adagrad(initialAccumulatorValue: -0.1)`", "Adagrad: first accumulator ≥ 0, not -0.1",
      { _ = Adagrad(initialAccumulatorValue: -0.1) }
    ),
    (
      "`Adadelta(rho: 1.1)`", "Adadelta: rho in 0...1, not 1.1",
      { _ = Adadelta(rho: 1.1) }
    ),
    (
      "`Lion(beta1: 0)`", "Lion: beta1 above 0 and up to 1, not 0.0",
      { _ = Lion(beta1: 0) }
    ),
    (
      "`Lamb(beta1: -1)`", "Lamb: decays in 0..<1, not -1.0 and 0.999",
      { _ = Lamb(beta1: -1) }
    ),
    (
      "`Ftrl(learningRatePower: 0.5)`", "Ftrl: power of the learning rate ≤ 0, not 0.5",
      { _ = Ftrl(learningRatePower: 0.5) }
    ),
    (
      "`Ftrl(l2RegularizationStrength: -1)`", "Ftrl: strengths and beta ≥ 0, not [0.0, -1.0, 0.0, 0.0]",
      { _ = Ftrl(l2RegularizationStrength: -1) }
    ),
    (
      "`AdamW(clipping: .globalNorm(0))`", "gradients are clipped to something > 0, not 0.0",
      { _ = AdamW(clipping: .globalNorm(0)) }
    ),
    (
      "`AdamW(weightDecay: -0.5)`", "weight decay ≥ 0, not -0.5",
      { _ = AdamW(weightDecay: -0.5) }
    ),
    (
      "`MovingAverage(momentum: 2)`", "momentum of a moving average in 0...1, not 2.0",
      { _ = MovingAverage(momentum: 2) }
    ),
    (
      "`MovingAverage(overwriteFrequency: 0)`", "overwrite frequency ≥ 1, not 0",
      { _ = MovingAverage(overwriteFrequency: 0) }
    ),
    (
      "`SGD(gradientAccumulationSteps: 0)`", "gradient accumulation steps ≥ 1, not 0",
      { _ = SGD(gradientAccumulationSteps: 0) }
    ),
    (
      "`ExponentialDecay(initialLearningRate: 1, decaySteps: 0, decayRate: 1)`",
      "ExponentialDecay: decay steps > 0, not 0",
      { _ = ExponentialDecay(initialLearningRate: 1, decaySteps: 0, decayRate: 1) }
    ),
    (
      "`PiecewiseConstantDecay(boundaries: [1, 2], values: [1, 2])`",
      "PiecewiseConstantDecay: one rate more than boundaries, not 2 for 2",
      { _ = PiecewiseConstantDecay(boundaries: [1, 2], values: [1, 2]) }
    ),
    (
      "`PiecewiseConstantDecay(boundaries: [2, 2], values: [1, 2, 3])`",
      "PiecewiseConstantDecay: boundaries rise, not [2, 2]",
      { _ = PiecewiseConstantDecay(boundaries: [2, 2], values: [1, 2, 3]) }
    ),
    (
      "`CosineDecay(initialLearningRate: 1, decaySteps: 1, warmupSteps: 3)`",
      "CosineDecay: a warm-up of 3 steps needs a target",
      { _ = CosineDecay(initialLearningRate: 1, decaySteps: 1, warmupSteps: 3) }
    ),
    (
      "`CosineDecayRestarts(initialLearningRate: 1, firstDecaySteps: 1, tMultiplier: 0.5)`",
      "CosineDecayRestarts: tMultiplier ≥ 1, not 0.5",
      { _ = CosineDecayRestarts(initialLearningRate: 1, firstDecaySteps: 1, tMultiplier: 0.5) }
    ),
    (
      "`update[\"velocity\"]` in an optimizer without such a slot",
      "a formula uses the slot 'velocity'; its optimizer has [\"momentum\"]",
      { misspelled(["momentum"]) }
    ),
    (
      "`slots` with one name twice", "two slots of an optimizer have one name",
      { misspelled(["velocity", "velocity"]) }
    ),
  ]

  private static func misspelled(_ slots: [OptimizerSlot]) {
    struct Misspelled: Optimizer {
      let state = OptimizerState(learningRate: 1)
      let slots: [OptimizerSlot]
      func step(_ update: inout ParameterUpdate) { update.weight -= update["velocity"] }
    }
    _ = OptimizerTests.update(Weights([[1, 2]]), Misspelled(slots: slots))([[1, 2]])
  }

  @Test(arguments: settings.indices)
  func settingsThatMakeNoSenseTrap(index: Int) async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      [index = index as Int] in
      Self.settings[index].make()
    }
    // Preconditions keep their words in debug builds only.
    var isDebug = false
    assert(
      {
        isDebug = true
        return true
      }())
    let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    if isDebug { #expect(message.contains(Self.settings[index].words), "\(message)") }
  }

  @Test func aModelWithoutGradientsIsAnError() throws {
    let (used, other) = (Weights([[1, 2]]), Weights([[1], [2]]))
    let adam = Adam()
    let step = compiled { (g: Tensor) -> Empty in
      let (_, gradients) = valueWithGradient(of: used) { used.value(withGradients: [g]) }
      adam.update(other, along: gradients)
      return Empty()
    }
    expectError(
      """
      update: none of the 2 trainable parameters of the model has a gradient; expected the gradients of a value that \
      depends on the model
      """
    ) { _ = try step([1, 1]) }
  }

  /// A model without parameters has nothing to update, which is no mistake.
  @Test func aModelWithoutParametersIsLeftAlone() {
    let model = Weights([])
    let (_, gradients) = valueWithGradient(of: model) { Tensor(Float(1)) * 2 }
    Adam().update(model, along: gradients)
  }

  @Test func aScheduleGivesAScalar() {
    struct Rates: LearningRate {
      func rate(at step: Tensor) -> Tensor { step * Tensor([1.0, 2]) }
    }
    let model = Weights([[1, 2]])
    let step = compiled(OptimizerTests.update(model, SGD(learningRate: Rates())))
    expectError("update: a learning rate of shape [2]; expected a schedule that gives a scalar") {
      _ = try step([[1, 1]])
    }
    expectSameBits(model.weights[0].value!, [1, 2], "nothing was assigned")
  }
}
