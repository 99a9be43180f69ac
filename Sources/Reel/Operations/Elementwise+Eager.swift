/// The short way of the common case: one or two operands of one type that have their elements, the second one with the
/// shape of the first, or a scalar, or the last axes of it.
///
/// It does what `apply` does by the recording rule, without the lists of operands, types and results that the general way
/// needs: most of what a small eager operation costs is allocation.
extension Elementwise {
  /// Applies the operation to one operand.
  func callAsFunction(_ x: Tensor) -> Tensor {
    guard row.resultType == .same, takes(x.elementType), let base = x.base, RunLog.active == nil else {
      return apply([x])[0]
    }
    let tape = x.tape
    if let tape, tape.kind != .eager { return apply([x])[0] }
    let result = Tensor.Elements(Buffer(byteCount: x.type.byteCount))
    let operand = Kernels.DenseOperand(base, row: 0, column: 1)
    Kernels.elementwise(
      row.opcode, x.elementType, operand, nil, into: result.base, rows: 1, columns: x.count, isCheap: row.isCheap)
    guard let tape else { return Tensor(result, x.type) }
    return tape.append(self, x, nil, result, x.type)
  }

  /// Applies the operation to two operands; a literal takes the element type of the other operand.
  func callAsFunction(_ a: Tensor, _ b: Tensor) -> Tensor {
    if a.isLiteral || b.isLiteral {
      let (a, b) = (a.adopting(b.elementType), b.adopting(a.elementType))
      return appliedShortly(a, b) ?? apply([a, b])[0]
    }
    return appliedShortly(a, b) ?? apply([a, b])[0]
  }

  private func appliedShortly(_ a: Tensor, _ b: Tensor) -> Tensor? {
    guard row.resultType == .same, row.operandTypes != .mask, a.elementType == b.elementType, takes(a.elementType),
      let left = a.base, let right = b.base, RunLog.active == nil
    else { return nil }
    let repeatsLeft = a.rank < b.rank
    let type = repeatsLeft ? b.type : a.type
    var (leftColumn, rightColumn, columns) = (1, 1, type.shape.count)
    if a.shape != b.shape {
      let short = repeatsLeft ? a.shape : b.shape
      guard short.isSuffix(of: type.shape) else { return nil }
      if short.rank == 0 {
        if repeatsLeft { leftColumn = 0 } else { rightColumn = 0 }
      } else {
        columns = short.count
      }
    }
    let tape: Tape?
    switch (a.tape, b.tape) {
    case (nil, nil): tape = nil
    case (let left?, let right?):
      if left !== right { return nil }
      tape = left
    case (let left, let right): tape = left ?? right
    }
    if let tape, tape.kind != .eager { return nil }
    let result = Tensor.Elements(Buffer(byteCount: type.byteCount))
    let rows = columns == 0 ? 0 : type.shape.count / columns
    Kernels.elementwise(
      row.opcode, type.elementType,
      Kernels.DenseOperand(left, row: a.rank < type.shape.rank ? 0 : columns, column: leftColumn),
      Kernels.DenseOperand(right, row: b.rank < type.shape.rank ? 0 : columns, column: rightColumn),
      into: result.base, rows: rows, columns: columns, isCheap: row.isCheap)
    guard let tape else { return Tensor(result, type) }
    return tape.append(self, a, b, result, type)
  }
}

extension Elementwise {
  /// Adds to elements that nobody else holds.
  static func accumulate(_ cotangent: Storage, into sum: Storage) {
    Kernels.elementwise(accumulate.row.opcode, [sum, cotangent], into: sum)
  }

  /// Adds to the part of such elements that a view of them says.
  static func accumulate(_ cotangent: Storage, into part: View, of sum: Storage) {
    Kernels.accumulate(cotangent, into: StridedView(sum, byteOffset: part.byteOffset, strides: part.strides))
  }
}

extension Shape {
  /// Whether the extents are the last ones of the other shape, those of a scalar included.
  fileprivate func isSuffix(of other: Shape) -> Bool {
    guard rank <= other.rank else { return false }
    for axis in 0..<rank where self[axis] != other[axis + other.rank - rank] { return false }
    return true
  }
}

extension Tensor {
  /// Where the elements lie; nil for a tensor that is being staged, and for a literal.
  fileprivate var base: UnsafeMutableRawPointer? { elements?.base }
}

extension Tape {
  /// Appends a node of one or two operands that has run and has one result.
  fileprivate func append(
    _ operation: Elementwise, _ a: Tensor, _ b: Tensor?, _ result: Tensor.Elements, _ type: TensorType
  ) -> Tensor {
    let first = ownValue(of: a)
    let second = b.map(ownValue)
    let operands = second.map { [first, $0] } ?? [first]
    let path = Recording.path
    let (keepsOperands, keepsResults) = (keeps(.operands, of: operation), keeps(.results, of: operation))
    let index = state.withLock { state in
      if keepsOperands {
        if let elements = a.elements { state.keep(elements, of: first) }
        if let second, let elements = b?.elements { state.keep(elements, of: second) }
      }
      // Chains of operations have results of one type, whose list they share.
      let index = state.nodes.count
      let types = index > 0 && state.nodes[index - 1].results.isOnly(type) ? state.nodes[index - 1].results : [type]
      state.nodes.append(Node(operation: operation, operands: operands, results: types, path: path))
      state.firstKept.append(state.kept.count)
      state.kept.append(keepsResults ? result : nil)
      return index
    }
    return Tensor(self, Value(index), type, result)
  }

  private func ownValue(of tensor: Tensor) -> Value {
    if case .recorded(let tape, let value, _) = tensor.content, tape === self { return value }
    return value(of: tensor)
  }
}

extension [TensorType] {
  fileprivate func isOnly(_ type: TensorType) -> Bool { count == 1 && self[0] == type }
}
