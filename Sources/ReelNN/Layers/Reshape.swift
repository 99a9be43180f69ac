import Reel

/// The elements of each sample in row-major order under another shape: Keras's `Reshape`.
///
///     Reshape([3, -1])    // [batch, 4, 6] → [batch, 3, 8]
///
/// `[batch, ...]` → `[batch] + targetShape`. A mask ends here, as in Keras.
public struct Reshape: Layer {
  /// The shape of a sample afterwards; -1 stands for what is left.
  public let targetShape: [Int]

  /// - Parameter targetShape: The shape of a sample afterwards. One extent may be -1: what is left of the elements.
  public init(_ targetShape: [Int]) {
    precondition(
      targetShape.allSatisfy { $0 >= -1 } && targetShape.count { $0 == -1 } <= 1,
      "Reshape takes extents of at least 0, and -1 once, not \(targetShape)")
    self.targetShape = targetShape
  }

  /// Applies the layer to `[batch, ...]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    inOwnScope {
      let count = x.shape.extents.dropFirst().reduce(1, *)
      let known = targetShape.filter { $0 != -1 }.reduce(1, *)
      let rest = known > 0 && count % known == 0 ? count / known : 0
      let extents = targetShape.map { $0 == -1 ? rest : $0 }
      guard x.rank > 0, extents.reduce(1, *) == count else {
        TensorError(
          operation: defaultName, problem: "samples of \(count) elements, of input of shape \(x.shape)",
          expected: "[batch, ...] with samples that fill \(targetShape)"
        ).report()
        return x
      }
      return x.reshaped(to: Shape([x.shape[0]] + extents)).withMask(nil)
    }
  }
}
