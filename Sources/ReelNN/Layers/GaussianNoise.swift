import Reel

/// In training x + ε with ε normal, of mean 0; x in inference: Keras's `GaussianNoise`.
///
/// The shape stays, and so does the mask.
public struct GaussianNoise: Layer {
  /// The standard deviation of ε.
  public let standardDeviation: Double

  /// - Parameter standardDeviation: The standard deviation of ε, at least 0.
  public init(_ standardDeviation: Double) {
    precondition(
      standardDeviation >= 0, "GaussianNoise needs a standard deviation of at least 0, not \(standardDeviation)")
    self.standardDeviation = standardDeviation
  }

  /// Applies the layer.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    inOwnScope(passingMaskOf: x) {
      guard Training.isActive, standardDeviation > 0 else { return x }
      return x + .randomNormal(x.shape, standardDeviation: standardDeviation, elementType: x.elementType)
    }
  }
}
