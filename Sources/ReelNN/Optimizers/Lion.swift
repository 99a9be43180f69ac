import Reel

/// Steps of one size along the sign of a momentum: Chen et al., "Symbolic discovery of optimization algorithms" (2023):
///
///     w ← w - α·sign(β₁·m + (1 - β₁)·g)
///     m ← β₂·m + (1 - β₂)·g
///
/// It wants a learning rate 3 to 10 times smaller than Adam's, and a weight decay as many times larger.
public struct Lion: Optimizer {
  /// The learning rate, the options and the variables.
  public let state: OptimizerState
  private let beta1, beta2: Double

  /// - Parameters:
  ///   - learningRate: α: a number or a schedule; 0.001 by default.
  ///   - beta1: β₁, how much of the momentum is in a step; 0.9 by default.
  ///   - beta2: β₂, the decay of the momentum; 0.99 by default.
  ///   - weightDecay: Decoupled decay of the weights; none by default.
  ///   - clipping: How gradients are clipped; not at all by default.
  ///   - movingAverage: A moving average of the weights; none by default.
  ///   - gradientAccumulationSteps: The number of steps that make one update; 1 by default.
  public init(
    learningRate: any LearningRate = 0.001, beta1: Double = 0.9, beta2: Double = 0.99,
    weightDecay: WeightDecay? = nil, clipping: GradientClipping? = nil, movingAverage: MovingAverage? = nil,
    gradientAccumulationSteps: Int = 1
  ) {
    precondition(beta1 > 0 && beta1 <= 1, "Lion: beta1 above 0 and up to 1, not \(beta1)")
    precondition((0...1).contains(beta2), "Lion: beta2 in 0...1, not \(beta2)")
    state = OptimizerState(
      learningRate: learningRate, weightDecay: weightDecay, clipping: clipping, movingAverage: movingAverage,
      gradientAccumulationSteps: gradientAccumulationSteps)
    self.beta1 = beta1
    self.beta2 = beta2
  }

  /// m.
  public var slots: [OptimizerSlot] { ["momentum"] }

  /// The formula.
  public func step(_ update: inout ParameterUpdate) {
    let (g, m) = (update.gradient, update["momentum"])
    update.weight -= update.learningRate * sign(update.scalar(beta1) * m + update.scalar(1 - beta1) * g)
    update["momentum"] = update.scalar(beta2) * m + update.scalar(1 - beta2) * g
  }
}
