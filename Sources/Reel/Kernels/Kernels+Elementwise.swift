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
    let blockStrides = Shape(outer).strides
    for block in 0..<outer.reduce(1, *) {
      let offsets = layout.strides.map { strides in
        outer.indices.reduce(0) { $0 + block / blockStrides[$1] % outer[$1] * strides[$1] }
      }
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
      withScratch(reel_elementwise_scratch(0)) { scratch in
        withUnsafePointer(to: instruction) { code in
          var program = reel_program(
            code: code, code_count: 1, slots: slots.baseAddress, slot_count: slots.count, rows: rows, columns: columns,
            scratch: scratch, register_count: 0,
            row_register_count: 0, by_rows: false)
          table.pointee.elementwise(&program)
        }
      }
    }
  }
}
