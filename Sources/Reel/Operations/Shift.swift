/// A stack of steps one step later: `initial, stack[0], stack[1], …` without the last step, or the other way round.
///
///     operands:  initial [...], stack [length, ...]      result:  [length, ...]
///
/// The states that enter the steps of a loop are the states that leave them, shifted: one buffer with one more slot.
package struct Shift: Operation {
  /// Whether the stack was written from its end: `stack[1], …, stack[length - 1], initial`.
  let isReversed: Bool

  package var name: String { "shift" }
  package var attributes: String { isReversed ? "reverse" : "" }

  package func resultTypes(of operands: [TensorType]) throws(TensorError) -> [TensorType] {
    guard operands[1].shape.rank > 0, operands[1].shape[0] > 0, operands[0].stacked(operands[1].shape[0]) == operands[1]
    else {
      throw TensorError(
        operation: name, operands: operands, problem: "a first step that is not of the type of the others",
        expected: "[...] and [length, ...] of one element type, with at least one step")
    }
    return [operands[1]]
  }

  package func run(_ operands: [Storage], into results: [Storage]) {
    let length = operands[1].type.shape[0]
    for step in 0..<length {
      let source = isReversed ? step + 1 : step - 1
      results[0].slice(step).copy(from: (0..<length).contains(source) ? operands[1].slice(source) : operands[0])
    }
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    context.cotangents(
      { $0.cotangent[isReversed ? -1 : 0] },
      { Shift(isReversed: !isReversed)(.zeros(like: $0.operands[0]), $0.cotangent) })
  }

  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] {
    let initial = isBatched[0] ? operands[0] : operands[0].repeated(count)
    let stack =
      isBatched[1]
      ? operands[1].movingAxis(0, to: 1)
      : operands[1].expanded(at: 1)
        .broadcasted(to: operands[1].shape.inserting(count, at: 1))
    return [self(initial, stack).movingAxis(1, to: 0)]
  }
}

extension Shift: ReadableOperation {
  package static let names = ["shift"]

  package init(reading text: inout OperationText) throws(GraphSyntaxError) {
    try text.expect(operands: 2)
    isReversed = text.flag("reverse")
  }
}
