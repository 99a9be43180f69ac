/// Windows along one axis, which becomes two: element j of window i is element `i · stride + j · dilation`.
///
/// Windows may overlap and cost nothing: they are the operand in other strides.
package struct Windows: Operation {
  /// Of the operand, counted from the end.
  let axis: Int
  /// The elements of a window.
  let size: Int
  /// Between the starts of windows, and between the elements of one.
  let stride, dilation: Int

  package var name: String { "windows" }
  package var pullbackReads: PullbackReads { [] }
  package var attributes: String { "axis=\(axis), size=\(size), stride=\(stride), dilation=\(dilation)" }

  /// The elements that a window reaches over.
  private var reach: Int { (size - 1) * dilation + 1 }

  package func resultTypes(of operands: [TensorType]) throws(TensorError) -> [TensorType] {
    let shape = operands[0].shape
    let index = try shape.normalized(axis: axis, in: name)
    guard size > 0, stride > 0, dilation > 0, shape[index] >= reach else {
      throw TensorError(
        operation: name, operands: operands,
        problem: "windows of \(size) by stride \(stride) and dilation \(dilation) along axis \(axis)",
        expected: "positive numbers, and a window that fits the extent \(shape[index])")
    }
    let count = (shape[index] - reach) / stride + 1
    return [TensorType(shape.replacing(index, with: count).inserting(size, at: index + 1), operands[0].elementType)]
  }

  package var isLayout: Bool { true }
  package func alias(of operand: View) -> View? {
    let front = axis + operand.shape.rank
    var strides = operand.strides
    strides.insert(strides[front] * dilation, at: front + 1)
    strides[front] *= stride
    let count = (operand.shape[front] - reach) / stride + 1
    let shape = operand.shape.replacing(front, with: count).inserting(size, at: front + 1)
    return View(
      base: operand.base, byteOffset: operand.byteOffset, TensorType(shape, operand.type.elementType), strides: strides)
  }

  package func run(_ operands: [Storage], into results: [Storage]) {
    let view = alias(of: View(base: 0, operands[0].type))!
    Kernels.copy(
      StridedView(operands[0], strides: view.strides), into: StridedView(results[0]), extents: view.shape.extents)
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    [
      OverlapAdd(axis: axis, stride: stride, dilation: dilation, extent: context.operands[0].shape[axis])(
        context.cotangent)
    ]
  }

  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] { apply(operands) }
}

extension Windows: ReadableOperation {
  package static let names = ["windows"]

  package init(reading text: inout OperationText) throws(GraphSyntaxError) {
    try text.expect(operands: 1)
    axis = try text.int("axis")
    size = try text.count("size")
    stride = try text.count("stride")
    dilation = try text.count("dilation")
  }
}

/// The transpose of ``Windows``: windows added up where they overlap, along an axis of `extent`; zeros between them.
package struct OverlapAdd: Operation {
  /// Of the result, counted from the end. The operand has two axes in its place: windows, and the elements of each.
  let axis: Int
  /// Between the starts of windows, and between the elements of one.
  let stride, dilation: Int
  let extent: Int

  package var name: String { "overlapAdd" }
  package var pullbackReads: PullbackReads { [] }
  package var attributes: String { "axis=\(axis), stride=\(stride), dilation=\(dilation), extent=\(extent)" }
  package var isCheap: Bool { false }

  package func resultTypes(of operands: [TensorType]) throws(TensorError) -> [TensorType] {
    let shape = operands[0].shape
    guard shape.rank >= 2, axis < 0, axis + shape.rank > 0, operands[0].elementType.isNumeric else {
      throw TensorError(
        operation: name, operands: operands, problem: "an operand of type \(operands[0])",
        expected: "numbers of shape [..., windows, size, ...]")
    }
    let (windows, size) = (shape[axis - 1], shape[axis])
    guard stride > 0, dilation > 0, extent >= 0,
      windows == 0 || size == 0 || (windows - 1) * stride + (size - 1) * dilation < extent
    else {
      throw TensorError(
        operation: name, operands: operands,
        problem: "\(windows) windows of \(size) by stride \(stride) and dilation \(dilation)",
        expected: "positive numbers, and windows that fit the extent \(extent)")
    }
    let front = axis + shape.rank - 1
    return [TensorType(shape.removing(front).replacing(front, with: extent), operands[0].elementType)]
  }

  package func run(_ operands: [Storage], into results: [Storage]) {
    Kernels.fill(results[0], with: 0)
    Kernels.overlapAdd(
      operands[0], axis: axis + results[0].type.shape.rank, stride: stride, dilation: dilation, into: results[0])
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    let operand = context.operands[0]
    let (windows, size) = (operand.shape[axis - 1], operand.shape[axis])
    if windows == 0 || size == 0 { return [.zeros(like: operand)] }
    // Behind the last window there may be more room than the operand has windows for.
    let reach = (windows - 1) * stride + (size - 1) * dilation + 1
    let reached = context.cotangent.sliced(0..<reach, along: axis)
    return [Windows(axis: axis, size: size, stride: stride, dilation: dilation)(reached)]
  }

  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] { apply(operands) }
}

extension OverlapAdd: ReadableOperation {
  package static let names = ["overlapAdd"]

  package init(reading text: inout OperationText) throws(GraphSyntaxError) {
    try text.expect(operands: 1)
    axis = try text.int("axis")
    stride = try text.count("stride")
    dilation = try text.count("dilation")
    extent = try text.count("extent")
  }
}

extension Tensor {
  /// Windows of `size` elements along an axis, which becomes two: `[..., windows, size, ...]`.
  ///
  /// Element j of window i is element `i · stride + j · dilation`. Convolution is a product with them, pooling a reduction.
  /// In a compiled program they are a view, however much they overlap.
  ///
  /// - Parameters:
  ///   - size: The elements of a window, at least 1.
  ///   - stride: The distance between the starts of windows; 1 by default.
  ///   - dilation: The distance between the elements of a window; 1 by default.
  ///   - axis: The axis; negative ones count from the end.
  public func windows(of size: Int, stride: Int = 1, dilation: Int = 1, along axis: Int) -> Tensor {
    Windows(axis: axisFromEnd(axis, in: "windows"), size: size, stride: stride, dilation: dilation)(self)
  }

  /// Windows added up where they overlap, the transpose of ``windows(of:stride:dilation:along:)``:
  /// `[..., windows, size, ...]` gives `[..., extent, ...]`, with zeros where there is no window.
  ///
  /// Element `i · stride + j · dilation` gets element j of window i, in the order of i, then j.
  ///
  /// - Parameters:
  ///   - extent: The extent of the axis of the result, which every window fits.
  ///   - stride: The distance between the starts of windows; 1 by default.
  ///   - dilation: The distance between the elements of a window; 1 by default.
  ///   - axis: The axis of the result; negative ones count from the end. The operand has two in its place.
  public func overlapAdded(extent: Int, stride: Int = 1, dilation: Int = 1, along axis: Int) -> Tensor {
    OverlapAdd(axis: axis < 0 ? axis : axis - rank + 1, stride: stride, dilation: dilation, extent: extent)(self)
  }
}
