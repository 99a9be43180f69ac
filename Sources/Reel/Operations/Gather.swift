/// The parts at some indices along an axis. Indices out of range are clamped.
package struct Gather: Operation {
  /// Counted from the end.
  let axis: Int

  package var name: String { "gather" }
  package var pullbackReads: PullbackReads { .operands }
  package var attributes: String { "axis=\(axis)" }

  package func resultTypes(of operands: [TensorType]) throws(TensorError) -> [TensorType] {
    let (x, indices) = (operands[0], operands[1])
    let index = try x.shape.normalized(axis: axis, in: name)
    guard indices.elementType == .int32, indices.shape.rank == 1 else {
      throw TensorError(
        operation: name, operands: operands, problem: "indices of type \(indices)", expected: "i32[count]")
    }
    guard x.shape[index] > 0 || indices.shape.count == 0 else {
      throw TensorError(
        operation: name, operands: operands, problem: "nothing to take along axis \(axis)",
        expected: "at least one element")
    }
    return [TensorType(x.shape.replacing(index, with: indices.shape.count), x.elementType)]
  }

  package func run(_ operands: [Storage], into results: [Storage]) {
    Kernels.gather(operands[0], operands[1], axis: axis + operands[0].type.shape.rank, into: results[0])
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    let extent = context.operands[0].shape[axis]
    return context.cotangents(
      { ScatterAdd(axis: axis, extent: extent)($0.cotangent, Self.clamped($0.operands[1], extent: extent)) }, nil)
  }

  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] {
    let (x, indices) = (operands[0], operands[1])
    guard isBatched[1] else { return apply(operands) }
    let taken = indices.shape[1]
    guard isBatched[0] else {
      // [..., count·taken, ...] has the batch axis inside the gathered one.
      let flat = self(x, indices.flattened())
      let front = axis + flat.rank
      return [
        flat.reshaped(to: flat.shape.replacing(front, with: taken).inserting(count, at: front)).movingAxis(front, to: 0)
      ]
    }
    // Batch and axis become one axis of count·extent, and the indices of batch n start at n·extent.
    let front = x.movingAxis(axis, to: 1)
    let extent = front.shape[1]
    let table = front.reshaped(to: front.shape.removing(0).replacing(0, with: count * extent))
    let places = ScatterAdd.offset(Self.clamped(indices, extent: extent), count: count, extent: extent)
    let rows = Gather(axis: -table.rank)(table, places)
    return [rows.reshaped(to: front.shape.replacing(1, with: taken)).movingAxis(1, to: axis)]
  }

  /// The indices that are read: where scattering leaves out, gathering clamps.
  private static func clamped(_ indices: Tensor, extent: Int) -> Tensor {
    minimum(maximum(indices, 0), Tensor(.number(Double(extent - 1))))
  }
}

extension Gather: ReadableOperation {
  package static let names = ["gather"]

  package init(reading text: inout OperationText) throws(GraphSyntaxError) {
    try text.expect(operands: 2)
    axis = try text.int("axis")
  }
}

