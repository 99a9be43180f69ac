import Reel

/// How a parameter gets its first value, from its shape and the process's stream of random numbers.
///
/// Each use draws other numbers, unless the initializer is ``seeded(by:)`` a key of its own.
public struct Initializer: Sendable {
  private let make: @Sendable (Shape, RandomKey?) -> Tensor
  private let key: RandomKey?

  /// An initializer of your own.
  public init(_ make: @escaping @Sendable (_ shape: Shape) -> Tensor) {
    self.init(drawing: { shape, _ in make(shape) })
  }

  /// An initializer of your own that draws random numbers: from the key if there is one, and else from the process's
  /// stream, as the random functions of ``Reel/Tensor`` do.
  public init(drawing make: @escaping @Sendable (_ shape: Shape, _ key: RandomKey?) -> Tensor) {
    self.make = make
    key = nil
  }

  private init(_ make: @escaping @Sendable (Shape, RandomKey?) -> Tensor, _ key: RandomKey) {
    self.make = make
    self.key = key
  }

  /// A first value of a shape.
  public func callAsFunction(_ shape: Shape) -> Tensor { make(shape, key) }

  /// The same initializer with a key of its own: it gives the same numbers for a shape at every use, in every process and
  /// on every machine. Two parameters of one shape need two keys.
  ///
  ///     Dense(10, kernelInitializer: .glorotUniform.seeded(by: RandomKey(seed: 7)))
  public func seeded(by key: RandomKey) -> Initializer { Initializer(make, key) }
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

  /// A matrix with a number on its diagonal and 0 elsewhere; it need not be square.
  ///
  /// - Parameter gain: The number; 1 by default.
  public static func identity(gain: Double = 1) -> Initializer {
    Initializer { shape in
      guard shape.rank == 2 else {
        TensorError(
          operation: "initializer", problem: "an identity matrix of shape \(shape)", expected: "two axes"
        ).report()
        return .zeros(shape)
      }
      return Tensor.iota(shape[0]).oneHot(shape[1]) * Tensor(floatLiteral: gain)
    }
  }

  /// Uniform between the bounds, ±0.05 by default.
  public static func randomUniform(from lower: Double = -0.05, to upper: Double = 0.05) -> Initializer {
    Initializer(drawing: { .randomUniform($0, key: $1, from: lower, to: upper) })
  }

  /// Normal, with mean 0 and standard deviation 0.05 by default.
  public static func randomNormal(mean: Double = 0, standardDeviation: Double = 0.05) -> Initializer {
    Initializer(drawing: { .randomNormal($0, key: $1, mean: mean, standardDeviation: standardDeviation) })
  }

  /// Normal, cut off at two standard deviations; mean 0 and standard deviation 0.05 before the cut by default.
  public static func truncatedNormal(mean: Double = 0, standardDeviation: Double = 0.05) -> Initializer {
    Initializer(drawing: { .randomTruncatedNormal($0, key: $1, mean: mean, standardDeviation: standardDeviation) })
  }
}
