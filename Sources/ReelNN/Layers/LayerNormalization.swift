import Reel

/// gamma · (x - mean) / √(variance + epsilon) + beta, with mean and variance of each sample over some axes.
///
/// The shape stays, and so does the mask. Parameters: `gamma` and `beta`, of the extents of the axes. The variance is over n.
/// Ba, Kiros and Hinton, "Layer normalization" (2016); Keras's `LayerNormalization`.
public struct LayerNormalization: Layer {
  /// The axes that mean and variance are taken over.
  public let axes: [Int]
  /// Added to the variance.
  public let epsilon: Double
  /// Whether there is a beta, and a gamma.
  public let center, scale: Bool
  /// The factor, of the extents of the axes.
  public let gamma: Parameter
  /// The offset, of the extents of the axes.
  public let beta: Parameter

  /// - Parameters:
  ///   - axes: The axes that mean and variance are taken over; negative ones count from the end. The last one by default.
  ///   - epsilon: Added to the variance; 1e-3 by default.
  ///   - center: Whether to add beta; true by default.
  ///   - scale: Whether to multiply by gamma; true by default.
  ///   - betaInitializer: Zeros by default.
  ///   - gammaInitializer: Ones by default.
  ///   - betaRegularizer: The penalty on beta; none by default.
  ///   - gammaRegularizer: The penalty on gamma; none by default.
  ///   - betaConstraint: What an optimizer makes of beta; nothing by default.
  ///   - gammaConstraint: What an optimizer makes of gamma; nothing by default.
  public init(
    axes: [Int] = [-1], epsilon: Double = 1e-3, center: Bool = true, scale: Bool = true,
    betaInitializer: Initializer = .zeros, gammaInitializer: Initializer = .ones, betaRegularizer: Regularizer? = nil,
    gammaRegularizer: Regularizer? = nil, betaConstraint: Constraint? = nil, gammaConstraint: Constraint? = nil
  ) {
    precondition(!axes.isEmpty && epsilon >= 0, "LayerNormalization needs an axis, and an epsilon of at least 0")
    self.axes = axes
    self.epsilon = epsilon
    self.center = center
    self.scale = scale
    gamma = Parameter(gammaInitializer, regularizer: gammaRegularizer, constraint: gammaConstraint)
    beta = Parameter(betaInitializer, regularizer: betaRegularizer, constraint: betaConstraint)
  }

  /// The stored properties, without a factor or summand that is switched off.
  public var reflectedChildren: [(name: String, value: Any)] {
    storedProperties.filter { ($0.name != "gamma" || scale) && ($0.name != "beta" || center) }
  }

  /// Applies the layer.
  public func callAsFunction(_ x: Tensor) -> Tensor { inOwnScope(passingMaskOf: x) { applied(to: x) } }

  private func applied(to x: Tensor) -> Tensor {
    let own = axes.map { $0 < 0 ? $0 + x.rank : $0 }.sorted()
    guard own.allSatisfy({ (1..<max(x.rank, 1)).contains($0) }), Set(own).count == own.count else {
      TensorError(
        operation: defaultName, problem: "the axes \(axes) of input of shape \(x.shape)",
        expected: "each axis once, and not the batch"
      ).report()
      return x
    }
    let difference = x - x.mean(along: own, keepDims: true)
    let variance = (difference * difference).mean(along: own, keepDims: true)
    var y = difference * rsqrt(variance + Tensor(floatLiteral: epsilon))
    let shape = Shape(own.map { x.shape[$0] })
    // Aligned with the axes of the input, from the first of its own on.
    let aligned = Shape((own[0]..<x.rank).map { own.contains($0) ? x.shape[$0] : 1 })
    if scale { y = y * gamma(shape).reshaped(to: aligned) }
    if center { y = y + beta(shape).reshaped(to: aligned) }
    return y
  }
}
