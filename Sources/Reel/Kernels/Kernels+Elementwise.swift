internal import ReelKernels

extension Kernels {
  /// Runs one elementwise instruction over operands that broadcast to the shape of the result.
  static func elementwise(_ opcode: reel_opcode, _ operands: [Storage], into result: Storage) {
    let shape = result.type.shape
    if shape.count == 0 { return }
    let instruction = instruction(opcode, operands, result)
    if operands.allSatisfy({ $0.type.shape.count == shape.count || $0.type.shape.count == 1 }) {
      let strides = operands.map { $0.type.shape.count == 1 && shape.count != 1 ? 0 : 1 }
      run(instruction, operands, strides.map { (0, $0) }, result, (0, 1), rows: 1, columns: shape.count)
      return
    }
    let layout = Layout(
      extents: shape.extents, strides: operands.map { $0.type.shape.strides(broadcastTo: shape) } + [shape.strides]
    ).collapsed()
    runBlocks(instruction, operands, result, layout)
  }

  /// The two innermost axes of a layout are rows and columns; a loop runs over the others.
  private static func runBlocks(
    _ instruction: reel_instruction, _ operands: [Storage], _ result: Storage, _ layout: Layout
  ) {
    let rank = layout.extents.count
    let columns = layout.extents[rank - 1]
    let rows = rank > 1 ? layout.extents[rank - 2] : 1
    func innermost(_ operand: Int) -> (Int, Int) {
      (rank > 1 ? layout.strides[operand][rank - 2] : 0, layout.strides[operand][rank - 1])
    }
    let outer = Array(layout.extents.dropLast(2))
    for block in 0..<outer.reduce(1, *) {
      let offsets = layout.strides.map { outer.offset(ofBlock: block, $0) }
      run(
        instruction, operands, operands.indices.map(innermost), result, innermost(operands.count),
        offsets: offsets, rows: rows, columns: columns)
    }
  }

  private static func instruction(
    _ opcode: reel_opcode, _ operands: [Storage], _ result: Storage
  ) -> reel_instruction {
    reel_instruction(
      opcode: UInt8(opcode.rawValue), type: UInt8(operands[operands.count - 1].type.elementType.kernel.rawValue),
      to: UInt8(result.type.elementType.kernel.rawValue), result: UInt8(operands.count), a: 0,
      b: operands.count > 1 ? 1 : 0, c: operands.count > 2 ? 2 : 0)
  }

  private static func run(
    _ instruction: reel_instruction, _ operands: [Storage], _ strides: [(Int, Int)], _ result: Storage,
    _ resultStrides: (Int, Int), offsets: [Int] = [], rows: Int, columns: Int
  ) {
    func address(_ storage: Storage, _ index: Int) -> UnsafeMutableRawPointer {
      offsets.isEmpty ? storage.base : storage.base + offsets[index] * storage.type.elementType.byteCount
    }
    withUnsafeTemporaryAllocation(of: reel_slot.self, capacity: operands.count + 1) { slots in
      for (index, operand) in operands.enumerated() {
        slots[index] = reel_slot(
          base: address(operand, index), row_stride: strides[index].0, column_stride: strides[index].1)
      }
      slots[operands.count] = reel_slot(
        base: address(result, operands.count), row_stride: resultStrides.0, column_stride: resultStrides.1)
      reel_run_instruction(table, instruction, slots.baseAddress, slots.count, rows, columns)
    }
  }
}

// MARK: - Dense operands

extension Kernels {
  /// Where a dense operand lies, and its strides along the rows and columns of the result: 0 where it is repeated.
  struct DenseOperand {
    fileprivate let slot: reel_slot

    init(_ base: UnsafeMutableRawPointer, row: Int, column: Int) {
      slot = reel_slot(base: base, row_stride: row, column_stride: column)
    }
  }

