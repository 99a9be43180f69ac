import Reel

/// The rectifier as a layer: ``Activation/relu(negativeSlope:maxValue:threshold:)``. Keras's `ReLU`.
public struct ReLU: Layer, NamedLayer {
  /// The largest value; none if nil.
  public let maxValue: Double?
  /// The slope up to the threshold.
  public let negativeSlope: Double
  /// Where x begins.
  public let threshold: Double
  private let activation: Activation

  package var layerName: String { "relu" }

  /// - Parameters:
  ///   - maxValue: The largest value, 0 or more; none by default.
  ///   - negativeSlope: The slope up to the threshold, 0 or more; 0 by default.
  ///   - threshold: Where x begins, 0 or more; 0 by default.
  public init(maxValue: Double? = nil, negativeSlope: Double = 0, threshold: Double = 0) {
    precondition(maxValue ?? 0 >= 0, "ReLU needs a maxValue of at least 0, not \(maxValue!)")
    precondition(negativeSlope >= 0, "ReLU needs a negativeSlope of at least 0, not \(negativeSlope)")
    precondition(threshold >= 0, "ReLU needs a threshold of at least 0, not \(threshold)")
    self.maxValue = maxValue
    self.negativeSlope = negativeSlope
    self.threshold = threshold
    activation =
      maxValue == nil && negativeSlope == 0 && threshold == 0
      ? .relu : .relu(negativeSlope: negativeSlope, maxValue: maxValue, threshold: threshold)
  }

  /// Applies the layer, element by element; a mask passes through.
  public func callAsFunction(_ x: Tensor) -> Tensor { inOwnScope { activation(x) } }
}
