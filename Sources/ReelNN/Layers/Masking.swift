import Reel

/// Marks the steps whose features all equal one value as not real: Keras's `Masking`.
///
/// `[batch, time, features]` → the same with a mask, `any(x ≠ maskValue)` along features; steps that are not real become 0,
/// whatever the value is. What the input's own mask says is replaced.
public struct Masking: Layer {
  /// What every feature of a step has where the step is not real.
  public let maskValue: Double

  /// - Parameter maskValue: What every feature of a step has where the step is not real; 0 by default.
  public init(maskValue: Double = 0) {
    self.maskValue = maskValue
  }

  /// Applies the layer to `[batch, time, features]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    inOwnScope {
      guard x.rank >= 3 else {
        TensorError(
          operation: defaultName, problem: "input of shape \(x.shape)", expected: "[batch, time, features]"
        ).report()
        return .zeros([1, 1, 1])
      }
      let isReal = (x .!= Tensor(floatLiteral: maskValue)).any(along: [-1])
      return select(isReal.expanded(at: -1), x, 0).withMask(isReal)
    }
  }
}
