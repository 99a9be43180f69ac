import Reel

/// A penalty on the value of a parameter, added to the loss: Keras's regularizers.
///
///     Dense(10, kernelRegularizer: .l2(1e-4))
///
/// The penalty of a whole model is ``Module/penalty``. It is added once a step, and is not divided by the batch size.
public struct Regularizer: Sendable {
  /// The name in summaries.
  public let name: String
  private let penalty: @Sendable (Tensor) -> Tensor

  /// A regularizer of your own: a scalar from the value of a parameter, in its element type.
  public init(_ name: String, _ penalty: @escaping @Sendable (_ w: Tensor) -> Tensor) {
    self.name = name
    self.penalty = penalty
  }

  /// The penalty on a value, a scalar.
  public func callAsFunction(_ w: Tensor) -> Tensor { penalty(w) }
}
