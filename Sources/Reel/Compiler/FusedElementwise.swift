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
    "registers=\(registerCount)" + (isByRows ? ", rowRegisters=\(rowRegisterCount), over=\(shape.extents)" : "")
      + ", steps=[" + steps.map(\.description).joined(separator: ", ") + "]"
  }
  package var isCheap: Bool { false }

  package func resultTypes(of operands: [TensorType]) -> [TensorType] { types }

  /// Step by step, as a program that was read from a text runs eagerly; a compiled one is lowered.
  package func run(_ operands: [Storage], into results: [Storage]) {
    var slots: [Storage?] = operands + results + Array(repeating: nil, count: registerCount + rowRegisterCount)
    for step in steps {
      let isRow = isByRows && isRowSlot(step.result)
      // A register may be used again with another element type.
      let isMemory = step.result < operandCount + results.count
      let type = TensorType(isRow ? rowShape : shape, step.resultType)
      let result = isMemory ? slots[step.result]! : Storage(type)
      if let fold = step.code.fold {
        let whole = Storage(TensorType(shape, step.type))
        Broadcast(shape: shape).run([slots[step.operands[0]]!], into: [whole])
        fold.run([whole], into: [result])
      } else {
        Kernels.elementwise(reel_opcode(UInt32(step.code.opcode)), step.operands.map { slots[$0]! }, into: result)
      }
      slots[step.result] = result
    }
  }

  /// The shape of one value for each row.
  var rowShape: Shape { shape.replacing(shape.rank - 1, with: 1) }

  /// Whether a slot of a program by rows that is no operand holds one value for each row.
  func isRowSlot(_ slot: Int) -> Bool {
    let result = slot - operandCount
    return result < types.count ? types[result].shape != shape : result >= types.count + registerCount
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
    refuse(context.operands)
    return context.operands.map { _ in nil }
  }

  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] {
    refuse(operands)
    return types.map { .zeros($0.shape.inserting(count, at: 0), elementType: $0.elementType) }
  }

  /// Only who reads the text of a compiled graph comes here.
  private func refuse(_ operands: [Tensor]) {
    TensorError(
      operation: name, operands: operands.map(\.type), problem: "a program of the compiler, which has no derivative",
      expected: "the graph before it was compiled"
    ).report()
  }
}
