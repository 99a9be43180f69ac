import Reel

/// Adaptive moments: Kingma and Ba, "Adam: a method for stochastic optimization" (2015), in Keras's form:
///
///     α = learningRate · √(1 - β₂ᵗ) / (1 - β₁ᵗ)
///     m ← m + (g - m)·(1 - β₁),   v ← v + (g² - v)·(1 - β₂)
///     w ← w - α·m / (√v + ε)
///
/// ε is added to the uncorrected root, the paper's ε̂; PyTorch adds it to the corrected one.
public final class Adam: Optimizer {
  private let rate: Hyperparameter
  private let beta1, beta2, epsilon: Double
  private var steps = StepCounts()
  private var slots = Slots()

  /// - Parameters:
  ///   - learningRate: The step size; 0.001 by default.
  ///   - beta1: The decay of the first moment; 0.9 by default.
  ///   - beta2: The decay of the second moment; 0.999 by default.
  ///   - epsilon: ε; 1e-7 by default.
  public init(learningRate: Double = 0.001, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-7) {
    precondition(
      learningRate >= 0 && (0..<1).contains(beta1) && (0..<1).contains(beta2),
      "Adam: learning rate ≥ 0, and decays in 0..<1")
    rate = Hyperparameter(learningRate, name: "learningRate")
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
  }

  /// The step size.
  public var learningRate: Double {
    get { rate.value }
    set { rate.value = newValue }
  }

  /// Changes the parameters of a model along their gradients.
  public func update(_ model: some Module, along gradients: Gradients) {
    let counts = steps.advance(gradients.parameters.map(\.parameter))
    for (_, parameter) in gradients.parameters {
      guard let w = parameter.value, let g = gradients[parameter], let count = counts[ObjectIdentifier(parameter)]
      else { continue }
      func scalar(_ value: Double) -> Tensor { Tensor(value).converted(to: w.elementType) }
      let t = count.converted(to: w.elementType)
      let α = rate(w.elementType) * sqrt(1 - power(scalar(beta2), t)) / (1 - power(scalar(beta1), t))
      let moments = slots(parameter, w, count: 2)
      let m = moments[0].value + (g - moments[0].value) * scalar(1 - beta1)
      let v = moments[1].value + (g * g - moments[1].value) * scalar(1 - beta2)
      moments[0].value = m
      moments[1].value = v
      parameter.value = w - α * m / (sqrt(v) + scalar(epsilon))
    }
  }
}
