import Reel

/// x above 0, α · (eˣ - 1) up to 0, as a layer. Keras's `ELU`.
public struct ELU: Layer {
  /// α: minus what the function goes to on the left.
  public let alpha: Double
  private let activation: Activation

  /// - Parameter alpha: α; 1 by default.
  public init(alpha: Double = 1) {
    self.alpha = alpha
    activation = .elu(alpha: alpha)
  }

  /// Applies the layer, element by element; a mask passes through.
  public func callAsFunction(_ x: Tensor) -> Tensor { inOwnScope { activation(x) } }
}
