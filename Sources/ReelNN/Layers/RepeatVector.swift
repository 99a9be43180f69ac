import Reel

/// One vector at each of `count` steps: Keras's `RepeatVector`.
///
/// `[batch, features]` → `[batch, count, features]`.
public struct RepeatVector: Layer {
  /// The number of steps.
  public let count: Int

  /// - Parameter count: The number of steps.
  public init(_ count: Int) {
    precondition(count > 0, "RepeatVector needs at least one step, not \(count)")
    self.count = count
  }

  /// Applies the layer to `[batch, features]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    inOwnScope {
      guard x.rank == 2 else {
        TensorError(
          operation: defaultName, problem: "input of shape \(x.shape)", expected: "[batch, features]"
        ).report()
        return .zeros([1, count, 1])
      }
      return x.expanded(at: 1).broadcasted(to: [x.shape[0], count, x.shape[1]])
    }
  }
}
