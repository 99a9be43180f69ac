import Reel

/// gamma · (x - mean) / √(variance + epsilon) + beta, with mean and variance of each feature over the batch.
///
/// The shape stays, and so does the mask. In training mean and variance are those of the input (the variance over n), over
/// the steps that its mask leaves, and move the averages along: `moving · momentum + now · (1 - momentum)`. In inference they
/// are the moving averages. Parameters, of the extent of the axis: `gamma`, `beta`, and `movingMean` and `movingVariance`,
/// which are not trained. Ioffe and Szegedy, "Batch normalization" (2015); Keras's `BatchNormalization`.
public struct BatchNormalization: Layer {
  /// The axis of the features.
  public let axis: Int
  /// How much of the moving averages stays in a call.
  public let momentum: Double
  /// Added to the variance.
  public let epsilon: Double
  /// Whether there is a beta, and a gamma.
  public let center, scale: Bool
  /// The factor of each feature.
  public let gamma: Parameter
  /// The offset of each feature.
  public let beta: Parameter
  /// The moving averages of mean and variance.
  public let movingMean, movingVariance: Parameter

  /// - Parameters:
  ///   - axis: The axis of the features; negative ones count from the end. The last one by default.
  ///   - momentum: How much of the moving averages stays in a call; 0.99 by default.
  ///   - epsilon: Added to the variance; 1e-3 by default.
  ///   - center: Whether to add beta; true by default.
  ///   - scale: Whether to multiply by gamma; true by default.
  ///   - betaInitializer: Zeros by default.
  ///   - gammaInitializer: Ones by default.
  ///   - movingMeanInitializer: Zeros by default.
  ///   - movingVarianceInitializer: Ones by default.
  ///   - betaRegularizer: The penalty on beta; none by default.
  ///   - gammaRegularizer: The penalty on gamma; none by default.
  ///   - betaConstraint: What an optimizer makes of beta; nothing by default.
  ///   - gammaConstraint: What an optimizer makes of gamma; nothing by default.
  public init(
    axis: Int = -1, momentum: Double = 0.99, epsilon: Double = 1e-3, center: Bool = true, scale: Bool = true,
    betaInitializer: Initializer = .zeros, gammaInitializer: Initializer = .ones,
    movingMeanInitializer: Initializer = .zeros, movingVarianceInitializer: Initializer = .ones,
    betaRegularizer: Regularizer? = nil, gammaRegularizer: Regularizer? = nil, betaConstraint: Constraint? = nil,
    gammaConstraint: Constraint? = nil
  ) {
    precondition(
      (0...1).contains(momentum) && epsilon >= 0,
      "BatchNormalization needs a momentum in 0...1 and an epsilon of at least 0, not \(momentum) and \(epsilon)")
    self.axis = axis
    self.momentum = momentum
    self.epsilon = epsilon
    self.center = center
    self.scale = scale
    gamma = Parameter(gammaInitializer, regularizer: gammaRegularizer, constraint: gammaConstraint)
    beta = Parameter(betaInitializer, regularizer: betaRegularizer, constraint: betaConstraint)
    movingMean = Parameter(movingMeanInitializer, isTrainable: false)
    movingVariance = Parameter(movingVarianceInitializer, isTrainable: false)
  }

  /// The stored properties, without a factor or summand that is switched off.
  public var reflectedChildren: [(name: String, value: Any)] {
    storedProperties.filter { ($0.name != "gamma" || scale) && ($0.name != "beta" || center) }
  }

  /// Applies the layer.
  public func callAsFunction(_ x: Tensor) -> Tensor { inOwnScope(passingMaskOf: x) { applied(to: x) } }

  private func applied(to x: Tensor) -> Tensor {
    let own = axis < 0 ? axis + x.rank : axis
    guard x.rank >= 2, (1..<x.rank).contains(own) else {
      TensorError(
        operation: defaultName, problem: "the axis \(axis) of input of shape \(x.shape)",
        expected: "[batch, ..., features], and an axis that is not the batch"
      ).report()
      return x
    }
    let shape: Shape = [x.shape[own]]
    // Aligned with the axes of the input.
    func aligned(_ parameter: Tensor) -> Tensor {
      parameter.reshaped(to: Shape(shape.extents + Array(repeating: 1, count: x.rank - 1 - own)))
    }
    let (mean, variance) = Training.isActive ? moments(of: x, axis: own) : (movingMean(shape), movingVariance(shape))
    if Training.isActive {
      move(movingMean, shape, towards: mean)
      move(movingVariance, shape, towards: variance)
    }
    var factor = rsqrt(variance + Tensor(floatLiteral: epsilon))
    if scale { factor = factor * gamma(shape) }
    var y = (x - aligned(mean)) * aligned(factor)
    if center { y = y + aligned(beta(shape)) }
    return y
  }

  private func moments(of x: Tensor, axis: Int) -> (mean: Tensor, variance: Tensor) {
    let others = (0..<x.rank).filter { $0 != axis }
    guard let mask = x.mask else {
      let mean = x.mean(along: others, keepDims: true)
      let difference = x - mean
      return (mean.flattened(), (difference * difference).mean(along: others))
    }
    let isReal = mask.reshaped(to: Shape(mask.shape.extents + Array(repeating: 1, count: x.rank - mask.rank)))
    let ones = isReal.converted(to: x.elementType).broadcasted(to: x.shape)
    // Keras's addend: a batch without a real step has mean 0.
    let count = ones.sum(along: others, keepDims: true) + 1e-7
    let mean = select(isReal, x, 0).sum(along: others, keepDims: true) / count
    let difference = select(isReal, x - mean, 0)
    let variance = (difference * difference).sum(along: others, keepDims: true) / count
    return (mean.flattened(), variance.flattened())
  }

  private func move(_ average: Parameter, _ shape: Shape, towards now: Tensor) {
    let kept = average(shape) * Tensor(floatLiteral: momentum)
    average.value = stopGradient(kept + now * Tensor(floatLiteral: 1 - momentum))
  }
}

extension BatchNormalization: BatchCoupled {
  /// Whether the samples of a batch are normalised together: in training.
  public var couplesSamples: Bool { Training.isActive }
}
