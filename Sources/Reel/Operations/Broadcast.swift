/// The operand repeated along new leading axes and axes of extent 1.
package struct Broadcast: Operation {
  let shape: Shape

  package var name: String { "broadcast" }
  package var pullbackReads: PullbackReads { [] }

  package func resultTypes(of operands: [TensorType]) throws(TensorError) -> [TensorType] {
    guard operands[0].shape.broadcast(with: shape) == shape else {
      throw TensorError(
        operation: name, operands: operands, problem: "shape \(operands[0].shape) does not broadcast to \(shape)",
        expected: "extents that agree or are 1, aligned at the last axis")
    }
    return [TensorType(shape, operands[0].elementType)]
  }

  package var isLayout: Bool { true }
  package func alias(of operand: View) -> View? {
    View(
      base: operand.base, byteOffset: operand.byteOffset, TensorType(shape, operand.type.elementType),
      strides: operand.strides(broadcastTo: shape))
  }

  package func run(_ operands: [Storage], into results: [Storage]) {
    let strides = operands[0].type.shape.strides(broadcastTo: shape)
    Kernels.copy(
      StridedView(operands[0], strides: strides), into: StridedView(results[0]), extents: shape.extents)
  }

  // The sweep adds up what was repeated, as for every operation.
  package func pullback(_ context: PullbackContext) -> [Tensor?] { [context.cotangent] }

  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] {
    let extents = operands[0].shape.extents
    let padding = [Int](repeating: 1, count: shape.rank - (extents.count - 1))
    let aligned = operands[0].reshaped(to: Shape(extents[..<1] + padding + extents[1...]))
    return [aligned.broadcasted(to: shape.inserting(count, at: 0))]
  }
}

extension Broadcast: ReadableOperation {
  package static let names = ["broadcast"]

  package init(reading text: inout OperationText) throws(GraphSyntaxError) {
    try text.expect(operands: 1)
    shape = text.results[0].shape
  }
}

extension Tensor {
  /// The tensor repeated along new leading axes and axes of extent 1 until it has the shape.
  public func broadcasted(to shape: Shape) -> Tensor { shape == self.shape ? self : Broadcast(shape: shape)(self) }

  /// The tensor so many times along a new leading axis.
  func repeated(_ count: Int) -> Tensor { broadcasted(to: shape.inserting(count, at: 0)) }

  /// The tensor summed over the axes along which it repeats a tensor of the shape: the transpose of broadcasting.
  func unbroadcasted(to target: Shape) -> Tensor {
    if shape == target { return self }
    let offset = rank - target.rank
    let repeated = (0..<rank).filter { $0 < offset || (target[$0 - offset] == 1 && shape[$0] != 1) }
    return sum(along: repeated, keepDims: true).reshaped(to: target)
  }
}
