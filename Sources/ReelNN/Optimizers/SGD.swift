import Reel

/// Gradient descent, with momentum (Polyak, 1964) if asked for:
///
///     without:   w ← w - α·g
///     with:      v ← μ·v - α·g,   w ← w + v
///     Nesterov:  v ← μ·v - α·g,   w ← w + μ·v - α·g
///
/// Keras's `SGD`.
public struct SGD: Optimizer {
  /// The learning rate, the options and the variables.
  public let state: OptimizerState
  private let momentum: Double
  private let nesterov: Bool

  /// - Parameters:
  ///   - learningRate: α: a number or a schedule; 0.01 by default.
  ///   - momentum: μ, in 0...1; 0 by default, which is plain descent.
  ///   - nesterov: Whether to look ahead along the momentum (Nesterov, 1983); false by default.
  ///   - weightDecay: Decoupled decay of the weights; none by default.
  ///   - clipping: How gradients are clipped; not at all by default.
  ///   - movingAverage: A moving average of the weights; none by default.
  ///   - gradientAccumulationSteps: The number of steps that make one update; 1 by default.
  public init(
    learningRate: any LearningRate = 0.01, momentum: Double = 0, nesterov: Bool = false,
    weightDecay: WeightDecay? = nil, clipping: GradientClipping? = nil, movingAverage: MovingAverage? = nil,
    gradientAccumulationSteps: Int = 1
  ) {
    precondition((0...1).contains(momentum), "SGD: momentum in 0...1, not \(momentum)")
    state = OptimizerState(
      learningRate: learningRate, weightDecay: weightDecay, clipping: clipping, movingAverage: movingAverage,
      gradientAccumulationSteps: gradientAccumulationSteps)
    self.momentum = momentum
    self.nesterov = nesterov
  }

  /// v, where there is momentum.
  public var slots: [OptimizerSlot] { momentum > 0 ? ["momentum"] : [] }

  /// The formula.
  public func step(_ update: inout ParameterUpdate) {
    let (w, move) = (update.weight, update.learningRate * update.gradient)
    guard momentum > 0 else {
      update.weight = w - move
      return
    }
    let μ = update.scalar(momentum)
    let v = μ * update["momentum"] - move
    update["momentum"] = v
    update.weight = nesterov ? w + μ * v - move : w + v
  }
}
