import Reel

/// Dropout of whole features: in training each feature of a sequence is 0 at every step with probability `rate`.
///
/// `[batch, time, features]` → the same shape; the mask stays. Tompson et al., "Efficient object localization using
/// convolutional networks" (2015); Keras's `SpatialDropout1D`.
public struct SpatialDropout1D: Layer {
  /// The probability that a feature becomes 0.
  public let rate: Double

  /// - Parameter rate: The probability that a feature becomes 0, in 0...1.
  public init(_ rate: Double) {
    precondition((0...1).contains(rate), "SpatialDropout1D needs a rate in 0...1, not \(rate)")
    self.rate = rate
  }

  /// Applies the layer to `[batch, time, features]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    inOwnScope(passingMaskOf: x) {
      guard takesSequence(x), Training.isActive, rate > 0 else { return x }
      return x.dropped(rate, drawn: [x.shape[0], 1, x.shape[2]], in: defaultName)
    }
  }
}
