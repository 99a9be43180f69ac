import Reel

/// The largest value along time: Keras's `GlobalMaxPooling1D` with channels last.
///
/// `[batch, time, features]` → `[batch, features]`, or `[batch, 1, features]` with `keepDimensions`. Equal largest values
/// share the derivative. A mask is not regarded and ends here, as in Keras.
public struct GlobalMaxPooling1D: Layer {
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
      return x.max(along: [1], keepDims: keepDimensions)
    }
  }
}
