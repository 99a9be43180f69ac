import Reel

/// In training each element is 0 with probability `rate`, and divided by 1 - rate otherwise; x in inference.
///
/// The shape stays, and so does the mask. Srivastava et al., "Dropout: a simple way to prevent neural networks from
/// overfitting" (2014); Keras's `Dropout`. A rate of 1 gives zeros.
public struct Dropout: Layer {
  /// The probability that an element becomes 0.
  public let rate: Double
  /// The shape in which elements are drawn, nil for the extents of the input; axes of extent 1 share one draw.
  public let noiseShape: [Int?]?

  /// - Parameters:
  ///   - rate: The probability that an element becomes 0, in 0...1.
  ///   - noiseShape: The shape in which elements are drawn, with nil for extents of the input: `[nil, 1, nil]` drops the same
  ///     features at every step. The input's shape by default.
  public init(_ rate: Double, noiseShape: [Int?]? = nil) {
    precondition((0...1).contains(rate), "Dropout needs a rate in 0...1, not \(rate)")
    self.rate = rate
    self.noiseShape = noiseShape
  }

  /// Applies the layer.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    inOwnScope(passingMaskOf: x) {
      guard Training.isActive, rate > 0 else { return x }
      let shape = noiseShape.map { axes in
        Shape(axes.enumerated().map { axis, extent in extent ?? (axis < x.rank ? x.shape[axis] : 1) })
      }
      return x.dropped(rate, drawn: shape ?? x.shape, in: defaultName)
    }
  }
}

extension Tensor {
  /// The tensor with elements drawn to be 0, and the others divided by the probability that they are not.
  func dropped(_ rate: Double, drawn shape: Shape, in layer: String) -> Tensor {
    guard shape.rank == rank, zip(shape.extents, self.shape.extents).allSatisfy({ $0 == 1 || $0 == $1 }) else {
      TensorError(
        operation: layer, problem: "noise of shape \(shape) for input of shape \(self.shape)",
        expected: "the extents of the input, or 1"
      ).report()
      return self
    }
    if rate == 1 { return .zeros(like: self) }
    let isKept = Tensor.randomUniform(shape, elementType: elementType) .>= Tensor(floatLiteral: rate)
    return select(isKept, self * Tensor(floatLiteral: 1 / (1 - rate)), 0)
  }
}
