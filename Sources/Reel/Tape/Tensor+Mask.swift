/// Which steps of sequences are real, as a tensor carries it from layer to layer.
///
/// A reference, because a tensor cannot hold a tensor.
final class StepMask: Sendable {
  let steps: Tensor

  init(_ steps: Tensor) { self.steps = steps }
}

extension Tensor {
  /// Which steps of the sequences are real: `bool [batch, time]`; nil if all are.
  ///
  /// Layers give and take masks with their tensors, as in Keras: an embedding marks padding, a recurrent layer passes
  /// over it. The result of a bare operation has no mask.
  public var mask: Tensor? { stepMask?.steps }

  /// The same tensor with a mask, `bool [batch, time]`, or with none if nil.
  public func withMask(_ mask: Tensor?) -> Tensor {
    var copy = self
    copy.stepMask = mask.map(StepMask.init)
    return copy
  }
}
