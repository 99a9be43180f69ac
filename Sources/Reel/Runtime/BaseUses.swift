internal import ReelKernels

/// Where a program touches each of its bases, to tell which of two may be the same memory.
struct BaseUses {
  private let instructions: [Instruction]
  /// By base, the first and the last instruction that touches it.
  private var spans: [Int: ClosedRange<Int>] = [:]

  init(_ instructions: [Instruction]) {
    self.instructions = instructions
    for (index, instruction) in instructions.enumerated() {
      instruction.forEachBase { base in spans[base] = (spans[base]?.lowerBound ?? index)...index }
    }
  }

  /// Whether what is written at a base may take the place of what is read at another: all of that has been read before
  /// anything is written, or both happen in one elementwise program, element by element.
  func canWrite(_ result: Int, over operand: Int) -> Bool {
    guard let written = spans[result], let read = spans[operand], read.upperBound >= written.lowerBound else {
      return true
    }
    guard read.upperBound == written.lowerBound, case .elementwise(let call) = instructions[read.upperBound] else {
      return false
    }
    return call.canWrite(result, over: operand)
  }
}

extension ElementwiseCall {
  /// Whether every element that is read at `operand` has been read for the last time when that at the same place of
  /// `result` is written.
  fileprivate func canWrite(_ result: Int, over operand: Int) -> Bool {
    let reading = slots.indices.filter { slots[$0].address.base == operand }
    let writing = slots.indices.filter { slots[$0].address.base == result }
    guard writing.count == 1, let written = writing.first, reading.allSatisfy({ slots[$0].isAt(slots[written]) }),
      let write = code.firstIndex(where: { Int($0.result) == written })
    else { return false }
    return code[(write + 1)...].allSatisfy { instruction in
      !reading.contains { instruction.reads($0) }
    }
  }
}

extension ElementwiseCall.Slot {
  /// Whether both go over elements of one size at the same places, wherever their bases are.
  fileprivate func isAt(_ other: ElementwiseCall.Slot) -> Bool {
    address.byteOffset == other.address.byteOffset && size == other.size && rowStride == other.rowStride
      && columnStride == other.columnStride && outerStrides == other.outerStrides
  }
}

extension reel_instruction {
  /// Whether the instruction may read a slot. Operands that an opcode does not have count as slot 0, which errs on the safe
  /// side.
  fileprivate func reads(_ slot: Int) -> Bool { Int(a) == slot || Int(b) == slot || Int(c) == slot }
}

extension Instruction {
  /// Calls `visit` with every base that the instruction reads or writes, those in a loop's body included.
  func forEachBase(_ visit: (Int) -> Void) {
    switch self {
    case .elementwise(let call): for slot in call.slots { visit(slot.address.base) }
    case .product(let call):
      for matrix in [call.a, call.b, call.c, call.addend] { if let matrix { visit(matrix.address.base) } }
    case .pack(let call): [call.source.address.base, call.packed.base].forEach(visit)
    case .reduce(let call): [call.operand.base, call.result.base].forEach(visit)
    case .copy(let call): [call.source.base, call.result.base].forEach(visit)
    case .fill(let call): visit(call.result.base)
    case .operation(let call): (call.operands + call.results).map(\.base).forEach(visit)
    case .loop(let call):
      for stepper in call.steppers { [stepper.base, stepper.source.base].forEach(visit) }
      for carry in call.carries { [carry.incoming, carry.initial.base].forEach(visit) }
      for instruction in call.prologue + call.body { instruction.forEachBase(visit) }
    case .repeatWhile(let call):
      for carry in call.carries { [carry.incoming, carry.initial.base].forEach(visit) }
      visit(call.predicate.base)
      for instruction in call.prologue + call.condition + call.body { instruction.forEachBase(visit) }
    case .conditional(let call):
      visit(call.predicate.base)
      for instruction in call.then + call.otherwise { instruction.forEachBase(visit) }
    }
  }
}
