import Reel

/// Steps of zeros before and after a sequence: Keras's `ZeroPadding1D`.
///
/// `[batch, time, features]` → `[batch, before + time + after, features]`. A mask ends here, as in Keras.
public struct ZeroPadding1D: Layer {
  /// The steps in front, and at the end.
  public let before, after: Int

  /// - Parameters:
  ///   - before: The steps in front.
  ///   - after: The steps at the end.
  public init(before: Int, after: Int) {
    precondition(before >= 0 && after >= 0, "ZeroPadding1D adds at least 0 steps, not \(before) and \(after)")
    self.before = before
    self.after = after
  }

  /// As many steps at both ends; 1 by default.
  public init(_ padding: Int = 1) {
    self.init(before: padding, after: padding)
  }

  /// Applies the layer to `[batch, time, features]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    inOwnScope {
      guard takesSequence(x) else { return .zeros([1, 1, 1]) }
      return x.padded(before: before, after: after, along: 1).withMask(nil)
    }
  }
}
