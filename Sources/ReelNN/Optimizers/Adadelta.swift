import Reel

/// Steps in the units of the weights: Zeiler, "ADADELTA: an adaptive learning rate method" (2012), in Keras's form:
///
///     s ← ρ·s + (1 - ρ)·g²
///     Δ = -√(r + ε)·g / √(s + ε)
///     r ← ρ·r + (1 - ρ)·Δ²
///     w ← w + α·Δ
///
/// The paper has no learning rate, which is α = 1; Keras's default is far smaller.
public struct Adadelta: Optimizer {
  /// The learning rate, the options and the variables.
  public let state: OptimizerState
  private let rho, epsilon: Double

  /// - Parameters:
  ///   - learningRate: α: a number or a schedule; 0.001 by default.
  ///   - rho: ρ, the decay of both mean squares; 0.95 by default.
  ///   - epsilon: ε; 1e-7 by default.
  ///   - weightDecay: Decoupled decay of the weights; none by default.
  ///   - clipping: How gradients are clipped; not at all by default.
  ///   - movingAverage: A moving average of the weights; none by default.
  ///   - gradientAccumulationSteps: The number of steps that make one update; 1 by default.
  public init(
    learningRate: any LearningRate = 0.001, rho: Double = 0.95, epsilon: Double = 1e-7,
    weightDecay: WeightDecay? = nil, clipping: GradientClipping? = nil, movingAverage: MovingAverage? = nil,
    gradientAccumulationSteps: Int = 1
  ) {
    precondition((0...1).contains(rho), "Adadelta: rho in 0...1, not \(rho)")
    precondition(epsilon >= 0, "Adadelta: epsilon ≥ 0, not \(epsilon)")
    state = OptimizerState(
      learningRate: learningRate, weightDecay: weightDecay, clipping: clipping, movingAverage: movingAverage,
      gradientAccumulationSteps: gradientAccumulationSteps)
    self.rho = rho
    self.epsilon = epsilon
  }

  /// s and r.
  public var slots: [OptimizerSlot] { ["accumulatedGradient", "accumulatedDelta"] }

  /// The formula.
  public func step(_ update: inout ParameterUpdate) {
    let (g, ρ, rest, ε) = (update.gradient, update.scalar(rho), update.scalar(1 - rho), update.scalar(epsilon))
    let (s, r) = (ρ * update["accumulatedGradient"] + rest * (g * g), update["accumulatedDelta"])
    let Δ = -(sqrt(r + ε) * g / sqrt(s + ε))
    update["accumulatedGradient"] = s
    update["accumulatedDelta"] = ρ * r + rest * (Δ * Δ)
    update.weight += update.learningRate * Δ
  }
}
