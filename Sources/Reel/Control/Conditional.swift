/// One of two programs, chosen by a truth value.
///
///     operands:  predicate ++ captured
///     bodies:    captured  →  results, one for true and one for false
package struct Conditional: OperationWithBodies {
  let then, otherwise: LoopBody

  package var name: String { "conditional" }
  package var bodies: [Graph] { [then.graph, otherwise.graph] }
  package func replacingBodies(_ bodies: [Graph]) -> any Operation {
    Conditional(then: LoopBody(bodies[0]), otherwise: LoopBody(bodies[1]))
  }
  package var isCheap: Bool { false }
  package var continuesSums: Bool { true }

  package func resultTypes(of operands: [TensorType]) throws(TensorError) -> [TensorType] {
    let expected = [TensorType(.scalar, .bool)] + then.graph.inputTypes
    guard operands == expected, otherwise.graph.inputTypes == then.graph.inputTypes else {
      throw TensorError(
        operation: name, operands: operands, problem: "operands that are not those of the body",
        expected: expected.map(\.description).joined(separator: ", "))
    }
    guard then.graph.outputTypes == otherwise.graph.outputTypes else {
      throw TensorError(
        operation: name, operands: operands, problem: "branches that give results of other types",
        expected: then.graph.outputTypes.map(\.description).joined(separator: ", "))
    }
    return then.graph.outputTypes
  }

  package func run(_ operands: [Storage], into results: [Storage]) {
    for (result, found) in zip(results, evaluate(operands, types: [])) { result.copy(from: found) }
  }

  package func evaluate(_ operands: [Storage], types: [TensorType]) -> [Storage] {
    (operands[0].elements(as: Bool.self)[0] ? then : otherwise).executable.run(Array(operands.dropFirst()))
  }

  package func narrowed(to isUsed: [Bool]) -> (operation: any Operation, operands: [Int])? {
    let drafts = bodies.map { body in
      Graph(extracting: zip(body.outputs, isUsed).filter(\.1).map(\.0), from: body.inputs, of: body.nodes)
    }
    let isRead = zip(drafts[0].usedInputs, drafts[1].usedInputs).map { $0 || $1 }
    let inputs = isRead.indices.filter { isRead[$0] }
    let operands = [0] + inputs.map { $0 + 1 }
    if inputs.count == isRead.count && !isUsed.contains(false) { return (self, operands) }
    let narrow = drafts.map { draft in
      Graph(extracting: draft.outputs, from: inputs.map { draft.inputs[$0] }, of: draft.nodes)
    }
    return (replacingBodies(narrow), operands)
  }
}

extension Conditional {
  private struct Differentiation: Hashable {
    let conditional: Conditional
    let isActive, hasCotangent, hasSum: [Bool]
  }

  private static let reverses = LoopCache<Differentiation, ReversedBodies>()

  /// The reverse of the branch that was taken, which computes again what it needs of it.
  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    let key = Differentiation(
      conditional: self, isActive: Array(context.isActive.dropFirst()),
      hasCotangent: context.cotangents.map { $0 != nil }, hasSum: context.sums.dropFirst().map { $0 != nil })
    let reverse = Self.reverses(key) {
      ReversedBodies(bodies, isActive: key.isActive, hasCotangent: key.hasCotangent, hasSum: key.hasSum)
    }
    return reverse.cotangents(Array(context.operands.dropFirst()), context) { operands in
      Conditional(then: reverse.bodies[0], otherwise: reverse.bodies[1]).apply([context.operands[0]] + operands)
    }
  }

  /// With one predicate for all it stays one branch; with a predicate for each, both are computed and each takes its own.
  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] {
    let (arguments, flags) = (Array(operands.dropFirst()), Array(isBatched.dropFirst()))
    func branch(_ graph: Graph, _ arguments: [Tensor]) -> [Tensor] {
      let (results, areBatched) = graph.vectorized(arguments, isBatched: flags, count: count)
      return zip(results, areBatched).map { $1 ? $0 : $0.repeated(count) }
    }
    guard isBatched[0] else {
      let types = zip(then.graph.inputTypes, flags).map { $1 ? $0.stacked(count) : $0 }
      let branches = bodies.map { body in Tape.staging(types) { branch(body, $0) } }
      return replacingBodies(branches).apply(operands)
    }
    return zip(branch(then.graph, arguments), branch(otherwise.graph, arguments)).map { then, otherwise in
      let predicate = operands[0].reshaped(to: Shape([count] + Array(repeating: 1, count: then.rank - 1)))
      return select(predicate, then, otherwise)
    }
  }
}

extension Conditional: OperationDifferentiatedByBodies {
  package func firstCalls(_ operands: [Tensor]) -> [(body: Graph, arguments: [Tensor])] {
    [((operands[0].item != 0 ? then : otherwise).graph, Array(operands.dropFirst()))]
  }
}

extension Conditional: ReadableOperation {
  package static let names = ["conditional"]

  package init(reading text: inout OperationText) throws(GraphSyntaxError) {
    try text.expect(operands: text.operands.count, results: text.results.count, bodies: 2)
    then = LoopBody(text.bodies[0])
    otherwise = LoopBody(text.bodies[1])
  }
}
