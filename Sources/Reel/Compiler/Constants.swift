// What is computed when a graph is compiled: operations on constants.

extension RewriteSite {
  /// f(constants) → constant, where that is small.
  func folded(_ operation: any Operation) -> [Value]? {
    guard operands.allSatisfy({ constant($0) != nil }), !(operation is any OperationWithBodies) else { return nil }
    let elements = operands.map { constant($0)! }
    if operation.isView {
      return [rewriter.constant(elements[0].viewed(as: result))]
    }
    let limit = Self.foldingLimit
    guard elements.reduce(0, { $0 + $1.type.shape.count }) <= limit,
      types.reduce(0, { $0 + $1.shape.count }) <= limit
    else { return nil }
    return operation.evaluate(elements, types: types).map { rewriter.constant($0) }
  }

  /// The largest number of elements that a folded operation takes or gives: what is larger would make a program larger
  /// than it saves work.
  private static var foldingLimit: Int { 4096 }
}

extension Storage {
  /// The bits of the first element.
  var firstBits: UInt64 {
    switch type.elementType {
    case .float64: base.load(as: UInt64.self)
    case .float32, .int32: UInt64(base.load(as: UInt32.self))
    case .bool: UInt64(base.load(as: UInt8.self))
    }
  }

  /// One element as a scalar, if all elements have the same bits.
  var repeatedElement: Storage? {
    guard type.shape.count > 0 else { return nil }
    let isRepeated =
      switch type.elementType.byteCount {
      case 8: isRepeated(as: UInt64.self)
      case 4: isRepeated(as: UInt32.self)
      default: isRepeated(as: UInt8.self)
      }
    return isRepeated ? Storage(TensorType(.scalar, type.elementType), in: buffer, byteOffset: byteOffset) : nil
  }

  private func isRepeated<Bits: FixedWidthInteger>(as _: Bits.Type) -> Bool {
    let words = bytes.bindMemory(to: Bits.self)
    let first = words[0]
    return words.allSatisfy { $0 == first }
  }
}
