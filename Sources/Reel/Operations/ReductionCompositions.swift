// Compositions of reductions.

extension Tensor {
  /// The number of elements that a fold over the axes takes together.
  private func foldedCount(_ axes: [Int]?) -> Double {
    Double((axes ?? Array(0..<rank)).reduce(1) { $0 * shape[$1] })
  }

  /// The arithmetic mean over some axes, or all; NaN of nothing. Floating point only.
  ///
  /// - Parameters:
  ///   - axes: The axes to fold; negative ones count from the end. All if nil.
  ///   - keepDims: Whether the folded axes stay with extent 1.
  public func mean(along axes: [Int]? = nil, keepDims: Bool = false) -> Tensor {
    if !elementType.isFloatingPoint {
      TensorError(
        operation: "mean", operands: [type], problem: "an operand of type \(elementType)",
        expected: "a floating-point element type; convert it first"
      ).report()
    }
    return sum(along: axes, keepDims: keepDims) / Tensor(.number(foldedCount(axes)))
  }

  /// The mean square distance from the mean over some axes, or all: Σ(x - x̄)² / n. Parameters as in
  /// ``mean(along:keepDims:)``.
  public func variance(along axes: [Int]? = nil, keepDims: Bool = false) -> Tensor {
    let difference = self - mean(along: axes, keepDims: true)
    return (difference * difference).mean(along: axes, keepDims: keepDims)
  }

  /// log Σ eˣ over some axes, or all, without overflow. Parameters as in ``mean(along:keepDims:)``.
  public func logSumExp(along axes: [Int]? = nil, keepDims: Bool = false) -> Tensor {
    let shift = finiteMax(along: axes)
    let sum = exp(self - shift).sum(along: axes, keepDims: true)
    let result = log(sum) + shift
    return keepDims ? result : result.reshaped(to: Shape(remaining(axes)))
  }

  private func remaining(_ axes: [Int]?) -> [Int] {
    let folded = Set((axes ?? Array(0..<rank)).map { $0 < 0 ? $0 + rank : $0 })
    return shape.extents.indices.filter { !folded.contains($0) }.map { shape[$0] }
  }

  /// The largest element, with axes kept, as a constant shift; 0 where it is infinite, for ∞ - ∞ is no number.
  private func finiteMax(along axes: [Int]?) -> Tensor {
    let largest = stopGradient(max(along: axes, keepDims: true))
    return select(abs(largest) .< Tensor(.number(.infinity)), largest, 0)
  }
}

/// eˣ / Σ eˣ along an axis, shifted by the largest element so that nothing overflows.
///
/// - Parameters:
///   - x: Logits, floating point.
///   - axis: The axis along which the results add up to 1; the last one by default.
public func softmax(_ x: Tensor, along axis: Int = -1) -> Tensor { softmax(x, along: [axis]) }

/// As ``softmax(_:along:)-(_,Int)``, along several axes: all results of the same place on the others add up to 1.
public func softmax(_ x: Tensor, along axes: [Int]) -> Tensor {
  let exponentials = exp(x - stopGradient(x.max(along: axes, keepDims: true)))
  return exponentials / exponentials.sum(along: axes, keepDims: true)
}

/// x - log Σ eˣ along an axis: the logarithm of ``softmax(_:along:)``, without its rounding.
public func logSoftmax(_ x: Tensor, along axis: Int = -1) -> Tensor {
  let shifted = x - stopGradient(x.max(along: [axis], keepDims: true))
  return shifted - log(exp(shifted).sum(along: [axis], keepDims: true))
}
