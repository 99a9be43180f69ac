import Reel

/// A penalty on the value of a parameter, added to the loss: Keras's regularizers.
///
///     Dense(10, kernelRegularizer: .l2(1e-4))
///
/// The penalty of a whole model is ``Module/penalty``. It is added once a step, and is not divided by the batch size.
public struct Regularizer: Sendable {
  /// The name in summaries.
  public let name: String
  private let penalty: @Sendable (Tensor) -> Tensor

  /// A regularizer of your own: a scalar from the value of a parameter, in its element type.
  public init(_ name: String, _ penalty: @escaping @Sendable (_ w: Tensor) -> Tensor) {
    self.name = name
    self.penalty = penalty
  }

  /// The penalty on a value, a scalar.
  public func callAsFunction(_ w: Tensor) -> Tensor { penalty(w) }
}

extension Regularizer {
  /// λ · Σ|w|, with λ = 0.01 by default. The derivative at 0 is 0.
  public static func l1(_ factor: Double = 0.01) -> Regularizer {
    Regularizer("l1") { w in Tensor(floatLiteral: factor) * abs(w).sum() }
  }

  /// λ · Σw², without a factor ½, with λ = 0.01 by default.
  public static func l2(_ factor: Double = 0.01) -> Regularizer {
    Regularizer("l2") { w in Tensor(floatLiteral: factor) * (w * w).sum() }
  }

  /// l1 · Σ|w| + l2 · Σw². Both factors are 0 by default, as in Keras's class: then there is no penalty.
  public static func l1l2(l1: Double = 0, l2: Double = 0) -> Regularizer {
    let (sum, squares) = (Regularizer.l1(l1), Regularizer.l2(l2))
    return Regularizer("l1l2") { w in sum(w) + squares(w) }
  }

  /// Which vectors of a matrix ``orthogonal(_:mode:)`` compares.
  public enum OrthogonalMode: Sendable {
    /// The rows.
    case rows
    /// The columns.
    case columns
  }

  /// Drives the rows or columns of a matrix towards right angles: λ times the mean of |cos ∠(a, b)| over all pairs of
  /// different ones. 0 where there is one vector only. Keras's `OrthogonalRegularizer`.
  ///
  /// - Parameters:
  ///   - factor: λ; 0.01 by default.
  ///   - mode: Which vectors; the rows by default.
  public static func orthogonal(_ factor: Double = 0.01, mode: OrthogonalMode = .rows) -> Regularizer {
    Regularizer("orthogonal") { w in
      guard w.rank == 2 else {
        TensorError(
          operation: "regularizer", operands: [TensorType(w.shape, w.elementType)],
          problem: "the angles of a value of shape \(w.shape)", expected: "a matrix"
        ).report()
        return .zeros([], elementType: w.elementType)
      }
      let vectors = mode == .rows ? w : w.transposed()
      let count = vectors.shape[0]
      guard count > 1 else { return .zeros([], elementType: w.elementType) }
      let unit = vectors * rsqrt(maximum((vectors * vectors).sum(along: [1], keepDims: true), 1e-14))
      let cosines = unit.matmul(unit, transposingOther: true) * (1 - .identity(count, elementType: w.elementType))
      return abs(cosines).sum() * Tensor(floatLiteral: factor / Double(count * (count - 1)))
    }
  }
}