/// The transpose of ``Gather``: the operand's parts added up at some indices along an axis of `extent`.
package struct ScatterAdd: Operation {
  /// Counted from the end.
  let axis: Int
  let extent: Int

  package var name: String { "scatterAdd" }
  package var pullbackReads: PullbackReads { .operands }
  package var attributes: String { "axis=\(axis), extent=\(extent)" }
  package var isCheap: Bool { false }

  package func resultTypes(of operands: [TensorType]) throws(TensorError) -> [TensorType] {
    let (x, indices) = (operands[0], operands[1])
    let index = try x.shape.normalized(axis: axis, in: name)
    guard indices.elementType == .int32, indices.shape == [x.shape[index]], x.elementType.isNumeric else {
      throw TensorError(
        operation: name, operands: operands, problem: "numbers of type \(x) at indices of type \(indices)",
        expected: "one i32 index for each part along axis \(axis)")
    }
    guard extent >= 0 else {
      throw TensorError(
        operation: name, operands: operands, problem: "a result of extent \(extent)",
        expected: "an extent of at least 0")
    }
    return [TensorType(x.shape.replacing(index, with: extent), x.elementType)]
  }

  package func run(_ operands: [Storage], into results: [Storage]) {
    Kernels.fill(results[0], with: 0)
    Kernels.scatterAdd(operands[0], operands[1], axis: axis + operands[0].type.shape.rank, into: results[0])
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    // What was left out has no derivative.
    if extent == 0 { return [nil, nil] }
    return context.cotangents(
      { context in
        let isInside = Self.isInside(context.operands[1], extent: extent)
        let isTaken = isInside.reshaped(to: Shape([isInside.count] + [Int](repeating: 1, count: -1 - axis)))
        return select(isTaken, Gather(axis: axis)(context.cotangent, context.operands[1]), 0)
      }, nil)
  }

  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] {
    guard isBatched[1] else { return apply(operands) }
    let x = isBatched[0] ? operands[0] : operands[0].broadcasted(to: operands[0].shape.inserting(count, at: 0))
    let front = x.movingAxis(axis, to: 1)
    let parts = front.reshaped(to: front.shape.removing(0).replacing(0, with: count * front.shape[1]))
    let isInside = Self.isInside(operands[1], extent: extent).flattened()
    let places = select(isInside, Self.offset(operands[1], count: count, extent: extent), -1)
    let sum = ScatterAdd(axis: -parts.rank, extent: count * extent)(parts, places)
    return [sum.reshaped(to: front.shape.replacing(1, with: extent)).movingAxis(1, to: axis)]
  }

  /// Indices `[count, n]` into axes of `extent` as indices `[count·n]` into these axes one after another.
  static func offset(_ indices: Tensor, count: Int, extent: Int) -> Tensor {
    (indices + Tensor.iota(count, by: Double(extent)).expanded(at: 1)).flattened()
  }

  private static func isInside(_ indices: Tensor, extent: Int) -> Tensor {
    (indices .>= 0) .& (indices .< Tensor(.number(Double(extent))))
  }
}

extension ScatterAdd: ReadableOperation {
  package static let names = ["scatterAdd"]

  package init(reading text: inout OperationText) throws(GraphSyntaxError) {
    try text.expect(operands: 2)
    axis = try text.int("axis")
    extent = try text.count("extent")
  }
}

extension Tensor {
  /// The parts at some indices along an axis: `x[..., indices, ...]`.
  ///
  /// - Parameters:
  ///   - indices: `int32` of any shape, which takes the place of the axis. Out of range they are clamped.
  ///   - axis: The axis; negative ones count from the end. The leading one by default.
  public func gathered(at indices: Tensor, along axis: Int = 0) -> Tensor {
    let fromEnd = axisFromEnd(axis, in: "gathered")
    let flat = Gather(axis: fromEnd)(self, indices.flattened())
    let front = fromEnd + rank
    guard flat.rank == rank, front >= 0 else { return flat }
    return flat.reshaped(to: Shape(shape.extents[..<front] + indices.shape.extents + shape.extents[(front + 1)...]))
  }

  /// Zeros with the parts of this tensor added at some indices along an axis, in order; parts with an index out of range
  /// are left out.
  ///
  /// - Parameters:
  ///   - indices: `int32`, one for each part along the axis.
  ///   - extent: The extent of the axis of the result.
  ///   - axis: The axis; negative ones count from the end. The leading one by default.
  public func scatterAdded(at indices: Tensor, extent: Int, along axis: Int = 0) -> Tensor {
    ScatterAdd(axis: axisFromEnd(axis, in: "scatterAdded"), extent: extent)(self, indices)
  }

  /// 1 at each label and 0 elsewhere, along a new last axis of extent `depth`; all 0 for labels out of range.
  ///
  /// - Parameters:
  ///   - depth: The number of classes.
  ///   - elementType: The element type of the result; ``ElementType/default`` if nil.
  public func oneHot(_ depth: Int, elementType: ElementType? = nil) -> Tensor {
    (expanded(at: -1) .== .iota(depth)).converted(to: elementType ?? .default)
  }
}
