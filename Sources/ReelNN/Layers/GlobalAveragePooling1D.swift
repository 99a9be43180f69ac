import Reel

/// The mean along time, over the steps that the mask leaves: Keras's `GlobalAveragePooling1D` with channels last.
///
/// `[batch, time, features]` → `[batch, features]`, or `[batch, 1, features]` with `keepDimensions`. A sequence without a real
/// step has no mean: NaN, as in Keras. The mask ends here.
public struct GlobalAveragePooling1D: Layer {
  /// Whether the time axis stays, with extent 1.
  public let keepDimensions: Bool

  /// - Parameter keepDimensions: Whether the time axis stays, with extent 1; false by default.
  public init(keepDimensions: Bool = false) {
    self.keepDimensions = keepDimensions
  }

  /// Applies the layer to `[batch, time, features]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    inOwnScope {
      guard takesSequence(x) else { return .zeros([1, 1]) }
      guard let mask = x.mask?.expanded(at: -1) else { return x.mean(along: [1], keepDims: keepDimensions) }
      let count = mask.converted(to: x.elementType).sum(along: [1], keepDims: keepDimensions)
      return select(mask, x, 0).sum(along: [1], keepDims: keepDimensions) / count
    }
  }
}
