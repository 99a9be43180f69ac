/// The operand itself. A gradient opened while a tape is being recorded differentiates with respect to such a copy.
package struct Identity: Operation {
  package var name: String { "identity" }
  package var pullbackReads: PullbackReads { [] }
  package var isView: Bool { true }
  package func resultTypes(of operands: [TensorType]) -> [TensorType] { operands }
  package var isLayout: Bool { true }
  package func alias(of operand: View) -> View? { operand }
  package func run(_ operands: [Storage], into results: [Storage]) { results[0].copy(from: operands[0]) }
  package func pullback(_ context: PullbackContext) -> [Tensor?] { [context.cotangent] }
  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] { operands }
}

extension Identity: ReadableOperation {
  package static let names = ["identity"]

  package init(reading text: inout OperationText) throws(GraphSyntaxError) {
    try text.expect(operands: 1)
  }
}

/// The operand itself, with no derivative.
package struct StopGradient: Operation {
  package var name: String { "stopGradient" }
  package var pullbackReads: PullbackReads { [] }
  package var isView: Bool { true }
  package func resultTypes(of operands: [TensorType]) -> [TensorType] { operands }
  package var isLayout: Bool { true }
  package func alias(of operand: View) -> View? { operand }
  package func run(_ operands: [Storage], into results: [Storage]) { results[0].copy(from: operands[0]) }
  package func pullback(_ context: PullbackContext) -> [Tensor?] { [nil] }
  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] { apply(operands) }
}

extension StopGradient: ReadableOperation {
  package static let names = ["stopGradient"]

  package init(reading text: inout OperationText) throws(GraphSyntaxError) {
    try text.expect(operands: 1)
  }
}

/// The same tensor, through which no derivative flows.
public func stopGradient(_ x: Tensor) -> Tensor { StopGradient()(x) }
