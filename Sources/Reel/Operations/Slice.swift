/// Every `step`-th element from `start` along one axis, `count` of them; a negative step goes backwards.
package struct Slice: Operation {
  /// Counted from the end.
  let axis: Int
  let start: Int
  let step: Int
  let count: Int

  package var name: String { "slice" }
  package var pullbackReads: PullbackReads { [] }
  package var isSelection: Bool { true }
  package var attributes: String { "axis=\(axis), start=\(start), step=\(step), count=\(count)" }

  package func resultTypes(of operands: [TensorType]) throws(TensorError) -> [TensorType] {
    let shape = operands[0].shape
    let index = try shape.normalized(axis: axis, in: name)
    let last = start + (count - 1) * step
    guard count >= 0, step != 0, count == 0 || (min(start, last) >= 0 && max(start, last) < shape[index]) else {
      throw TensorError(
        operation: name, operands: operands,
        problem: "\(count) elements from \(start) by \(step) along axis \(axis) of extent \(shape[index])",
        expected: "elements 0..<\(shape[index])")
    }
    return [TensorType(shape.replacing(index, with: count), operands[0].elementType)]
  }

  package var isLayout: Bool { true }
  package func alias(of operand: View) -> View? {
    operand.sliced(axis: axis + operand.shape.rank, start: start, step: step, count: count)
  }

  package func run(_ operands: [Storage], into results: [Storage]) {
    let shape = operands[0].type.shape
    var strides = shape.strides
    let offset = count == 0 ? 0 : start * strides[axis + shape.rank]
    strides[axis + shape.rank] *= step
    Kernels.copy(
      StridedView(operands[0], offset: offset, strides: strides), into: StridedView(results[0]),
      extents: results[0].type.shape.extents)
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    let extent = context.operands[0].shape[axis]
    return [Unslice(axis: axis, start: start, step: step, extent: extent)(context.cotangent)]
  }

  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] { apply(operands) }
}

extension Slice: ReadableOperation {
  package static let names = ["slice"]

  package init(reading text: inout OperationText) throws(GraphSyntaxError) {
    try text.expect(operands: 1)
    axis = try text.int("axis")
    start = try text.int("start")
    step = try text.int("step")
    count = try text.count("count")
  }
}

/// The transpose of a slice: the operand's elements at every `step`-th place from `start` along one axis of `extent`,
/// zeros elsewhere. Padding with zeros is a case of it.
package struct Unslice: Operation {
  /// Counted from the end.
  let axis: Int
  let start: Int
  let step: Int
  let extent: Int

  package var name: String { "unslice" }
  package var pullbackReads: PullbackReads { [] }
  package var attributes: String { "axis=\(axis), start=\(start), step=\(step), extent=\(extent)" }

  package func resultTypes(of operands: [TensorType]) throws(TensorError) -> [TensorType] {
    let shape = operands[0].shape
    let index = try shape.normalized(axis: axis, in: name)
    let last = start + (shape[index] - 1) * step
    guard step != 0, shape[index] == 0 || (min(start, last) >= 0 && max(start, last) < extent) else {
      throw TensorError(
        operation: name, operands: operands,
        problem: "\(shape[index]) elements from \(start) by \(step) do not fit an axis of extent \(extent)",
        expected: "places 0..<\(extent)")
    }
    return [TensorType(shape.replacing(index, with: extent), operands[0].elementType)]
  }

  package func lower(_ operands: [View], into results: [View], _ lowering: inout Lowering) -> Bool {
    guard results[0].isDense else { return false }
    lowering.fill(results[0], with: 0)
    let count = operands[0].shape[axis]
    lowering.copy(
      operands[0], into: results[0].sliced(axis: axis + operands[0].shape.rank, start: start, step: step, count: count))
    return true
  }

  package func run(_ operands: [Storage], into results: [Storage]) {
    Kernels.fill(results[0], with: 0)
    let shape = operands[0].type.shape
    var strides = results[0].type.shape.strides
    let offset = shape.count == 0 ? 0 : start * strides[axis + shape.rank]
    strides[axis + shape.rank] *= step
    Kernels.copy(
      StridedView(operands[0]), into: StridedView(results[0], offset: offset, strides: strides), extents: shape.extents)
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    let count = context.operands[0].shape[axis]
    return [Slice(axis: axis, start: start, step: step, count: count)(context.cotangent)]
  }

  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] { apply(operands) }
}

extension Unslice: ReadableOperation {
  package static let names = ["unslice"]

  package init(reading text: inout OperationText) throws(GraphSyntaxError) {
    try text.expect(operands: 1)
    axis = try text.int("axis")
    start = try text.int("start")
    step = try text.int("step")
    extent = try text.count("extent")
  }
}

extension Tensor {
  /// The elements of a range along an axis, every `step`-th of them from the first.
  ///
  /// - Parameters:
  ///   - range: Indices along the axis, from 0.
  ///   - axis: The axis; negative ones count from the end.
  ///   - step: The distance between elements taken; 1 by default.
  public func sliced(_ range: Range<Int>, along axis: Int, step: Int = 1) -> Tensor {
    let axis = axisFromEnd(axis, in: "slice")
    if range == 0..<shape[axis] && step == 1 { return self }
    let count = step > 0 ? (range.count + step - 1) / step : 0
    return Slice(axis: axis, start: range.lowerBound, step: step, count: count)(self)
  }

  /// The elements along an axis in reverse order; negative axes count from the end.
  public func reversed(along axis: Int) -> Tensor {
    Slice(axis: axisFromEnd(axis, in: "reversed"), start: shape[axis] - 1, step: -1, count: shape[axis])(self)
  }

  /// The tensor with elements added before and after along an axis.
  ///
  /// - Parameters:
  ///   - before: How many to add in front, at least 0.
  ///   - after: How many to add at the end, at least 0.
  ///   - axis: The axis; negative ones count from the end.
  ///   - value: The number to add; 0 by default.
  public func padded(before: Int = 0, after: Int = 0, along axis: Int, with value: Double = 0) -> Tensor {
    if before == 0 && after == 0 { return self }
    let fromEnd = axisFromEnd(axis, in: "padded")
    let extent = before + shape[fromEnd] + after
    guard fromEnd + rank >= 0 else { return self }
    guard before >= 0, after >= 0 else {
      TensorError(
        operation: "padded", operands: [type], problem: "\(before) elements before and \(after) after",
        expected: "counts of at least 0"
      ).report()
      return self
    }
    if value == 0 { return Unslice(axis: fromEnd, start: before, step: 1, extent: extent)(self) }
    func border(_ count: Int) -> Tensor {
      Tensor(repeating: value, shape: shape.replacing(fromEnd + rank, with: count), elementType: elementType)
    }
    return concatenated([border(before), self, border(after)], along: fromEnd)
  }

  /// The part at one index of the leading axis, which goes: `x[2]` of shape `[5, 3]` has shape `[3]`. Negative indices
  /// count from the end.
  public subscript(index: Int) -> Tensor { part(at: index, along: 0) }

  /// The parts at a range of indices of the leading axis, which stays.
  public subscript(range: Range<Int>) -> Tensor { sliced(range, along: 0) }

  /// The part at one index along an axis, which goes. Negative indices and axes count from the end.
  public func part(at index: Int, along axis: Int) -> Tensor {
    let fromEnd = axisFromEnd(axis, in: "part")
    let position = index < 0 ? index + shape[fromEnd] : index
    let slice = Slice(axis: fromEnd, start: position, step: 1, count: 1)(self)
    return fromEnd + rank >= 0 ? slice.reshaped(to: shape.removing(fromEnd + rank)) : slice
  }
}
