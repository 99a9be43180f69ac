import Reel

/// The axes of each sample in another order: Keras's `Permute`.
///
///     Permute([2, 1])    // [batch, time, features] → [batch, features, time]
///
/// Axes count from 1, for the batch is axis 0 and stays. A mask ends here, as in Keras.
public struct Permute: Layer {
  /// For each axis of a sample afterwards, the axis before.
  public let dimensions: [Int]

  /// - Parameter dimensions: For each axis of a sample afterwards, the axis before: each of 1, 2, … once.
  public init(_ dimensions: [Int]) {
    precondition(
      dimensions.sorted() == Array(1..<dimensions.count + 1), "Permute takes each of 1, 2, … once, not \(dimensions)")
    self.dimensions = dimensions
  }

  /// Applies the layer to `[batch, ...]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    inOwnScope {
      guard x.rank == dimensions.count + 1 else {
        TensorError(
          operation: defaultName, problem: "input of shape \(x.shape)",
          expected: "a batch of samples with \(dimensions.count) axes, for the order \(dimensions)"
        ).report()
        return x
      }
      return x.transposed([0] + dimensions).withMask(nil)
    }
  }
}
