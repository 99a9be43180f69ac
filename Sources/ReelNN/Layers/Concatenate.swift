import Reel

/// Its inputs one after another along an axis: Keras's `Concatenate`.
///
/// Shapes agree but for the axis. The output has a mask if any input has one: where an input has none, all its steps are real.
/// Along the features a step is real where it is real in any input; along time masks are put together as the inputs are.
public struct Concatenate: Layer {
  /// The axis along which the inputs are put together.
  public let axis: Int

  /// - Parameter axis: The axis along which the inputs are put together; negative ones count from the end. The last one by
  ///   default.
  public init(axis: Int = -1) {
    self.axis = axis
  }

  /// Applies the layer to at least one tensor.
  public func callAsFunction(_ inputs: [Tensor]) -> Tensor {
    inOwnScope {
      let joined = concatenated(inputs, along: axis)
      return joined.withMask(inputs.contains { $0.mask != nil } ? mask(of: inputs, rank: joined.rank) : nil)
    }
  }

  private func mask(of inputs: [Tensor], rank: Int) -> Tensor? {
    let masks = inputs.map { x -> Tensor in
      let steps = Shape(Array(x.shape.extents.prefix(2)))
      return x.mask ?? Tensor([Bool](repeating: true, count: steps.count), shape: steps)
    }
    let own = axis < 0 ? axis + rank : axis
    return own < 2 ? concatenated(masks, along: own) : masks.dropFirst().reduce(masks[0]) { $0 .| $1 }
  }
}
