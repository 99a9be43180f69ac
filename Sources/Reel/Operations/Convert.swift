internal import ReelKernels

/// The same numbers in another element type.
package struct Convert: Operation {
  let elementType: ElementType

  package var name: String { "convert" }
  package var pullbackReads: PullbackReads { [] }
  package var attributes: String { "to=\(elementType)" }
  package var scalarCode: ScalarCode? { ScalarCode(opcode: UInt8(REEL_OP_CONVERT.rawValue)) }

  package func resultTypes(of operands: [TensorType]) -> [TensorType] { [TensorType(operands[0].shape, elementType)] }

  package func run(_ operands: [Storage], into results: [Storage]) {
    Kernels.elementwise(REEL_OP_CONVERT, operands, into: results[0])
  }

  package func lower(_ operands: [View], into results: [View], _ lowering: inout Lowering) -> Bool {
    lowering.elementwise(REEL_OP_CONVERT, operands, into: results[0])
    return true
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    elementType.isFloatingPoint ? [context.cotangent.converted(to: context.operands[0].elementType)] : [nil]
  }

  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] { apply(operands) }
}

extension Convert: ReadableOperation {
  package static let names = ["convert"]

  package init(reading text: inout OperationText) throws(GraphSyntaxError) {
    try text.expect(operands: 1)
    elementType = try text.word("to", "an element type", ElementType.init(name:))
  }
}

extension Tensor {
  /// The same numbers in another element type.
  ///
  /// Floating point to `int32` truncates towards zero and saturates, NaN gives 0; anything to `bool` is `!= 0`; `bool`
  /// gives 0 and 1. Only conversions between floating-point types have a derivative.
  public func converted(to elementType: ElementType) -> Tensor {
    elementType == self.elementType ? self : Convert(elementType: elementType)(self)
  }
}
