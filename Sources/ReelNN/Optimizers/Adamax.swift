import Reel

/// Adam with the largest gradient in the place of the root mean square: Kingma and Ba (2015), section 7.1, in Keras's form,
/// at update t:
///
///     m ← m + (g - m)·(1 - β₁),   u ← max(β₂·u, |g|)
///     w ← w - α·m / ((1 - β₁ᵗ)·(u + ε))
public struct Adamax: Optimizer {
  /// The learning rate, the options and the variables.
  public let state: OptimizerState
  private let beta1, beta2, epsilon: Double

  /// - Parameters:
  ///   - learningRate: α: a number or a schedule; 0.001 by default.
  ///   - beta1: β₁, the decay of the first moment; 0.9 by default.
  ///   - beta2: β₂, the decay of the largest gradient; 0.999 by default.
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
      (0..<1).contains(beta1) && (0..<1).contains(beta2), "Adamax: decays in 0..<1, not \(beta1) and \(beta2)")
    precondition(epsilon >= 0, "Adamax: epsilon ≥ 0, not \(epsilon)")
    state = OptimizerState(
      learningRate: learningRate, weightDecay: weightDecay, clipping: clipping, movingAverage: movingAverage,
      gradientAccumulationSteps: gradientAccumulationSteps)
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
  }

  /// m and u.
  public var slots: [OptimizerSlot] { ["momentum", "norm"] }

  /// The formula.
  public func step(_ update: inout ParameterUpdate) {
    let g = update.gradient
    let α = update.learningRate / (1 - power(update.scalar(beta1), update.count))
    let m = update["momentum"] + (g - update["momentum"]) * update.scalar(1 - beta1)
    let u = maximum(update.scalar(beta2) * update["norm"], abs(g))
    update["momentum"] = m
    update["norm"] = u
    update.weight -= α * m / (u + update.scalar(epsilon))
  }
}