  /// Runs one instruction of one or two operands of the result's type over elements of its shape.
  static func elementwise(
    _ opcode: reel_opcode, _ elementType: ElementType, _ a: DenseOperand, _ b: DenseOperand?,
    into result: UnsafeMutableRawPointer, rows: Int, columns: Int, isCheap: Bool
  ) {
    if rows == 0 || columns == 0 { return }
    let element = UInt8(elementType.kernel.rawValue)
    let instruction = reel_instruction(
      opcode: UInt8(opcode.rawValue), type: element, to: element, result: 2, a: 0, b: b == nil ? 0 : 1, c: 0)
    let slots = (a.slot, b?.slot ?? a.slot, reel_slot(base: result, row_stride: columns, column_stride: 1))
    let work = DenseWork(
      instruction: instruction, slots: slots, elementSize: elementType.byteCount, rows: rows, columns: columns)
    if rows * columns * (isCheap ? 1 : DenseWork.functionEffort) >= DenseWork.worthSharing {
      Threads.shared.fork(work)
    } else {
      work.run(slots, rows: rows, columns: columns)
    }
  }

  /// One instruction, whose rows threads can share, or the columns if there is one row.
  private struct DenseWork: PartedWork {
    let instruction: reel_instruction
    let slots: (reel_slot, reel_slot, reel_slot)
    let elementSize, rows, columns: Int

    /// What a function such as tanh takes, in additions.
    static let functionEffort = 4
    /// From how many additions on a fork pays.
    static let worthSharing = 1 << 15

    func run(part: Int, of count: Int) {
      let ownRows = rows == 1 ? 0..<1 : (0..<rows).part(part, of: count)
      let ownColumns = rows == 1 ? (0..<columns).part(part, of: count) : 0..<columns
      var slots = slots
      func advance(_ slot: inout reel_slot) {
        let offset = ownRows.lowerBound * slot.row_stride + ownColumns.lowerBound * slot.column_stride
        slot.base += offset * elementSize
      }
      advance(&slots.0)
      advance(&slots.1)
      advance(&slots.2)
      run(slots, rows: ownRows.count, columns: ownColumns.count)
    }

    func run(_ slots: (reel_slot, reel_slot, reel_slot), rows: Int, columns: Int) {
      withUnsafeBytes(of: slots) {
        reel_run_instruction(
          table, instruction, $0.assumingMemoryBound(to: reel_slot.self).baseAddress, 3, rows, columns)
      }
    }
  }

  /// Adds dense elements to elements that lie in strides, none of them twice.
  static func accumulate(_ operand: Storage, into sum: StridedView) {
    let type = operand.type
    if type.shape.count == 0 { return }
    var extents = type.shape.extents
    var strides = [type.shape.strides, sum.strides]
    let layout = Layout(extents: extents, strides: strides).collapsed()
    (extents, strides) = (layout.extents, layout.strides)
    while extents.count < 2 {
      extents.insert(1, at: 0)
      for index in strides.indices { strides[index].insert(0, at: 0) }
    }
    let outer = Array(extents.dropLast(2))
    let last = extents.count - 1
    let element = UInt8(type.elementType.kernel.rawValue)
    let instruction = reel_instruction(
      opcode: UInt8(REEL_OP_ADD.rawValue), type: element, to: element, result: 0, a: 0, b: 1, c: 0)
    for block in 0..<outer.reduce(1, *) {
      func slot(_ base: UnsafeMutableRawPointer, _ strides: [Int]) -> reel_slot {
        let offset = outer.offset(ofBlock: block, strides) * type.elementType.byteCount
        return reel_slot(base: base + offset, row_stride: strides[last - 1], column_stride: strides[last])
      }
      var slots = (slot(sum.base, strides[1]), slot(operand.base, strides[0]))
      withUnsafeBytes(of: &slots) {
        reel_run_instruction(
          table, instruction, $0.assumingMemoryBound(to: reel_slot.self).baseAddress, 2, extents[last - 1],
          extents[last])
      }
    }
  }
}
