import Reel

/// Adam with steps in proportion to the norm of each weight, for large batches: You et al., "Large batch optimization for
/// deep learning: training BERT in 76 minutes" (2020), in Keras's form, at update t:
///
///     m ← m + (g - m)·(1 - β₁),   v ← v + (g² - v)·(1 - β₂)
///     Δ = m / (1 - β₁ᵗ) / (√(v / (1 - β₂ᵗ)) + ε)
///     w ← w - α·‖w‖/‖Δ‖·Δ
///
/// A ratio of which either norm is 0 is 1.
public struct Lamb: Optimizer {
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
    precondition((0..<1).contains(beta1) && (0..<1).contains(beta2), "Lamb: decays in 0..<1, not \(beta1) and \(beta2)")
    precondition(epsilon >= 0, "Lamb: epsilon ≥ 0, not \(epsilon)")
    state = OptimizerState(
      learningRate: learningRate, weightDecay: weightDecay, clipping: clipping, movingAverage: movingAverage,
      gradientAccumulationSteps: gradientAccumulationSteps)
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
  }

  /// m and v.
  public var slots: [OptimizerSlot] { ["momentum", "velocity"] }

  /// The formula.
  public func step(_ update: inout ParameterUpdate) {
    let (w, g, t) = (update.weight, update.gradient, update.count)
    let m = update["momentum"] + (g - update["momentum"]) * update.scalar(1 - beta1)
    let v = update["velocity"] + (g * g - update["velocity"]) * update.scalar(1 - beta2)
    update["momentum"] = m
    update["velocity"] = v
    let corrected = m / (1 - power(update.scalar(beta1), t))
    let Δ = corrected / (sqrt(v / (1 - power(update.scalar(beta2), t))) + update.scalar(epsilon))
    let (weightNorm, moveNorm) = (sqrt((w * w).sum()), sqrt((Δ * Δ).sum()))
    let ratio = select((weightNorm .> 0) .& (moveNorm .> 0), weightNorm / moveNorm, 1)
    update.weight = w - ratio * update.learningRate * Δ
  }
}
