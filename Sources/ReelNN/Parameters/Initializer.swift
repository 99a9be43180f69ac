import Reel

/// How a parameter gets its first value, from its shape and the process's stream of random numbers.
///
/// Fans are Keras's: of a matrix `[in, out]` they are `in` and `out`, with one more factor for leading axes (those of a
/// convolution's kernel). A recurrent cell whose kernel holds several gates counts all of them as `out`.
public struct Initializer: Sendable {
  private let make: @Sendable (Shape) -> Tensor

  /// An initializer of your own.
  public init(_ make: @escaping @Sendable (_ shape: Shape) -> Tensor) {
    self.make = make
  }

  /// A first value of a shape.
  public func callAsFunction(_ shape: Shape) -> Tensor { make(shape) }
}

extension Initializer {
  /// 0 everywhere.
  public static let zeros = Initializer { .zeros($0) }

  /// 1 everywhere.
  public static let ones = Initializer { .ones($0) }

  /// One number everywhere.
  public static func constant(_ value: Double) -> Initializer {
    Initializer { Tensor(repeating: value, shape: $0) }
  }

  /// A tensor that was made before, of the shape asked for.
  public static func value(_ tensor: Tensor) -> Initializer {
    Initializer { shape in
      if tensor.shape != shape {
        TensorError(
          operation: "initializer", operands: [TensorType(tensor.shape, tensor.elementType)],
          problem: "a value of shape \(tensor.shape)", expected: "shape \(shape)"
        ).report()
      }
      return tensor
    }
  }

  /// Uniform between the bounds, ±0.05 by default.
  public static func randomUniform(from lower: Double = -0.05, to upper: Double = 0.05) -> Initializer {
    Initializer { .randomUniform($0, from: lower, to: upper) }
  }

  /// Normal, with mean 0 and standard deviation 0.05 by default.
  public static func randomNormal(mean: Double = 0, standardDeviation: Double = 0.05) -> Initializer {
    Initializer { .randomNormal($0, mean: mean, standardDeviation: standardDeviation) }
  }

  /// Normal, cut off at two standard deviations; mean 0 and standard deviation 0.05 before the cut by default.
  public static func truncatedNormal(mean: Double = 0, standardDeviation: Double = 0.05) -> Initializer {
    Initializer { .randomTruncatedNormal($0, mean: mean, standardDeviation: standardDeviation) }
  }

  /// Uniform in ±√(6 / (fanIn + fanOut)): Glorot and Bengio, "Understanding the difficulty of training deep feedforward
  /// neural networks" (2010).
  public static let glorotUniform = varianceScaling(1, .average, .uniform)

  /// Normal with variance 2 / (fanIn + fanOut), cut off at two standard deviations.
  public static let glorotNormal = varianceScaling(1, .average, .truncatedNormal)

  /// Uniform in ±√(6 / fanIn): He et al., "Delving deep into rectifiers" (2015).
  public static let heUniform = varianceScaling(2, .fanIn, .uniform)

  /// Normal with variance 2 / fanIn, cut off at two standard deviations.
  public static let heNormal = varianceScaling(2, .fanIn, .truncatedNormal)

  /// Uniform in ±√(3 / fanIn): LeCun et al., "Efficient backprop" (1998).
  public static let lecunUniform = varianceScaling(1, .fanIn, .uniform)

  /// Normal with variance 1 / fanIn, cut off at two standard deviations.
  public static let lecunNormal = varianceScaling(1, .fanIn, .truncatedNormal)

  /// Rows or columns, whichever are fewer, orthonormal: the Q of the QR factors of a normal matrix, with the signs that
  /// make the diagonal of R positive (Saxe et al., "Exact solutions to the nonlinear dynamics of learning", 2013). Leading
  /// axes count as rows.
  public static let orthogonal = orthogonal(gain: 1)

  /// As ``orthogonal``, times a factor.
  public static func orthogonal(gain: Double) -> Initializer {
    Initializer { shape in
      guard shape.rank >= 2 else {
        TensorError(
          operation: "initializer", problem: "an orthogonal matrix of shape \(shape)", expected: "two axes or more"
        ).report()
        return .zeros(shape)
      }
      let (rows, columns) = (shape.extents.dropLast().reduce(1, *), shape.last)
      let normal = Tensor.randomNormal([min(rows, columns), max(rows, columns)], elementType: .float64)
      let vectors = Tensor(orthonormalized(normal.numbers, count: normal.shape[0]), shape: normal.shape)
      let matrix = rows <= columns ? vectors : vectors.transposed()
      return (matrix * Tensor(gain)).reshaped(to: shape).converted(to: .default)
    }
  }
}

// MARK: - Variance scaling

extension Initializer {
  private enum Mode: Sendable { case fanIn, average }
  private enum Distribution: Sendable { case uniform, truncatedNormal }

  private static func varianceScaling(_ scale: Double, _ mode: Mode, _ distribution: Distribution) -> Initializer {
    Initializer { shape in
      let (fanIn, fanOut) = fans(shape)
      let fan = mode == .fanIn ? fanIn : (fanIn + fanOut) / 2
      let variance = scale / max(1, fan)
      switch distribution {
      case .uniform:
        let limit = (3 * variance).squareRoot()
        return .randomUniform(shape, from: -limit, to: limit)
      case .truncatedNormal:
        // The cut at ±2σ leaves this part of σ.
        return .randomTruncatedNormal(shape, standardDeviation: variance.squareRoot() / 0.87962566103423978)
      }
    }
  }

  private static func fans(_ shape: Shape) -> (Double, Double) {
    guard shape.rank >= 2 else { return (Double(shape.count), Double(shape.count)) }
    let field = shape.extents.dropLast(2).reduce(1, *)
    return (Double(shape[-2] * field), Double(shape[-1] * field))
  }
}

/// Rows made orthonormal by the modified method of Gram and Schmidt, twice for full precision.
private func orthonormalized(_ matrix: [Double], count: Int) -> [Double] {
  let width = count == 0 ? 0 : matrix.count / count
  var rows = (0..<count).map { Array(matrix[$0 * width..<($0 + 1) * width]) }
  func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
  for index in rows.indices {
    for _ in 0..<2 {
      for earlier in 0..<index {
        let overlap = dot(rows[index], rows[earlier])
        for column in 0..<width { rows[index][column] -= overlap * rows[earlier][column] }
      }
    }
    let norm = dot(rows[index], rows[index]).squareRoot()
    for column in 0..<width { rows[index][column] /= norm }
  }
  return rows.flatMap { $0 }
}
