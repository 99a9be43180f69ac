/// The same elements in row-major order under another shape.
package struct Reshape: Operation {
  let shape: Shape

  package var name: String { "reshape" }
  package var pullbackReads: PullbackReads { [] }
  package var isView: Bool { true }

  package func resultTypes(of operands: [TensorType]) throws(TensorError) -> [TensorType] {
    guard operands[0].shape.count == shape.count else {
      throw TensorError(
        operation: name, operands: operands,
        problem: "\(operands[0].shape.count) elements do not fill shape \(shape)",
        expected: "a shape of \(operands[0].shape.count) elements")
    }
    return [TensorType(shape, operands[0].elementType)]
  }

  package var isLayout: Bool { true }
  package func alias(of operand: View) -> View? { operand.reshaped(to: shape) }

  package func run(_ operands: [Storage], into results: [Storage]) { results[0].copy(from: operands[0]) }

  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    [context.cotangent.reshaped(to: context.operands[0].shape)]
  }

  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] {
    [operands[0].reshaped(to: shape.inserting(count, at: 0))]
  }
}

extension Reshape: ReadableOperation {
  package static let names = ["reshape"]

  package init(reading text: inout OperationText) throws(GraphSyntaxError) {
    try text.expect(operands: 1)
    shape = text.results[0].shape
  }
}

extension Tensor {
  /// The same elements in row-major order under another shape with as many elements.
  public func reshaped(to shape: Shape) -> Tensor { shape == self.shape ? self : Reshape(shape: shape)(self) }

  /// The same elements with the axes from `first` on taken together as one: `[2, 3, 4]` flattened from axis 1 is `[2, 12]`.
  public func flattened(from first: Int = 0) -> Tensor {
    guard first >= 0, first <= rank else {
      TensorError(
        operation: "flattened", operands: [type], problem: "axes from \(first) on",
        expected: "a first axis in 0...\(rank)"
      ).report()
      return self
    }
    return reshaped(to: Shape(shape.extents[..<first] + [shape.extents[first...].reduce(1, *)]))
  }

  /// The same elements with a new axis of extent 1, which has the index `axis` afterwards; negative ones count from the end.
  public func expanded(at axis: Int) -> Tensor {
    let index = axis < 0 ? axis + rank + 1 : axis
    guard index >= 0, index <= rank else {
      TensorError(
        operation: "expanded", operands: [type], problem: "a new axis at \(axis)", expected: "\(-rank - 1)...\(rank)"
      ).report()
      return self
    }
    return reshaped(to: shape.inserting(1, at: index))
  }

  /// The same elements without an axis, whose extent is 1; negative ones count from the end.
  public func squeezed(at axis: Int) -> Tensor {
    let index = axisFromEnd(axis, in: "squeezed") + rank
    guard index >= 0, shape[index] == 1 else {
      TensorError(
        operation: "squeezed", operands: [type], problem: "axis \(axis) has extent \(shape[axis])",
        expected: "an axis of extent 1"
      ).report()
      return self
    }
    return reshaped(to: shape.removing(index))
  }
}
