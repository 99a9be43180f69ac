import Reel

/// All axes but the batch taken together, in row-major order: Keras's `Flatten`.
///
/// `[batch, ...]` → `[batch, features]`; `[batch]` → `[batch, 1]`. A mask ends here, as in Keras.
public struct Flatten: Layer {
  /// The layer.
  public init() {}

  /// Applies the layer to `[batch, ...]`.
  public func callAsFunction(_ x: Tensor) -> Tensor { inOwnScope { x.flattened(from: 1).withMask(nil) } }
}
