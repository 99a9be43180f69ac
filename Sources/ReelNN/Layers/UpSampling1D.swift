import Reel

/// Each step repeated: Keras's `UpSampling1D`.
///
/// `[batch, time, features]` → `[batch, time · size, features]`. A mask ends here, as in Keras.
public struct UpSampling1D: Layer {
  /// How often each step occurs.
  public let size: Int

  /// - Parameter size: How often each step occurs; twice by default.
  public init(_ size: Int = 2) {
    precondition(size > 0, "UpSampling1D repeats at least once, not \(size) times")
    self.size = size
  }

  /// Applies the layer to `[batch, time, features]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    inOwnScope {
      guard takesSequence(x) else { return .zeros([1, 1, 1]) }
      let (batch, time, features) = (x.shape[0], x.shape[1], x.shape[2])
      return x.expanded(at: 2).broadcasted(to: [batch, time, size, features])
        .reshaped(to: [batch, time * size, features]).withMask(nil)
    }
  }
}
