/// Finds out whether the rows of a loop's body are independent: then threads can take some rows each through all steps,
/// with one fork and join for the whole loop.
///
/// They are if every kernel works on as many rows, and row `r` of each touches nothing of what the loop writes but what
/// belongs to row `r`. A value is seen as blocks of so many rows of one length, one after another: all that kernels touch in
/// it for a row lies in that row of a block. An offset matters as much as the distance between rows: a slice that starts a
/// row further on, or windows that overlap, reach into rows of other threads.
struct RowAnalysis {
  /// Whether a base is only read in the loop: values from outside, elements of sequences, constants, packed operands.
  let isReadOnly: (Int) -> Bool
  /// For the base where a carry is read, the one where the next step's is written: the same memory a step later.
  let successors: [Int: Int]

  init(carries: [LoopCall.Carry], isReadOnly: @escaping (Int) -> Bool) {
    self.isReadOnly = isReadOnly
    successors = Dictionary(
      uniqueKeysWithValues: carries.map { carry in
        switch carry.outgoing {
        case .stack(let slot): (carry.incoming, slot.base)
        case .buffers(let base, _, _): (carry.incoming, base)
        }
      })
  }

  /// The bytes that a kernel touches in each of its rows, from the address on.
  private struct Access {
    let address: Address
    let rowStride: Int
    /// How far the first and the last byte of a row are from its address.
    private(set) var span: Range<Int>
    let isWritten: Bool

    /// - Parameters:
    ///   - rowStride: The distance between rows, in elements.
    ///   - columns: Extents and strides of what a row has, in elements.
    init(_ address: Address, size: Int, rowStride: Int, columns: [(extent: Int, stride: Int)], isWritten: Bool) {
      self.address = address
      self.rowStride = rowStride * size
      self.isWritten = isWritten
      let reaches = columns.map { ($0.extent - 1) * $0.stride * size }
      span = reaches.filter { $0 < 0 }.reduce(0, +)..<reaches.filter { $0 > 0 }.reduce(0, +) + size
    }
  }

  func independentRows(of instructions: [Instruction]) -> Int? {
    guard let rows = instructions.first.flatMap(rowCount), rows > 1 else { return nil }
    var rowStrides: [Int: Int] = [:]
    for instruction in instructions {
      guard rowCount(instruction) == rows, let accesses = accesses(of: instruction) else { return nil }
      for access in accesses where !isReadOnly(access.address.base) || access.isWritten {
        guard staysInItsRow(access, rows, &rowStrides) else { return nil }
      }
    }
    return rows
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

  /// What a kernel touches; nil if it does not work row by row.
  private func accesses(of instruction: Instruction) -> [Access]? {
    switch instruction {
    case .elementwise(let call):
      guard call.outer.isEmpty else { return nil }
      return call.slots.enumerated().map { index, slot in
        Access(
          slot.address, size: slot.size, rowStride: slot.rowStride, columns: [(call.columns, slot.columnStride)],
          isWritten: index >= call.slots.count - call.resultCount)
      }
    case .product(let call):
      guard call.outer.isEmpty, isReadOnly(call.b.address.base) else { return nil }
      func access(_ matrix: ProductCall.Matrix, _ columns: Int, isWritten: Bool = false) -> Access {
        Access(
          matrix.address, size: call.elementType.byteCount, rowStride: matrix.rowStride,
          columns: [(columns, matrix.columnStride)], isWritten: isWritten)
      }
      return [access(call.a, max(call.inner, 1)), access(call.c, call.columns, isWritten: true)]
        + (call.addend.map { [access($0, call.columns)] } ?? [])
    case .reduce(let call):
      guard call.inner == 1 else { return nil }
      return [
        Access(
          call.operand, size: call.elementType.byteCount, rowStride: call.count, columns: [(max(call.count, 1), 1)],
          isWritten: false),
        Access(call.result, size: call.resultType.byteCount, rowStride: 1, columns: [], isWritten: true),
      ]
    case .copy(let call):
      func access(_ address: Address, _ strides: [Int], isWritten: Bool) -> Access {
        Access(
          address, size: call.elementType.byteCount, rowStride: strides[0],
          columns: Array(zip(call.extents, strides).dropFirst().map { (extent: $0, stride: $1) }), isWritten: isWritten)
      }
      return [
        access(call.source, call.sourceStrides, isWritten: false),
        access(call.result, call.resultStrides, isWritten: true),
      ]
    default: return nil
    }
  }

  /// Whether an access touches only its own row of what the loop writes.
  private func staysInItsRow(_ access: Access, _ rows: Int, _ rowStrides: inout [Int: Int]) -> Bool {
    if isReadOnly(access.address.base) { return false }
    let base = successors[access.address.base] ?? access.address.base
    let length = rowStrides[base] ?? access.rowStride
    guard access.rowStride == length, length > 0 else { return false }
    rowStrides[base] = length
    let start = access.address.byteOffset % (rows * length)
    return start + access.span.lowerBound >= 0 && start + access.span.upperBound <= length
  }
}
