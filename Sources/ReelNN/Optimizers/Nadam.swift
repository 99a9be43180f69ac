import Reel

/// Adam with Nesterov's momentum: Dozat, "Incorporating Nesterov momentum into Adam" (2016), in Keras's form, at update t:
///
///     uₜ = β₁·(1 - ½·0.96ᵗ),   P ← P·uₜ
///     m ← m + (g - m)·(1 - β₁),   v ← v + (g² - v)·(1 - β₂)
///     m̂ = uₜ₊₁·m / (1 - P·uₜ₊₁) + (1 - uₜ)·g / (1 - P),   v̂ = v / (1 - β₂ᵗ)
///     w ← w - α·m̂ / (√v̂ + ε)
public struct Nadam: Optimizer {
  /// The learning rate, the options and the variables.
  public let state: OptimizerState
  private let beta1, beta2, epsilon: Double

  /// - Parameters:
  ///   - learningRate: α: a number or a schedule; 0.001 by default.
  ///   - beta1: β₁, the decay of the first moment; 0.9 by default.
  ///   - beta2: β₂, the decay of the second moment; 0.999 by default.
  ///   - epsilon: ε; 1e-7 by default.
  ///   - weightDecay: Decoupled decay of the weights; none by default.
  ///   - clipping: How gradients are clipped; not at all by default.
  ///   - movingAverage: A moving average of the weights; none by default.
  ///   - gradientAccumulationSteps: The number of steps that make one update; 1 by default.
  public init(
    learningRate: any LearningRate = 0.001, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-7,
    weightDecay: WeightDecay? = nil, clipping: GradientClipping? = nil, movingAverage: MovingAverage? = nil,
    gradientAccumulationSteps: Int = 1
  ) {
    precondition(
      (0..<1).contains(beta1) && (0..<1).contains(beta2), "Nadam: decays in 0..<1, not \(beta1) and \(beta2)")
    precondition(epsilon >= 0, "Nadam: epsilon ≥ 0, not \(epsilon)")
    state = OptimizerState(
      learningRate: learningRate, weightDecay: weightDecay, clipping: clipping, movingAverage: movingAverage,
      gradientAccumulationSteps: gradientAccumulationSteps)
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
  }

  /// P, m and v.
  public var slots: [OptimizerSlot] {
    [OptimizerSlot("momentumProduct", startingAt: 1, isScalar: true), "momentum", "velocity"]
  }

  /// The formula.
  public func step(_ update: inout ParameterUpdate) {
    let (g, t) = (update.gradient, update.count)
    func u(_ t: Tensor) -> Tensor { update.scalar(beta1) * (1 - 0.5 * power(0.96, t)) }
    let (now, next) = (u(t), u(t + 1))
    let product = update["momentumProduct"] * now
    let m = update["momentum"] + (g - update["momentum"]) * update.scalar(1 - beta1)
    let v = update["velocity"] + (g * g - update["velocity"]) * update.scalar(1 - beta2)
    update["momentumProduct"] = product
    update["momentum"] = m
    update["velocity"] = v
    let ahead = next / (1 - product * next) * m + (1 - now) / (1 - product) * g
    let root = sqrt(v / (1 - power(update.scalar(beta2), t)))
    update.weight -= update.learningRate * ahead / (root + update.scalar(epsilon))
  }
}
