import Reel

/// Gradient descent, with momentum (Polyak, 1964) if asked for:
///
///     without:   w ← w - α·g
///     with:      v ← μ·v - α·g,   w ← w + v
///     Nesterov:  v ← μ·v - α·g,   w ← w + μ·v - α·g
///
/// Keras's `SGD`.
public final class SGD: Optimizer {
  private let rate: Hyperparameter
  private let momentum: Double
  private let nesterov: Bool
  private var slots = Slots()

  /// - Parameters:
  ///   - learningRate: α; 0.01 by default.
  ///   - momentum: μ; 0 by default, which is plain descent.
  ///   - nesterov: Whether to look ahead along the momentum; false by default.
  public init(learningRate: Double = 0.01, momentum: Double = 0, nesterov: Bool = false) {
    precondition(learningRate >= 0 && (0...1).contains(momentum), "SGD: learning rate ≥ 0 and momentum in 0...1")
    rate = Hyperparameter(learningRate, name: "learningRate")
    self.momentum = momentum
    self.nesterov = nesterov
  }

  /// The step size α.
  public var learningRate: Double {
    get { rate.value }
    set { rate.value = newValue }
  }

  /// Changes the parameters of a model along their gradients.
  public func update(_ model: some Module, along gradients: Gradients) {
    for (_, parameter) in gradients.parameters {
      guard let w = parameter.value, let g = gradients[parameter] else { continue }
      let step = rate(w.elementType) * g
      guard momentum > 0 else {
        parameter.value = w - step
        continue
      }
      let μ = Tensor(momentum).converted(to: w.elementType)
      let velocity = slots(parameter, w, count: 1)[0]
      let v = μ * velocity.value - step
      velocity.value = v
      parameter.value = nesterov ? w + μ * v - step : w + v
    }
  }
}
