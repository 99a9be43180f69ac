import Reel

/// Follow the regularized leader: McMahan et al., "Ad click prediction: a view from the trenches" (2013), in Keras's form, with
/// p minus the power of the learning rate:
///
///     n' = n + g²
///     z ← z + g + 2·s·w - (n'ᵖ - nᵖ) / α·w,   n ← n'
///     w ← (clip(z, -λ₁, λ₁) - z) / (nᵖ / α + 2·(λ₂ + β / 2α))
///
/// A weight whose z stays within λ₁ is exactly 0. The weight is a function of the sums, so that its first value is soon
/// forgotten.
public struct Ftrl: Optimizer {
  /// The learning rate, the options and the variables.
  public let state: OptimizerState
  private let learningRatePower, initialAccumulatorValue, l1, l2, l2Shrinkage, beta: Double

  /// - Parameters:
  ///   - learningRate: α: a number or a schedule; 0.001 by default.
  ///   - learningRatePower: -p, which is not positive; -0.5 by default, 0 for a fixed learning rate.
  ///   - initialAccumulatorValue: n before the first update, which is not negative; 0.1 by default.
  ///   - l1RegularizationStrength: λ₁, which is not negative; 0 by default.
  ///   - l2RegularizationStrength: λ₂, which is not negative; 0 by default.
  ///   - l2ShrinkageRegularizationStrength: s, a penalty on the weight in the gradient, which is not negative; 0 by default.
  ///   - beta: β of the paper, which is not negative; 0 by default.
  ///   - weightDecay: Decoupled decay of the weights; none by default.
  ///   - clipping: How gradients are clipped; not at all by default.
  ///   - movingAverage: A moving average of the weights; none by default.
  ///   - gradientAccumulationSteps: The number of steps that make one update; 1 by default.
  public init(
    learningRate: any LearningRate = 0.001, learningRatePower: Double = -0.5, initialAccumulatorValue: Double = 0.1,
    l1RegularizationStrength: Double = 0, l2RegularizationStrength: Double = 0,
    l2ShrinkageRegularizationStrength: Double = 0, beta: Double = 0, weightDecay: WeightDecay? = nil,
    clipping: GradientClipping? = nil, movingAverage: MovingAverage? = nil, gradientAccumulationSteps: Int = 1
  ) {
    precondition(learningRatePower <= 0, "Ftrl: power of the learning rate ≤ 0, not \(learningRatePower)")
    precondition(initialAccumulatorValue >= 0, "Ftrl: first accumulator ≥ 0, not \(initialAccumulatorValue)")
    let strengths = [l1RegularizationStrength, l2RegularizationStrength, l2ShrinkageRegularizationStrength, beta]
    precondition(strengths.allSatisfy { $0 >= 0 }, "Ftrl: strengths and beta ≥ 0, not \(strengths)")
    state = OptimizerState(
      learningRate: learningRate, weightDecay: weightDecay, clipping: clipping, movingAverage: movingAverage,
      gradientAccumulationSteps: gradientAccumulationSteps)
    self.learningRatePower = learningRatePower
    self.initialAccumulatorValue = initialAccumulatorValue
    l1 = l1RegularizationStrength
    l2 = l2RegularizationStrength
    l2Shrinkage = l2ShrinkageRegularizationStrength
    self.beta = beta
  }

  /// n and z.
  public var slots: [OptimizerSlot] { [OptimizerSlot("accumulator", startingAt: initialAccumulatorValue), "linear"] }

  /// The formula.
  public func step(_ update: inout ParameterUpdate) {
    let (w, g, α, n) = (update.weight, update.gradient, update.learningRate, update["accumulator"])
    let p = update.scalar(-learningRatePower)
    let next = n + g * g
    let powered = power(next, p)
    let moved = (powered - power(n, p)) / α * w
    let z = update["linear"] + (g + update.scalar(2 * l2Shrinkage) * w - moved)
    update["accumulator"] = next
    update["linear"] = z
    let clipped = minimum(maximum(z, update.scalar(-l1)), update.scalar(l1))
    let strength = update.scalar(l2) + update.scalar(beta) / (2 * α)
    update.weight = (clipped - z) / (powered / α + 2 * strength)
  }
}
