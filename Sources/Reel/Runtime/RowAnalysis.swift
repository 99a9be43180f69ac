/// Finds out whether the rows of a loop's body are independent: then threads can take some rows each through all steps,
/// with one fork and join for the whole loop.
struct RowAnalysis {
  /// Whether a base is only read in the loop: values from outside, elements of sequences, constants, packed operands.
  let isReadOnly: (Int) -> Bool

  /// The distance in bytes between the rows of each base that the loop writes.
  private final class Strides {
    var known: [Int: Int] = [:]
  }

  func independentRows(of instructions: [Instruction]) -> Int? {
    guard let rows = instructions.first.flatMap(rowCount), rows > 1 else { return nil }
    let strides = Strides()
    return instructions.allSatisfy { isRowwise($0, rows, strides) } ? rows : nil
  }

  private func rowCount(_ instruction: Instruction) -> Int? {
    switch instruction {
    case .elementwise(let call): call.rows
    case .product(let call): call.rows
    case .reduce(let call): call.outer
    case .copy(let call): call.extents.first
    default: nil
    }
  }

  private func isRowwise(_ instruction: Instruction, _ rows: Int, _ strides: Strides) -> Bool {
    guard rowCount(instruction) == rows else { return false }
    switch instruction {
    case .elementwise(let call):
      return call.outer.isEmpty
        && call.slots.enumerated().allSatisfy { index, slot in
          access(
            slot.address, slot.rowStride * slot.size, isWritten: index >= call.slots.count - call.resultCount, strides)
        }
    case .product(let call):
      let size = call.elementType.byteCount
      return call.outer.isEmpty && isReadOnly(call.b.address.base)
        && access(call.a.address, call.a.rowStride * size, isWritten: false, strides)
        && access(call.c.address, call.c.rowStride * size, isWritten: true, strides)
        && (call.addend.map { access($0.address, $0.rowStride * size, isWritten: false, strides) } ?? true)
    case .reduce(let call):
      return call.inner == 1
        && access(call.operand, call.count * call.elementType.byteCount, isWritten: false, strides)
        && access(call.result, call.resultType.byteCount, isWritten: true, strides)
    case .copy(let call):
      let size = call.elementType.byteCount
      return access(call.source, call.sourceStrides[0] * size, isWritten: false, strides)
        && access(call.result, call.resultStrides[0] * size, isWritten: true, strides)
    default: return false
    }
  }

  /// Whether an access touches only its own row of what the loop writes.
  private func access(_ address: Address, _ rowStride: Int, isWritten: Bool, _ strides: Strides) -> Bool {
    if isReadOnly(address.base) { return !isWritten }
    guard rowStride != 0 else { return false }
    let known = strides.known[address.base] ?? rowStride
    strides.known[address.base] = known
    return known == rowStride
  }
}
