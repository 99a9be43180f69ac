import Reel

/// A sequence without its first and last steps: Keras's `Cropping1D`.
///
/// `[batch, time, features]` → `[batch, time - before - after, features]`. A mask ends here, as in Keras.
public struct Cropping1D: Layer {
  /// The steps left out in front, and at the end.
  public let before, after: Int

  /// - Parameters:
  ///   - before: The steps left out in front.
  ///   - after: The steps left out at the end.
  public init(before: Int, after: Int) {
    precondition(before >= 0 && after >= 0, "Cropping1D leaves out at least 0 steps, not \(before) and \(after)")
    self.before = before
    self.after = after
  }

  /// As many steps at both ends; 1 by default.
  public init(_ cropping: Int = 1) {
    self.init(before: cropping, after: cropping)
  }

  /// Applies the layer to `[batch, time, features]`, of which at least one step is left.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    inOwnScope {
      guard takesSequence(x) else { return .zeros([1, 1, 1]) }
      guard x.shape[1] > before + after else {
        TensorError(
          operation: defaultName, problem: "\(before + after) steps to leave out, for input of shape \(x.shape)",
          expected: "more steps"
        ).report()
        return x
      }
      return x.sliced(before..<x.shape[1] - after, along: 1).withMask(nil)
    }
  }
}
