internal import ReelKernels

/// Several elementwise operations of one shape as one program, which runs tile by tile in the first-level cache.
///
/// A program by rows also folds the last axis, and goes on with what comes out: one value for each row.
///
/// Only the compiler makes it, after everything that needs a pullback or a batching rule.
package struct FusedElementwise: Operation {
  /// One operation: which slots it reads and which it writes. Slots are the operands, then the results, then registers.
  struct Step: Hashable, Sendable {
    let code: ScalarCode
    let type, resultType: ElementType
    let operands: [Int]
    let result: Int

    /// The step with slots from a number on moved to other numbers.
    func movingSlots(from first: Int, by shift: Int) -> Step {
      func moved(_ slot: Int) -> Int { slot < first ? slot : slot + shift }
      return Step(
        code: code, type: type, resultType: resultType, operands: operands.map(moved), result: moved(result))
    }
  }

  let steps: [Step]
  let operandCount: Int
  let registerCount: Int
  /// The registers behind the others that hold one value for each row.
  let rowRegisterCount: Int
  let isByRows: Bool
  /// The shape over which the program runs. Results have it, or an extent of 1 in its last axis.
  let shape: Shape
  let types: [TensorType]

  package var name: String { "fused" }
  package var attributes: String {
    "steps=\(steps.count), registers=\(registerCount)" + (isByRows ? ", rowRegisters=\(rowRegisterCount)" : "")
  }
  package var isCheap: Bool { false }

  package func resultTypes(of operands: [TensorType]) -> [TensorType] { types }

  package func run(_ operands: [Storage], into results: [Storage]) {
    preconditionFailure("a fused program is lowered, not run by itself")
  }

  package func lower(_ operands: [View], into results: [View], _ lowering: inout Lowering) -> Bool {
    lowering.elementwise(
      instructions, over: shape, registerCount: registerCount, rowRegisterCount: rowRegisterCount, isByRows: isByRows,
      operands, into: results)
    return true
  }

  private var instructions: [reel_instruction] {
    steps.map { step in
      reel_instruction(
        opcode: step.code.opcode, type: UInt8(step.type.kernel.rawValue), to: UInt8(step.resultType.kernel.rawValue),
        result: UInt8(step.result), a: UInt8(step.operands[0]),
        b: UInt8(step.operands.count > 1 ? step.operands[1] : 0),
        c: UInt8(step.operands.count > 2 ? step.operands[2] : 0))
    }
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    preconditionFailure("graphs are differentiated before they are fused")
  }

  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] {
    preconditionFailure("graphs are vectorized before they are fused")
  }
}
