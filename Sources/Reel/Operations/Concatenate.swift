/// The operands one after another along an axis.
package struct Concatenate: Operation {
  /// Counted from the end.
  let axis: Int

  package var name: String { "concatenate" }
  package var pullbackReads: PullbackReads { [] }
  package var attributes: String { "axis=\(axis)" }

  package func resultTypes(of operands: [TensorType]) throws(TensorError) -> [TensorType] {
    guard let first = operands.first else {
      throw TensorError(operation: name, problem: "no operands", expected: "at least one")
    }
    let index = try first.shape.normalized(axis: axis, in: name)
    var extent = 0
    for operand in operands {
      guard operand.elementType == first.elementType, operand.shape.rank == first.shape.rank,
        operand.shape.replacing(index, with: 0) == first.shape.replacing(index, with: 0)
      else {
        throw TensorError(
          operation: name, operands: operands, problem: "operands that differ in more than axis \(axis)",
          expected: "one element type, and shapes that agree but for that axis")
      }
      extent += operand.shape[index]
    }
    return [TensorType(first.shape.replacing(index, with: extent), first.elementType)]
  }

  package func run(_ operands: [Storage], into results: [Storage]) {
    let strides = results[0].type.shape.strides
    var offset = 0
    for operand in operands {
      let shape = operand.type.shape
      Kernels.copy(
        StridedView(operand), into: StridedView(results[0], offset: offset, strides: strides), extents: shape.extents)
      offset += shape[axis] * strides[axis + shape.rank]
    }
  }

  /// The part of the result that each operand is.
  func parts(of result: View, extents: [Int]) -> [View] {
    var start = 0
    return extents.map { extent in
      defer { start += extent }
      return result.sliced(axis: axis + result.shape.rank, start: start, step: 1, count: extent)
    }
  }

  package func lower(_ operands: [View], into results: [View], _ lowering: inout Lowering) -> Bool {
    for (operand, part) in zip(operands, parts(of: results[0], extents: operands.map { $0.shape[axis] }))
    where operand != part {
      lowering.copy(operand, into: part)
    }
    return true
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    var start = 0
    return zip(context.operands, context.isActive).map { operand, isActive in
      let extent = operand.shape[axis]
      defer { start += extent }
      return isActive ? context.cotangent.sliced(start..<start + extent, along: axis) : nil
    }
  }

  // One concatenation, where the transpose of the slices would be a sum of padded parts.
  package func pushforward(_ operands: [Tensor], _ tangents: [Tensor?]) -> (results: [Tensor], tangents: [Tensor?]) {
    (apply(operands), apply(zip(operands, tangents).map { $1 ?? .zeros(like: $0) }))
  }

  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] {
    apply(
      zip(operands, isBatched).map { operand, isBatched in
        isBatched ? operand : operand.broadcasted(to: operand.shape.inserting(count, at: 0))
      })
  }
}

extension Concatenate: ReadableOperation {
  package static let names = ["concatenate"]

  package init(reading text: inout OperationText) throws(GraphSyntaxError) {
    try text.expect(operands: text.operands.count)
    axis = try text.int("axis")
  }
}

/// Tensors one after another along an axis.
///
/// - Parameters:
///   - parts: At least one; shapes agree but for the axis.
///   - axis: The axis; negative ones count from the end. The leading one by default.
public func concatenated(_ parts: [Tensor], along axis: Int = 0) -> Tensor {
  if parts.count == 1 { return parts[0] }
  return Concatenate(axis: parts.first?.axisFromEnd(axis, in: "concatenate") ?? -1).apply(parts)[0]
}

/// Tensors of one shape side by side along a new axis.
///
/// - Parameters:
///   - parts: At least one.
///   - axis: Where the new axis is afterwards; negative ones count from the end. The leading one by default.
public func stacked(_ parts: [Tensor], along axis: Int = 0) -> Tensor {
  concatenated(parts.map { $0.expanded(at: axis) }, along: axis)
}

extension Tensor {
  /// The parts at each index along an axis, which goes: the inverse of ``stacked(_:along:)``.
  public func unstacked(along axis: Int = 0) -> [Tensor] {
    (0..<shape[axisFromEnd(axis, in: "unstacked")]).map { part(at: $0, along: axis) }
  }

  /// Consecutive parts of the given extents along an axis.
  ///
  /// - Parameters:
  ///   - extents: The extent of each part; they add up to that of the axis.
  ///   - axis: The axis; the last one by default.
  public func split(_ extents: [Int], along axis: Int = -1) -> [Tensor] {
    let extent = shape[axisFromEnd(axis, in: "split")]
    guard extents.reduce(0, +) == extent, extents.allSatisfy({ $0 >= 0 }) else {
      TensorError(
        operation: "split", operands: [type], problem: "parts \(extents) of axis \(axis)",
        expected: "parts that add up to \(extent)"
      ).report()
      return extents.map { _ in self }
    }
    var start = 0
    return extents.map { extent in
      defer { start += extent }
      return sliced(start..<start + extent, along: axis)
    }
  }

  /// Equal consecutive parts along an axis, whose extent is a multiple of their number.
  ///
  /// - Parameters:
  ///   - count: How many parts.
  ///   - axis: The axis; the last one by default.
  public func split(into count: Int, along axis: Int = -1) -> [Tensor] {
    let extent = shape[axisFromEnd(axis, in: "split")]
    guard count > 0, extent % count == 0 else {
      TensorError(
        operation: "split", operands: [type], problem: "\(count) equal parts of axis \(axis)",
        expected: "a divisor of \(extent)"
      ).report()
      return Array(repeating: self, count: Swift.max(count, 4))
    }
    return split(Array(repeating: extent / count, count: count), along: axis)
  }

  /// Two equal parts along an axis, as in `let (a, b) = x.split(into: 2)`.
  public func split(into count: Int, along axis: Int = -1) -> (Tensor, Tensor) {
    let parts: [Tensor] = split(into: expecting(count, 2), along: axis)
    return (parts[0], parts[1])
  }

  /// Three equal parts along an axis, as in `let (a, b, c) = x.split(into: 3)`.
  public func split(into count: Int, along axis: Int = -1) -> (Tensor, Tensor, Tensor) {
    let parts: [Tensor] = split(into: expecting(count, 3), along: axis)
    return (parts[0], parts[1], parts[2])
  }

  /// Four equal parts along an axis, as in `let (a, b, c, d) = x.split(into: 4)`.
  public func split(into count: Int, along axis: Int = -1) -> (Tensor, Tensor, Tensor, Tensor) {
    let parts: [Tensor] = split(into: expecting(count, 4), along: axis)
    return (parts[0], parts[1], parts[2], parts[3])
  }

  private func expecting(_ count: Int, _ names: Int) -> Int {
    if count != names {
      TensorError(
        operation: "split", operands: [type], problem: "\(count) parts taken apart into \(names) names",
        expected: "as many names as parts"
      ).report()
    }
    return names
  }
}
