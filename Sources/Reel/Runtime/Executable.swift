/// A graph made ready to run: a flat list of instructions over numbered slots, with the end of every value known.
package final class Executable: Sendable {
  private struct Instruction {
    let operation: any Operation
    let operands: [Int]
    let results: [Int]
    let types: [TensorType]
    /// Slots whose values are used here for the last time.
    let ends: [Int]
  }

  private let instructions: [Instruction]
  private let slotCount: Int
  private let inputs: [Int]
  private let outputs: [Int]
  private let constants: [(slot: Int, storage: Storage)]

  package init(_ graph: Graph) {
    var slots: [Value: Int] = [:]
    for (index, node) in graph.nodes.enumerated() {
      for result in node.results.indices { slots[Value(index, result)] = slots.count }
    }
    inputs = graph.inputs.map { slots[$0]! }
    outputs = graph.outputs.map { slots[$0]! }
    slotCount = slots.count
    constants = graph.nodes.enumerated().compactMap { index, node in
      node.operation.constant.map { (slots[Value(index)]!, $0) }
    }

    var lives = Set(outputs)
    var reversed: [Instruction] = []
    for (index, node) in graph.nodes.enumerated().reversed() where !(node.operation is Input) {
      if node.operation.constant != nil { continue }
      let operands = node.operands.map { slots[$0]! }
      let results = node.results.indices.map { slots[Value(index, $0)]! }
      let ends = (operands + results).filter { lives.insert($0).inserted }
      reversed.append(
        Instruction(
          operation: node.operation, operands: operands, results: results, types: node.results, ends: ends))
    }
    instructions = reversed.reversed()
  }

  /// Runs the program.
  ///
  /// - Parameter arguments: The elements of each input.
  /// - Returns: The elements of each output.
  package func run(_ arguments: [Storage]) -> [Storage] {
    var values = [Storage?](repeating: nil, count: slotCount)
    for (slot, argument) in zip(inputs, arguments) { values[slot] = argument }
    for (slot, storage) in constants { values[slot] = storage }
    var pool = BufferPool()
    for instruction in instructions {
      let operands = instruction.operands.map { values[$0]! }
      if instruction.operation.isView {
        values[instruction.results[0]] = operands[0].viewed(as: instruction.types[0])
      } else {
        let results = instruction.types.map { pool.storage($0) }
        instruction.operation.run(operands, into: results)
        for (slot, result) in zip(instruction.results, results) { values[slot] = result }
      }
      release(instruction.ends, of: &values, to: &pool)
    }
    return outputs.map { values[$0]! }
  }

  private func release(_ ends: [Int], of values: inout [Storage?], to pool: inout BufferPool) {
    for slot in ends {
      guard var buffer = values[slot]?.buffer else { continue }
      values[slot] = nil
      pool.takeBack(&buffer)
    }
  }
}

/// Buffers that a run no longer needs, by size, to be written again.
private struct BufferPool {
  private var buffers: [Int: [Buffer]] = [:]

  mutating func storage(_ type: TensorType) -> Storage {
    if let buffer = buffers[type.byteCount]?.popLast() { return Storage(type, in: buffer) }
    return Storage(type)
  }

  /// Takes a buffer that nobody else refers to.
  mutating func takeBack(_ buffer: inout Buffer) {
    if isKnownUniquelyReferenced(&buffer) { buffers[buffer.byteCount, default: []].append(buffer) }
  }
}
