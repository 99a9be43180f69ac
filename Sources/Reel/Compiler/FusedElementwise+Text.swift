internal import ReelKernels

// In text a step is its result, its operation, its element types and its operands: `3 = less f32 bool 0 1`.
extension FusedElementwise.Step: CustomStringConvertible {
  var description: String {
    let types = type == resultType ? "\(type)" : "\(type) \(resultType)"
    return "\(result) = \(code.name ?? "?") \(types) " + operands.map(String.init).joined(separator: " ")
  }

  /// The step that a text describes, of a program with so many slots; nil if there is none.
  init?(_ text: String, slotCount: Int) {
    let words = text.split(separator: " ")
    guard words.count >= 5, words[1] == "=", let type = ElementType(name: String(words[3])),
      let operation = ScalarCode.named(String(words[2]), on: type)
    else { return nil }
    let second = ElementType(name: String(words[4]))
    if let wanted = operation.resultType, wanted != second ?? type { return nil }
    let slots = (words[..<1] + words[(second == nil ? 4 : 5)...]).compactMap { Int($0) }
    guard slots.count == operation.operandCount + 1, slots.count == words.count - (second == nil ? 3 : 4),
      slots.allSatisfy((0..<slotCount).contains)
    else { return nil }
    self.init(
      code: operation.code, type: type, resultType: second ?? type, operands: Array(slots[1...]), result: slots[0])
  }
}

extension FusedElementwise: ReadableOperation {
  package static let names = ["fused"]

  package init(reading text: inout OperationText) throws(GraphSyntaxError) {
    try text.expect(operands: text.operands.count, results: text.results.count)
    operandCount = text.operands.count
    types = text.results
    registerCount = try text.count("registers")
    isByRows = text.has("rowRegisters")
    rowRegisterCount = isByRows ? try text.count("rowRegisters") : 0
    shape = isByRows ? try text.shape("over") : types.first?.shape ?? .scalar
    let slotCount = operandCount + types.count + registerCount + rowRegisterCount
    guard !types.isEmpty, slotCount <= Int(REEL_SLOT_LIMIT),
      registerCount + rowRegisterCount <= Int(REEL_REGISTER_LIMIT)
    else {
      throw text.failure(
        "a fused program of \(slotCount) slots, \(registerCount + rowRegisterCount) of them registers",
        expected: "at most \(REEL_SLOT_LIMIT) and \(REEL_REGISTER_LIMIT), and a result")
    }
    steps = try text.list("steps", of: "steps such as 2 = add f32 0 1, with slots below \(slotCount)") {
      Step($0, slotCount: slotCount)
    }
    guard steps.count <= Int(REEL_CODE_LIMIT) else {
      throw text.failure("a fused program of \(steps.count) steps", expected: "at most \(REEL_CODE_LIMIT)")
    }
    try checkShapes(text)
    try checkSteps(text)
  }

  /// Operands broadcast to the shape of the program; results have it, or one value for each row. Whole rows fit a tile.
  private func checkShapes(_ text: OperationText) throws(GraphSyntaxError) {
    let rowTypes = steps.flatMap { [$0.type, $0.resultType] }.map { TensorType(shape, $0) }
    guard !isByRows || shape.rank > 0 && rowTypes.allSatisfy(Fusion.isRowOfTile) else {
      throw text.failure("rows of shape \(shape)", expected: "whole rows that fit a tile")
    }
    guard types.allSatisfy({ $0.shape == shape || isByRows && $0.shape == rowShape }) else {
      throw text.failure("results of other shapes than \(shape)", expected: "one shape")
    }
    guard text.operands.allSatisfy({ $0.shape.broadcast(with: shape) == shape }) else {
      throw text.failure("operands that do not broadcast to \(shape)", expected: "extents that agree or are 1")
    }
  }

  /// What a slot holds while the program runs.
  private struct Held {
    let type: ElementType
    let isRow: Bool
  }

  /// Every slot is written before it is read, with the element type that it is read with; operands are not written; one
  /// value for each row is made of such values only, or by folding rows.
  private func checkSteps(_ text: OperationText) throws(GraphSyntaxError) {
    var known: [Int: Held] = [:]
    for (slot, operand) in text.operands.enumerated() {
      known[slot] = Held(type: operand.elementType, isRow: operand.shape.rank == 0 || operand.shape.last == 1)
    }
    for step in steps {
      let isRow = isByRows && isRowSlot(step.result)
      let folds = step.code.fold != nil
      for (index, slot) in step.operands.enumerated() {
        let isMask = step.code == Elementwise.select.scalarCode && index == 0
        let type: ElementType = isMask ? .bool : step.type
        let fits = folds ? known[slot]?.isRow == false : !isRow || known[slot]?.isRow == true
        guard known[slot]?.type == type, fits else {
          throw text.failure("step '\(step)' reads slot \(slot)", expected: "a slot that holds \(type)")
        }
      }
      guard step.result >= operandCount, !folds || isRow else {
        throw text.failure("step '\(step)' writes slot \(step.result)", expected: "a slot that can hold it")
      }
      known[step.result] = Held(type: step.resultType, isRow: isRow)
    }
    for (index, type) in types.enumerated() where known[operandCount + index]?.type != type.elementType {
      throw text.failure("result \(index) is not written", expected: "a step that writes slot \(operandCount + index)")
    }
  }
}
