import Reel

/// Steps divided by the root of the sum of all squared gradients: Duchi, Hazan and Singer, "Adaptive subgradient methods for
/// online learning and stochastic optimization" (2011), in Keras's form:
///
///     s ← s + g²
///     w ← w - α·g / √(s + ε)
public struct Adagrad: Optimizer {
  /// The learning rate, the options and the variables.
  public let state: OptimizerState
  private let initialAccumulatorValue, epsilon: Double

  /// - Parameters:
  ///   - learningRate: α: a number or a schedule; 0.001 by default.
  ///   - initialAccumulatorValue: s before the first update, which is not negative; 0.1 by default.
  ///   - epsilon: ε; 1e-7 by default.
  ///   - weightDecay: Decoupled decay of the weights; none by default.
  ///   - clipping: How gradients are clipped; not at all by default.
  ///   - movingAverage: A moving average of the weights; none by default.
  ///   - gradientAccumulationSteps: The number of steps that make one update; 1 by default.
  public init(
    learningRate: any LearningRate = 0.001, initialAccumulatorValue: Double = 0.1, epsilon: Double = 1e-7,
    weightDecay: WeightDecay? = nil, clipping: GradientClipping? = nil, movingAverage: MovingAverage? = nil,
    gradientAccumulationSteps: Int = 1
  ) {
    precondition(initialAccumulatorValue >= 0, "Adagrad: first accumulator ≥ 0, not \(initialAccumulatorValue)")
    precondition(epsilon >= 0, "Adagrad: epsilon ≥ 0, not \(epsilon)")
    state = OptimizerState(
      learningRate: learningRate, weightDecay: weightDecay, clipping: clipping, movingAverage: movingAverage,
      gradientAccumulationSteps: gradientAccumulationSteps)
    self.initialAccumulatorValue = initialAccumulatorValue
    self.epsilon = epsilon
  }

  /// s.
  public var slots: [OptimizerSlot] { [OptimizerSlot("accumulator", startingAt: initialAccumulatorValue)] }

  /// The formula.
  public func step(_ update: inout ParameterUpdate) {
    let g = update.gradient
    let s = update["accumulator"] + g * g
    update["accumulator"] = s
    update.weight -= update.learningRate * g / sqrt(s + update.scalar(epsilon))
  }
}
