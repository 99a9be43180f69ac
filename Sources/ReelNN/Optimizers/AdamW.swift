import Reel

/// ``Adam`` with weights that decay apart from the gradient: Loshchilov and Hutter, "Decoupled weight decay regularization"
/// (2019). Before each update,
///
///     w ← w - w·λ·α
public struct AdamW: Optimizer {
  private let adam: Adam

  /// - Parameters:
  ///   - learningRate: α: a number or a schedule; 0.001 by default.
  ///   - weightDecay: λ, and which parameters do not decay; 0.004 for all by default.
  ///   - beta1: β₁, the decay of the first moment; 0.9 by default.
  ///   - beta2: β₂, the decay of the second moment; 0.999 by default.
  ///   - epsilon: ε; 1e-7 by default.
  ///   - amsgrad: Whether steps are divided by the largest second moment so far; false by default.
  ///   - clipping: How gradients are clipped; not at all by default.
  ///   - movingAverage: A moving average of the weights; none by default.
  ///   - gradientAccumulationSteps: The number of steps that make one update; 1 by default.
  public init(
    learningRate: any LearningRate = 0.001, weightDecay: WeightDecay = 0.004, beta1: Double = 0.9,
    beta2: Double = 0.999,
    epsilon: Double = 1e-7, amsgrad: Bool = false, clipping: GradientClipping? = nil,
    movingAverage: MovingAverage? = nil, gradientAccumulationSteps: Int = 1
  ) {
    adam = Adam(
      learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon, amsgrad: amsgrad,
      weightDecay: weightDecay, clipping: clipping, movingAverage: movingAverage,
      gradientAccumulationSteps: gradientAccumulationSteps)
  }

  /// The learning rate, the options and the variables.
  public var state: OptimizerState { adam.state }

  /// Those of ``Adam``.
  public var slots: [OptimizerSlot] { adam.slots }

  /// The formula of ``Adam``.
  public func step(_ update: inout ParameterUpdate) { adam.step(&update) }
}
