internal import ReelKernels

/// The short way of the common case: one or two operands of one type, or a scalar beside them, that have their elements.
///
/// It does what `apply` does by the recording rule, without the lists of operands, types and results that the general way
/// needs: most of what a small eager operation costs is allocation.
extension Elementwise {
  /// Applies the operation to one operand.
  func callAsFunction(_ x: Tensor) -> Tensor {
    guard row.resultType == .same, takes(x.elementType), let elements = x.storage, RunLog.active == nil else {
      return apply([x])[0]
    }
    let tape = x.tape
    guard tape.map({ $0.kind == .eager }) ?? true else { return apply([x])[0] }
    let result = Storage(x.type)
    Kernels.elementwise(row.opcode, elements, nil, into: result)
    guard let tape else { return Tensor(result) }
    return tape.append(self, [tape.value(of: x)], result)
  }

  /// Applies the operation to two operands; a literal takes the element type of the other operand.
  func callAsFunction(_ a: Tensor, _ b: Tensor) -> Tensor {
    let (a, b) = (a.adopting(b.elementType), b.adopting(a.elementType))
    return appliedShortly(a, b) ?? apply([a, b])[0]
  }

  private func appliedShortly(_ a: Tensor, _ b: Tensor) -> Tensor? {
    guard row.resultType == .same, row.operandTypes != .mask, a.elementType == b.elementType, takes(a.elementType),
      a.shape == b.shape || a.rank == 0 || b.rank == 0, let left = a.storage, let right = b.storage,
      RunLog.active == nil
    else { return nil }
    let (leftTape, rightTape) = (a.tape, b.tape)
    if let leftTape, let rightTape, leftTape !== rightTape { return nil }
    let tape = leftTape ?? rightTape
    guard tape.map({ $0.kind == .eager }) ?? true else { return nil }
    let result = Storage(a.rank == 0 ? b.type : a.type)
    Kernels.elementwise(row.opcode, left, right, into: result)
    guard let tape else { return Tensor(result) }
    return tape.append(self, [tape.value(of: a), tape.value(of: b)], result)
  }
}

extension Tape {
  /// Appends a node that has run and has one result.
  fileprivate func append(_ operation: some Operation, _ operands: [Value], _ result: Storage) -> Tensor {
    let node = Node(operation: operation, operands: operands, results: [result.type], path: Recording.path)
    let index = state.withLock { state in
      state.nodes.append(node)
      state.firstStorage.append(state.storages.count)
      state.storages.append(result)
      return state.nodes.count - 1
    }
    return Tensor(self, Value(index), result.type, result)
  }
}

extension Kernels {
  /// Runs one instruction over dense operands of the result's shape, or scalars.
  fileprivate static func elementwise(_ opcode: reel_opcode, _ a: Storage, _ b: Storage?, into result: Storage) {
    let count = result.type.shape.count
    if count == 0 { return }
    let element = UInt8(result.type.elementType.kernel.rawValue)
    func slot(_ storage: Storage) -> reel_slot {
      reel_slot(
        base: storage.base, row_stride: 0, column_stride: storage.type.shape.count == 1 && count != 1 ? 0 : 1)
    }
    var slots = (slot(a), slot(b ?? result), slot(result))
    var code = reel_instruction(
      opcode: UInt8(opcode.rawValue), type: element, to: element, result: 2, a: 0, b: b == nil ? 0 : 1, c: 0)
    withScratch(reel_elementwise_scratch(0)) { scratch in
      withUnsafeBytes(of: &slots) { slots in
        withUnsafePointer(to: &code) { code in
          var program = reel_program(
            code: code, code_count: 1, slots: slots.assumingMemoryBound(to: reel_slot.self).baseAddress, slot_count: 3,
            rows: 1, columns: count, scratch: scratch, register_count: 0, row_register_count: 0, by_rows: false)
          table.pointee.elementwise(&program)
        }
      }
    }
  }
}
