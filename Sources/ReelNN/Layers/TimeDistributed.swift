import Reel

/// One layer, with the same weights, at every step of a sequence: Keras's `TimeDistributed`.
///
/// `[batch, time, ...]` → `[batch, time] + output`, where the layer takes `[batch, ...]` and gives `[batch] + output`. Steps are
/// rows of one call on `[batch · time, ...]`, unless the layer couples the samples of a batch (``BatchCoupled``): then there is
/// a call for each step. The output has the input's mask; axes of the mask behind time are the mask of the layer's input.
public struct TimeDistributed<Wrapped: Layer>: Layer where Wrapped.Input == Tensor, Wrapped.Output == Tensor {
  /// What is applied at every step.
  public let layer: Wrapped

  /// - Parameter layer: What is applied at every step.
  public init(_ layer: Wrapped) {
    self.layer = layer
  }

  /// Applies the layer to `[batch, time, ...]`.
  public func callAsFunction(_ x: Tensor) -> Tensor { inOwnScope { applied(to: x) } }

  private func applied(to x: Tensor) -> Tensor {
    guard x.rank >= 3, x.shape[1] > 0 else {
      TensorError(
        operation: defaultName, problem: "input of shape \(x.shape)",
        expected: "[batch, time, ...] with at least one step and a further axis"
      ).report()
      return .zeros([1, 1, 1])
    }
    let mask = x.mask
    if let mask, mask.rank < 2 || mask.shape[..<2] != x.shape[..<2] {
      TensorError(
        operation: defaultName, problem: "a mask of shape \(mask.shape) for input of shape \(x.shape)",
        expected: "[batch, time, ...]"
      ).report()
      return .zeros([1, 1, 1])
    }
    let inner = mask.flatMap { $0.rank > 2 ? $0 : nil }
    guard !couplesSamples(layer) else {
      let steps = (0..<x.shape[1]).map { step in
        layer(x.part(at: step, along: 1).withMask(inner?.part(at: step, along: 1))).withMask(nil)
      }
      return stacked(steps, along: 1).withMask(mask)
    }
    func merged(_ x: Tensor) -> Tensor {
      x.reshaped(to: Shape([x.shape[0] * x.shape[1]] + x.shape.extents.dropFirst(2)))
    }
    let y = layer(merged(x).withMask(inner.map(merged)))
    return y.reshaped(to: Shape(Array(x.shape.extents[..<2]) + y.shape.extents.dropFirst())).withMask(mask)
  }
}

/// A layer whose output for one sample depends on the other samples of the batch, such as batch normalisation.
public protocol BatchCoupled: Module {
  /// Whether it does so now; it may depend on ``Training/isActive``.
  var couplesSamples: Bool { get }
}

/// Whether a layer, or a module in it, couples the samples of a batch.
private func couplesSamples(_ layer: some Layer) -> Bool {
  var isCoupled = false
  visitMembers(of: layer, at: "") { _, value in
    isCoupled = isCoupled || (value as? any BatchCoupled)?.couplesSamples == true
    return isCoupled
  }
  return isCoupled
}
