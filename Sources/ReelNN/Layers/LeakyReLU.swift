import Reel

/// x above 0, negativeSlope · x up to 0, as a layer. Keras's `LeakyReLU`.
public struct LeakyReLU: Layer {
  /// The slope up to 0.
  public let negativeSlope: Double
  private let activation: Activation

  /// - Parameter negativeSlope: The slope up to 0; 0.3 by default, other than that of ``Activation/leakyReLU``.
  public init(negativeSlope: Double = 0.3) {
    self.negativeSlope = negativeSlope
    activation = .leakyReLU(negativeSlope: negativeSlope)
  }

  /// Applies the layer, element by element; a mask passes through.
  public func callAsFunction(_ x: Tensor) -> Tensor { inOwnScope { activation(x) } }
}
