import Reel

// What is done around the formula of an optimizer, if it is asked for.

/// How gradients are made smaller before an update.
public enum GradientClipping: Hashable, Sendable {
  /// Each gradient by its own Euclidean norm, to at most so much: `g·c / max(‖g‖, c)`. Keras's `clipnorm`.
  case norm(Double)

  /// All gradients of an update by their common norm `N`, to at most so much: `g·c·min(1/N, 1/c)`. All become NaN if the
  /// norm is not finite. Keras's `global_clipnorm`.
  case globalNorm(Double)

  /// Each element to at most so much either way. Keras's `clipvalue`.
  case value(Double)

  func check() {
    switch self {
    case .norm(let limit), .globalNorm(let limit), .value(let limit):
      precondition(limit > 0, "gradients are clipped to something > 0, not \(limit)")
    }
  }

  func clipped(_ gradients: [Tensor]) -> [Tensor] {
    switch self {
    case .norm(let limit):
      let c = Tensor(floatLiteral: limit)
      return gradients.map { g in g * c / maximum(sqrt((g * g).sum()), c) }
    case .value(let limit):
      let (lower, upper) = (Tensor(floatLiteral: -limit), Tensor(floatLiteral: limit))
      return gradients.map { g in minimum(maximum(g, lower), upper) }
    case .globalNorm(let limit):
      let c = Tensor(limit)
      let squares = gradients.map { g in (g * g).sum().converted(to: .float64) }
      let norm = sqrt(squares.dropFirst().reduce(squares[0], +))
      // The difference is 0, or NaN if the norm is not finite.
      let scale = c * minimum(1 / norm, 1 / c) + (norm - norm)
      return gradients.map { g in g * scale.converted(to: g.elementType) }
    }
  }
}

/// Decay of the weights, apart from the gradient: `w ← w - w·λ·α` before each update, with the learning rate α. Loshchilov
/// and Hutter, "Decoupled weight decay regularization" (2019).
///
///     AdamW(weightDecay: 0.01)
///     SGD(weightDecay: WeightDecay(0.01, excluding: ["bias", "gamma"]))
public struct WeightDecay: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral, Hashable, Sendable {
  /// λ.
  public let rate: Double
  /// Parts of the paths of parameters that do not decay.
  public let excluded: [String]

  /// - Parameters:
  ///   - rate: λ, which is not negative.
  ///   - names: Parameters whose path, such as `lstm.recurrentKernel`, contains one of these do not decay; upper and lower
  ///     case are alike. None by default.
  public init(_ rate: Double, excluding names: [String] = []) {
    precondition(rate >= 0, "weight decay ≥ 0, not \(rate)")
    self.rate = rate
    excluded = names
  }

  /// The decay of all parameters.
  public init(floatLiteral rate: Double) { self.init(rate) }

  /// The decay of all parameters.
  public init(integerLiteral rate: Int) { self.init(Double(rate)) }

  func decayed(_ w: Tensor, named name: String, learningRate: Tensor) -> Tensor {
    let name = name.lowercased()
    if excluded.contains(where: { name.contains($0.lowercased()) }) { return w }
    return w - w * Tensor(floatLiteral: rate) * learningRate
  }
}

/// An exponential moving average of the weights, kept beside them: `a ← μ·a + (1 - μ)·w` after each step, which starts at
/// the weight after the first update. Keras's `use_ema`; Polyak and Juditsky, "Acceleration of stochastic approximation by
/// averaging" (1992).
///
/// ``Optimizer/finalizeParameters(of:)`` puts the averages in the place of the weights.
public struct MovingAverage: Hashable, Sendable {
  /// μ.
  public let momentum: Double
  /// After how many updates the averages overwrite the weights; nil if they never do.
  public let overwriteFrequency: Int?

  /// - Parameters:
  ///   - momentum: μ, in 0...1; 0.99 by default.
  ///   - overwriteFrequency: Every so many updates the averages overwrite the weights; never by default.
  public init(momentum: Double = 0.99, overwriteFrequency: Int? = nil) {
    precondition((0...1).contains(momentum), "momentum of a moving average in 0...1, not \(momentum)")
    precondition(overwriteFrequency ?? 1 >= 1, "overwrite frequency ≥ 1, not \(overwriteFrequency ?? 0)")
    self.momentum = momentum
    self.overwriteFrequency = overwriteFrequency
  }
}
