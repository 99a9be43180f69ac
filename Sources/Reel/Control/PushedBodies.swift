/// Programs that compute the same results of the same operands, with tangents carried along, as programs of one form.
///
///     operands ++ tangents of those that move  →  results ++ tangents of those that move
struct PushedBodies: Sendable {
  /// A program for each of the given ones.
  let bodies: [LoopBody]
  /// The results that move in any of the programs.
  let moving: [Int]

  /// - Parameters:
  ///   - programs: Programs with inputs and outputs of the same types.
  ///   - isActive: Which operands move.
  init(_ programs: [Graph], isActive: [Bool]) {
    let operandTypes = programs[0].inputTypes
    let types = operandTypes + zip(operandTypes, isActive).filter(\.1).map(\.0)
    func pushed(_ program: Graph, _ inputs: [Tensor]) -> (outputs: [Tensor], tangents: [Tensor?]) {
      var rest = inputs[operandTypes.count...]
      return program.callWithTangents(
        Array(inputs[..<operandTypes.count]), isActive.map { $0 ? rest.removeFirst() : nil })
    }
    var moves = [Bool](repeating: false, count: programs[0].outputs.count)
    for program in programs {
      _ = Tape.staging(types) { inputs in
        let (outputs, tangents) = pushed(program, inputs)
        moves = zip(moves, tangents).map { $0 || $1 != nil }
        return outputs
      }
    }
    let moving = moves.indices.filter { moves[$0] }
    bodies = programs.map { program in
      LoopBody(
        Tape.staging(types) { inputs in
          let (outputs, tangents) = pushed(program, inputs)
          return outputs + moving.map { tangents[$0] ?? .zeros(like: outputs[$0]) }
        })
    }
    self.moving = moving
  }

  /// The results and their tangents, from what the programs give.
  func results(_ given: [Tensor]) -> (results: [Tensor], tangents: [Tensor?]) {
    let count = given.count - moving.count
    var tangents = [Tensor?](repeating: nil, count: count)
    for (result, tangent) in zip(moving, given[count...]) { tangents[result] = tangent }
    return (Array(given[..<count]), tangents)
  }
}

extension Rematerialized {
  package func pushforward(_ operands: [Tensor], _ tangents: [Tensor?]) -> (results: [Tensor], tangents: [Tensor?]) {
    let pushed = PushedBodies(bodies, isActive: tangents.map { $0 != nil })
    return pushed.results(Rematerialized(body: pushed.bodies[0]).apply(operands + tangents.compactMap { $0 }))
  }
}

extension Conditional {
  package func pushforward(_ operands: [Tensor], _ tangents: [Tensor?]) -> (results: [Tensor], tangents: [Tensor?]) {
    let pushed = PushedBodies(bodies, isActive: tangents.dropFirst().map { $0 != nil })
    let conditional = Conditional(then: pushed.bodies[0], otherwise: pushed.bodies[1])
    return pushed.results(conditional.apply(operands + tangents.compactMap { $0 }))
  }
}

extension RepeatWhile {
  /// A loop that carries tangents along, in front of the values.
  package func pushforward(_ operands: [Tensor], _ tangents: [Tensor?]) -> (results: [Tensor], tangents: [Tensor?]) {
    var isActive = tangents.map { $0 != nil }
    var pushed = PushedBodies([body.graph], isActive: isActive)
    // A carry that moves after a step moves from the start.
    while let carry = pushed.moving.first(where: { !isActive[captureCount + $0] }) {
      isActive[captureCount + carry] = true
      pushed = PushedBodies([body.graph], isActive: isActive)
    }
    let types = body.graph.inputTypes
    let captures = (0..<captureCount).filter { isActive[$0] }
    let moving = self.carries.filter { isActive[$0] }
    let inputTypes = (Array(0..<captureCount) + captures + moving + self.carries).map { types[$0] }
    let tangentCount = captures.count + moving.count
    func values(_ inputs: [Tensor]) -> [Tensor] {
      Array(inputs[..<captureCount] + inputs[(captureCount + tangentCount)...])
    }
    let step = Tape.staging(inputTypes) { inputs in
      let found = pushed.bodies[0].graph(values(inputs) + inputs[captureCount..<captureCount + tangentCount])
      let (next, tangents) = pushed.results(found)
      return moving.map { tangents[$0 - captureCount] ?? .zeros(like: next[$0 - captureCount]) } + next
    }
    let goesOn = Tape.staging(inputTypes) { condition.graph(values($0)) }
    let loop = RepeatWhile(
      condition: LoopBody(goesOn), body: LoopBody(step), captureCount: captureCount + captures.count)
    func tangent(_ operand: Int) -> Tensor { tangents[operand] ?? .zeros(like: operands[operand]) }
    let results = loop.apply(
      operands[..<captureCount] + (captures + moving).map(tangent) + operands[self.carries])
    var found = [Tensor?](repeating: nil, count: carryCount)
    for (carry, result) in zip(moving, results) { found[carry - captureCount] = result }
    return (Array(results[moving.count...]), found)
  }
}
