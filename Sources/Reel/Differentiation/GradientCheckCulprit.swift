/// An operation that is differentiated through the programs it holds, as a loop is through its body.
package protocol OperationDifferentiatedByBodies: OperationWithBodies {
  /// The first few calls of its programs on some operands, so that the operations in them can be checked alone.
  func firstCalls(_ operands: [Tensor]) -> [(body: Graph, arguments: [Tensor])]
}

/// Finds the operation that makes a gradient wrong: the first on the tape whose own pullback is wrong when it is checked
/// alone, with the operands it had.
///
/// Where a loop is wrong by itself, the operations of its body are looked at; if all of these are right, it is the loop
/// that is differentiated wrongly. An operation that gives no gradient at all, as `stopGradient` does on purpose, is named
/// only if no other is wrong.
final class CulpritSearch {
  private let program: CheckedProgram
  private let order: Int
  private let tolerance: Double

  /// - Parameters:
  ///   - program: The function.
  ///   - order: The order of the gradient that is wrong.
  ///   - tolerance: The relative difference that is no error.
  init(program: CheckedProgram, order: Int, tolerance: Double) {
    self.program = program
    self.order = order
    self.tolerance = tolerance
  }

  /// The operation; nil if every one is right by itself.
  private(set) lazy var culprit: SuspectOperation? = try? search()

  /// Looks at the function's own operations up to the order, and at those of its gradient up to one order less: the
  /// reverse sweep adds operations that only matter once they are differentiated.
  private func search() throws -> SuspectOperation? {
    var differentiated = program
    var silent: SuspectOperation?
    for depth in 0..<order {
      if let found = search(try RecordedProgram(differentiated), order - depth) {
        if found.hasGradient { return found }
        silent = silent ?? found
      }
      if depth + 1 < order { differentiated = try differentiated.gradient() }
    }
    return silent
  }

  /// The first operation of a program that gives a wrong gradient; if there is none, the first that gives none where one is
  /// needed.
  private func search(_ recorded: RecordedProgram, _ order: Int) -> SuspectOperation? {
    var silent: SuspectOperation?
    for (index, node) in recorded.nodes.enumerated() where recorded.isReached[index] {
      let isReached = node.operands.map { recorded.isReached[Int($0.node)] }
      guard let found = suspect(node, recorded.operands(of: node), isReached, order) else { continue }
      if found.hasGradient { return found }
      if silent == nil, (try? recorded.outputsChange(with: index)) != false { silent = found }
    }
    return silent
  }

  /// The operation of a node, or one inside, if it is wrong by itself.
  private func suspect(_ node: Node, _ operands: [Tensor], _ isReached: [Bool], _ order: Int) -> SuspectOperation? {
    let active = operands.indices.filter { isReached[$0] && operands[$0].elementType.isFloatingPoint }
    guard !active.isEmpty, let (mismatch, suspect) = try? check(node, operands, active, order) else { return nil }
    guard let operation = node.operation as? any OperationDifferentiatedByBodies else { return suspect }
    var silent: SuspectOperation?
    for (body, arguments) in operation.firstCalls(operands) {
      guard let found = search(RecordedProgram(body, arguments), order) else { continue }
      if found.hasGradient { return found }
      silent = silent ?? found
    }
    // Several kinks in one loop add up to slopes that no value lies between.
    return silent ?? (mismatch.isKinked ? nil : suspect)
  }

  /// Checks one operation by itself.
  private func check(
    _ node: Node, _ operands: [Tensor], _ active: [Int], _ order: Int
  ) throws -> (GradientChecker.Mismatch, SuspectOperation)? {
    let operation = node.operation
    var program = try CheckedProgram(
      names: active.map { "operand \($0)" }, point: active.map { operands[$0].converted(to: .float64) }
    ) { tensors in
      var all = operands
      for (index, tensor) in zip(active, tensors) { all[index] = tensor.converted(to: operands[index].elementType) }
      return operation.apply(all).filter(\.elementType.isFloatingPoint).map { NamedTensor("result", $0) }
    }
    for depth in 1...order {
      let checker = try GradientChecker(program, mode: .directional, tolerance: tolerance)
      for operand in active.indices {
        guard case .failure(let mismatch) = try checker.check(operand) else { continue }
        let suspect = SuspectOperation(
          operation: CheckedOperation(node), order: depth, analytic: mismatch.analytic, numeric: mismatch.numeric,
          hasGradient: depth > 1 || checker.derivatives[operand].contains { $0 != 0 })
        return (mismatch, suspect)
      }
      if depth < order { program = try program.gradient() }
    }
    return nil
  }
}
