import Reel

/// Steps divided by a running root mean square of the gradients: Hinton, "Neural networks for machine learning", lecture 6e
/// (2012), in Keras's form:
///
///     v ← ρ·v + (1 - ρ)·g²
///     centered:  a ← ρ·a + (1 - ρ)·g,   d = v - a² + ε;   else d = v + ε
///     momentum:  m ← μ·m + α·g / √d,    w ← w - m;        else w ← w - α·g / √d
///
/// Centered it is Graves, "Generating sequences with recurrent neural networks" (2013). ε is inside the root, unlike in
/// PyTorch.
public struct RMSprop: Optimizer {
  /// The learning rate, the options and the variables.
  public let state: OptimizerState
  private let rho, momentum, epsilon: Double
  private let centered: Bool

  /// - Parameters:
  ///   - learningRate: α: a number or a schedule; 0.001 by default.
  ///   - rho: ρ, the decay of the mean square; 0.9 by default.
  ///   - momentum: μ, in 0...1; 0 by default.
  ///   - epsilon: ε; 1e-7 by default.
  ///   - centered: Whether the square of the mean gradient is taken off, which leaves the variance; false by default.
  ///   - weightDecay: Decoupled decay of the weights; none by default.
  ///   - clipping: How gradients are clipped; not at all by default.
  ///   - movingAverage: A moving average of the weights; none by default.
  ///   - gradientAccumulationSteps: The number of steps that make one update; 1 by default.
  public init(
    learningRate: any LearningRate = 0.001, rho: Double = 0.9, momentum: Double = 0, epsilon: Double = 1e-7,
    centered: Bool = false, weightDecay: WeightDecay? = nil, clipping: GradientClipping? = nil,
    movingAverage: MovingAverage? = nil, gradientAccumulationSteps: Int = 1
  ) {
    precondition((0...1).contains(rho), "RMSprop: rho in 0...1, not \(rho)")
    precondition((0...1).contains(momentum), "RMSprop: momentum in 0...1, not \(momentum)")
    precondition(epsilon >= 0, "RMSprop: epsilon ≥ 0, not \(epsilon)")
    state = OptimizerState(
      learningRate: learningRate, weightDecay: weightDecay, clipping: clipping, movingAverage: movingAverage,
      gradientAccumulationSteps: gradientAccumulationSteps)
    self.rho = rho
    self.momentum = momentum
    self.epsilon = epsilon
    self.centered = centered
  }

  /// v; m where there is momentum; a where it is centered.
  public var slots: [OptimizerSlot] {
    ["velocity"] + (momentum > 0 ? ["momentum"] : []) + (centered ? ["averageGradient"] : [])
  }

  /// The formula.
  public func step(_ update: inout ParameterUpdate) {
    let (g, ρ, rest) = (update.gradient, update.scalar(rho), update.scalar(1 - rho))
    let v = ρ * update["velocity"] + rest * (g * g)
    update["velocity"] = v
    var d = v
    if centered {
      let a = ρ * update["averageGradient"] + rest * g
      update["averageGradient"] = a
      d = v - a * a
    }
    var move = update.learningRate * g / sqrt(d + update.scalar(epsilon))
    if momentum > 0 {
      move = update.scalar(momentum) * update["momentum"] + move
      update["momentum"] = move
    }
    update.weight -= move
  }
}
