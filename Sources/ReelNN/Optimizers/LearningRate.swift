import Reel

/// The step size of an optimizer at each step: a number, or a schedule.
///
///     Adam(learningRate: 0.002)
///     Adam(learningRate: CosineDecay(initialLearningRate: 0.002, decaySteps: 10_000))
///
/// A schedule of one's own is a formula of the step, in tensor operations, so that it becomes part of a compiled step:
///
///     struct InverseRoot: LearningRate {
///       func rate(at step: Tensor) -> Tensor { 0.1 / sqrt(step + 1) }
///     }
public protocol LearningRate: Sendable {
  /// The rate at a step.
  ///
  /// - Parameter step: How many steps there were before, steps that only accumulate gradients included: a scalar of element
  ///   type `float64`.
  /// - Returns: A scalar.
  func rate(at step: Tensor) -> Tensor
}

/// A rate that stays as it is until it is assigned.
extension Double: LearningRate {
  /// The number itself.
  public func rate(at step: Tensor) -> Tensor { Tensor(self) }
}
