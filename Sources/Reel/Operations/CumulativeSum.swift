/// The running sum along an axis.
package struct CumulativeSum: Operation {
  /// Counted from the end.
  let axis: Int
  let isExclusive: Bool
  let isReversed: Bool

  package var name: String { "cumulativeSum" }
  package var pullbackReads: PullbackReads { [] }
  package var attributes: String {
    "axis=\(axis)" + (isExclusive ? ", exclusive" : "") + (isReversed ? ", reverse" : "")
  }
  package var isCheap: Bool { false }

  package func resultTypes(of operands: [TensorType]) throws(TensorError) -> [TensorType] {
    guard operands[0].elementType.isNumeric else {
      throw TensorError(operation: name, operands: operands, problem: "an operand of type bool", expected: "numbers")
    }
    _ = try operands[0].shape.normalized(axis: axis, in: name)
    return operands
  }

  package func run(_ operands: [Storage], into results: [Storage]) {
    Kernels.cumulativeSum(
      operands[0], axis: axis + operands[0].type.shape.rank, isExclusive: isExclusive, isReversed: isReversed,
      into: results[0])
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    [CumulativeSum(axis: axis, isExclusive: isExclusive, isReversed: !isReversed)(context.cotangent)]
  }

  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] { apply(operands) }
}

extension CumulativeSum: ReadableOperation {
  package static let names = ["cumulativeSum"]

  package init(reading text: inout OperationText) throws(GraphSyntaxError) {
    try text.expect(operands: 1)
    axis = try text.int("axis")
    isExclusive = text.flag("exclusive")
    isReversed = text.flag("reverse")
  }
}

extension Tensor {
  /// The running sum along an axis.
  ///
  /// - Parameters:
  ///   - axis: The axis; negative ones count from the end.
  ///   - exclusive: Whether each sum leaves out its own element.
  ///   - reverse: Whether to add from the end.
  public func cumulativeSum(along axis: Int = -1, exclusive: Bool = false, reverse: Bool = false) -> Tensor {
    CumulativeSum(axis: axisFromEnd(axis, in: "cumulativeSum"), isExclusive: exclusive, isReversed: reverse)(self)
  }
}
