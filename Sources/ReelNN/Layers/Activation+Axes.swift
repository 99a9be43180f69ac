import Reel

// Functions along an axis.

extension Activation {
  /// eˣ / Σ eˣ along the last axis.
  public static let softmax = softmax(along: -1)

  /// eˣ / Σ eˣ along an axis.
  public static func softmax(along axis: Int) -> Activation { Activation("softmax") { Reel.softmax($0, along: axis) } }

  /// x - log Σ eˣ along the last axis: the logarithm of ``softmax``.
  public static let logSoftmax = logSoftmax(along: -1)

  /// x - log Σ eˣ along an axis.
  public static func logSoftmax(along axis: Int) -> Activation {
    Activation("logSoftmax") { Reel.logSoftmax($0, along: axis) }
  }

  /// ``glu(along:)`` along the last axis.
  public static let glu = glu(along: -1)

  /// a · σ(b), where a and b are the first and the second half of x along an axis, whose extent is even.
  ///
  /// Dauphin et al., "Language modeling with gated convolutional networks" (2016).
  public static func glu(along axis: Int) -> Activation {
    Activation("glu") { x in
      let (values, gates) = x.split(into: 2, along: axis)
      return values * Reel.sigmoid(gates)
    }
  }

  /// ``sparsemax(along:)`` along the last axis.
  public static let sparsemax = sparsemax(along: -1)

  /// The nearest point of the simplex, a distribution that is 0 in most places: max(x - τ, 0), with τ so that the results
  /// along the axis add up to 1.
  ///
  /// Martins and Astudillo, "From softmax to sparsemax" (2016). Keras 3.15 adds up the cumulative sums of that algorithm
  /// where it should take the last, so that its results add up to 1 only where one element is left; these are the paper's.
  public static func sparsemax(along axis: Int) -> Activation {
    Activation("sparsemax") { x in
      let shifted = x - stopGradient(x.max(along: [axis], keepDims: true))
      let kept = stopGradient(shifted)
      // τ lies in -1..<0: bisected to the precision of the element type, then computed from the elements above it, twice, for
      // the first time leaves out those that only the bound let pass.
      var threshold = kept.max(along: [axis], keepDims: true) - 1
      for step in 1...(x.elementType == .float64 ? 53 : 24) {
        let middle = threshold + Tensor(floatLiteral: Double(sign: .plus, exponent: -step, significand: 1))
        let excess = maximum(kept - middle, 0).sum(along: [axis], keepDims: true)
        threshold = select(excess .>= 1, middle, threshold)
      }
      threshold = level(kept, above: threshold, along: axis)
      let result = shifted - level(shifted, above: threshold, along: axis)
      return maximum(0, result)
    }
  }

  /// The τ with which the elements above a threshold, less τ, add up to 1.
  private static func level(_ x: Tensor, above threshold: Tensor, along axis: Int) -> Tensor {
    let isAbove = stopGradient(x) .> threshold
    let sum = select(isAbove, x, 0).sum(along: [axis], keepDims: true)
    return (sum - 1) / isAbove.converted(to: x.elementType).sum(along: [axis], keepDims: true)
  }
}
