import Reel

// Random numbers whose variance goes with the number of inputs or outputs of a unit, so that signals keep their size.

extension Initializer {
  /// The numbers of connections that a variance is scaled by.
  ///
  /// Of a matrix `[in, out]` the fans are `in` and `out`, with one more factor for leading axes (those of a convolution's
  /// kernel); of a vector both are its extent; of a scalar both are 1. A recurrent cell whose kernel holds several gates
  /// counts all of them as `out`, as in Keras.
  public enum Fan: Sendable {
    /// The inputs of a unit.
    case fanIn
    /// The units that an input goes to.
    case fanOut
    /// The mean of both.
    case average
  }

  /// How the numbers of ``varianceScaling(scale:fan:distribution:)`` are spread.
  public enum Distribution: Sendable {
    /// Normal, cut off at two standard deviations.
    case truncatedNormal
    /// Normal.
    case untruncatedNormal
    /// Uniform between two bounds of opposite sign.
    case uniform
  }

  /// Random numbers with mean 0 and variance scale / max(1, n), where n is the fan.
  ///
  /// - Parameters:
  ///   - scale: The variance times n, more than 0; 1 by default.
  ///   - fan: n; the inputs by default.
  ///   - distribution: How the numbers are spread; a truncated normal distribution by default.
  public static func varianceScaling(
    scale: Double = 1, fan: Fan = .fanIn, distribution: Distribution = .truncatedNormal
  ) -> Initializer {
    precondition(scale > 0, "varianceScaling needs a scale above 0, not \(scale)")
    return Initializer(drawing: { shape, key in
      let variance = scale / max(1, fan.count(in: shape))
      switch distribution {
      case .uniform:
        let limit = (3 * variance).squareRoot()
        return .randomUniform(shape, key: key, from: -limit, to: limit)
      case .untruncatedNormal:
        return .randomNormal(shape, key: key, standardDeviation: variance.squareRoot())
      case .truncatedNormal:
        // The cut at ±2σ leaves this part of σ.
        let deviation = variance.squareRoot() / 0.87962566103423978
        return .randomTruncatedNormal(shape, key: key, standardDeviation: deviation)
      }
    })
  }

  /// Uniform in ±√(6 / (fanIn + fanOut)): Glorot and Bengio, "Understanding the difficulty of training deep feedforward
  /// neural networks" (2010).
  public static let glorotUniform = varianceScaling(fan: .average, distribution: .uniform)

  /// Normal with variance 2 / (fanIn + fanOut), cut off at two standard deviations.
  public static let glorotNormal = varianceScaling(fan: .average)

  /// Uniform in ±√(6 / fanIn): He et al., "Delving deep into rectifiers" (2015).
  public static let heUniform = varianceScaling(scale: 2, distribution: .uniform)

  /// Normal with variance 2 / fanIn, cut off at two standard deviations.
  public static let heNormal = varianceScaling(scale: 2)

  /// Uniform in ±√(3 / fanIn): LeCun et al., "Efficient backprop" (1998).
  public static let lecunUniform = varianceScaling(distribution: .uniform)

  /// Normal with variance 1 / fanIn, cut off at two standard deviations.
  public static let lecunNormal = varianceScaling()
}

extension Initializer.Fan {
  fileprivate func count(in shape: Shape) -> Double {
    guard shape.rank >= 2 else { return Double(shape.count) }
    let field = shape.extents.dropLast(2).reduce(1, *)
    let (fanIn, fanOut) = (Double(shape[-2] * field), Double(shape[-1] * field))
    return switch self {
    case .fanIn: fanIn
    case .fanOut: fanOut
    case .average: (fanIn + fanOut) / 2
    }
  }
}
