import Reel

/// Adaptive moments: Kingma and Ba, "Adam: a method for stochastic optimization" (2015), in Keras's form, at update t:
///
///     α' = α·√(1 - β₂ᵗ) / (1 - β₁ᵗ)
///     m ← m + (g - m)·(1 - β₁),   v ← v + (g² - v)·(1 - β₂)
///     AMSGrad:  v̂ ← max(v̂, v);    else v̂ = v
///     w ← w - α'·m / (√v̂ + ε)
///
/// ε is added to the uncorrected root, the paper's ε̂; PyTorch adds it to the corrected one. AMSGrad is Reddi, Kale and
/// Kumar, "On the convergence of Adam and beyond" (2018).
public struct Adam: Optimizer {
  /// The learning rate, the options and the variables.
  public let state: OptimizerState
  private let beta1, beta2, epsilon: Double
  private let amsgrad: Bool

  /// - Parameters:
  ///   - learningRate: α: a number or a schedule; 0.001 by default.
  ///   - beta1: β₁, the decay of the first moment; 0.9 by default.
  ///   - beta2: β₂, the decay of the second moment; 0.999 by default.
  ///   - epsilon: ε; 1e-7 by default.
  ///   - amsgrad: Whether steps are divided by the largest second moment so far; false by default.
  ///   - weightDecay: Decoupled decay of the weights; none by default.
  ///   - clipping: How gradients are clipped; not at all by default.
  ///   - movingAverage: A moving average of the weights; none by default.
  ///   - gradientAccumulationSteps: The number of steps that make one update; 1 by default.
  public init(
    learningRate: any LearningRate = 0.001, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-7,
    amsgrad: Bool = false, weightDecay: WeightDecay? = nil, clipping: GradientClipping? = nil,
    movingAverage: MovingAverage? = nil, gradientAccumulationSteps: Int = 1
  ) {
    precondition(
      (0..<1).contains(beta1) && (0..<1).contains(beta2), "Adam: decays in 0..<1, not \(beta1) and \(beta2)")
    precondition(epsilon >= 0, "Adam: epsilon ≥ 0, not \(epsilon)")
    state = OptimizerState(
      learningRate: learningRate, weightDecay: weightDecay, clipping: clipping, movingAverage: movingAverage,
      gradientAccumulationSteps: gradientAccumulationSteps)
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.amsgrad = amsgrad
  }

  /// m and v; v̂ with AMSGrad.
  public var slots: [OptimizerSlot] { ["momentum", "velocity"] + (amsgrad ? ["velocityHat"] : []) }

  /// The formula.
  public func step(_ update: inout ParameterUpdate) {
    let (g, t, β1, β2) = (update.gradient, update.count, update.scalar(beta1), update.scalar(beta2))
    let α = update.learningRate * sqrt(1 - power(β2, t)) / (1 - power(β1, t))
    let m = update["momentum"] + (g - update["momentum"]) * update.scalar(1 - beta1)
    var v = update["velocity"] + (g * g - update["velocity"]) * update.scalar(1 - beta2)
    update["momentum"] = m
    update["velocity"] = v
    if amsgrad {
      v = maximum(update["velocityHat"], v)
      update["velocityHat"] = v
    }
    update.weight -= α * m / (sqrt(v) + update.scalar(epsilon))
  }
}
