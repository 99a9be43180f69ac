/// The axes in another order.
package struct Transpose: Operation {
  /// For each axis of the result, the axis of the operand; both counted from the end, last first.
  let permutation: [Int]

  /// - Parameter order: For each axis of the result from the front, the axis of the operand from the front.
  init(order: [Int]) { permutation = order.reversed().map { $0 - order.count } }

  package var name: String { "transpose" }
  package var pullbackReads: PullbackReads { [] }
  package var attributes: String { "order=\(order(rank: permutation.count))" }

  /// The axis of the operand for each axis of the result, from the front; leading axes beyond the permutation stay.
  private func order(rank: Int) -> [Int] {
    Array(0..<rank - permutation.count) + permutation.reversed().map { $0 + rank }
  }

  package func resultTypes(of operands: [TensorType]) throws(TensorError) -> [TensorType] {
    let shape = operands[0].shape
    guard permutation.count <= shape.rank, Set(permutation) == Set(-permutation.count..<0) else {
      throw TensorError(
        operation: name, operands: operands,
        problem: "an order of axes \(permutation.reversed().map { $0 + permutation.count })",
        expected: "each of the \(shape.rank) axes once")
    }
    return [TensorType(Shape(order(rank: shape.rank).map { shape[$0] }), operands[0].elementType)]
  }

  package var isLayout: Bool { true }
  package func alias(of operand: View) -> View? { operand.transposed(order(rank: operand.shape.rank)) }

  package func run(_ operands: [Storage], into results: [Storage]) {
    let strides = operands[0].type.shape.strides
    Kernels.copy(
      StridedView(operands[0], strides: order(rank: strides.count).map { strides[$0] }),
      into: StridedView(results[0]), extents: results[0].type.shape.extents)
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    let order = order(rank: context.operands[0].rank)
    return [context.cotangent.transposed(order.indices.map { order.firstIndex(of: $0)! })]
  }

  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] { apply(operands) }
}

extension Transpose: ReadableOperation {
  package static let names = ["transpose"]

  package init(reading text: inout OperationText) throws(GraphSyntaxError) {
    try text.expect(operands: 1)
    self.init(order: try text.ints("order"))
  }
}

extension Tensor {
  /// The axes in another order: axis `order[i]` becomes axis `i`.
  ///
  /// - Parameter order: Each axis once, counted from the front or, if negative, from the end. Nil turns the order round,
  ///   which transposes a matrix.
  public func transposed(_ order: [Int]? = nil) -> Tensor {
    let order = order?.map { $0 < 0 ? $0 + rank : $0 } ?? Array((0..<rank).reversed())
    if order == Array(0..<rank) { return self }
    guard order.count == rank else {
      TensorError(
        operation: "transpose", operands: [type], problem: "an order of \(order.count) axes",
        expected: "each of the \(rank) axes once"
      ).report()
      return self
    }
    return Transpose(order: order)(self)
  }

  /// The tensor with axis `source` moved to where `destination` is; negative axes count from the end.
  public func movingAxis(_ source: Int, to destination: Int) -> Tensor {
    let (from, to) = (source < 0 ? source + rank : source, destination < 0 ? destination + rank : destination)
    var order = Array(0..<rank)
    guard order.indices.contains(from), order.indices.contains(to) else {
      TensorError(
        operation: "transpose", operands: [type], problem: "axis \(source) moved to \(destination)",
        expected: "axes in \(-rank)..<\(rank)"
      ).report()
      return self
    }
    order.insert(order.remove(at: from), at: to)
    return transposed(order)
  }
}
