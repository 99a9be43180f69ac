import Reel

/// eˣ / Σ eˣ along some axes, as a layer. Keras's `Softmax`.
public struct Softmax: Layer {
  /// The axes along which the results add up to 1 together.
  public let axes: [Int]

  /// - Parameter axis: The axis along which the results add up to 1; the last one by default.
  public init(along axis: Int = -1) { self.init(along: [axis]) }

  /// - Parameter axes: The axes along which the results add up to 1 together.
  public init(along axes: [Int]) {
    precondition(!axes.isEmpty, "Softmax needs at least one axis")
    self.axes = axes
  }

  /// Applies the layer.
  public func callAsFunction(_ x: Tensor) -> Tensor { self(x, mask: nil) }

  /// Applies the layer to what a mask of elements leaves; a mask of steps passes through.
  ///
  /// - Parameters:
  ///   - x: Logits, floating point.
  ///   - mask: True where an element takes part, of a shape that broadcasts to that of `x`. The others are 0, also where
  ///     none is left. All take part if nil.
  public func callAsFunction(_ x: Tensor, mask: Tensor?) -> Tensor {
    inOwnScope(passingMaskOf: x) {
      guard let mask else { return softmax(x, along: axes) }
      // The second choice is for places where the mask leaves nothing, and all logits are the same.
      return select(mask, softmax(select(mask, x, -1e9), along: axes), 0)
    }
  }
}
