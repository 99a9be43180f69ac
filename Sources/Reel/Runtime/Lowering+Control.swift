extension Lowering {
  /// Lowers a branch; both bodies write their results to the same places.
  mutating func lower(_ conditional: Conditional, _ operands: [View], into results: [View]) {
    let outer = (instructions: instructions, origins: origins)
    let predicate = operands[0]
    let arguments = Array(operands.dropFirst())
    memory.advance(using: [predicate.base])
    let branches = conditional.bodies.map { body in
      (instructions, origins) = ([], [])
      _ = lower(body, arguments, results)
      return (code: instructions, origins: origins.padded(to: instructions.count, for: conditional.name))
    }
    (instructions, origins) = outer
    instructions.append(
      .conditional(
        ConditionalCall(
          predicate: Address(predicate), then: branches[0].code, otherwise: branches[1].code,
          origins: (branches[0].origins, branches[1].origins))))
    memory.advance(using: results.map(\.base))
  }

  /// Lowers a loop whose length depends on data, and copies its last carries to their places.
  mutating func lower(_ loop: RepeatWhile, _ operands: [View], into results: [View]) {
    let initial = loop.carries.map { dense(operands[$0]) }
    let outer = (instructions: instructions, loop: self.loop, origins: origins)
    memory.beginLoop(using: operands.map(\.base) + initial.map(\.base))
    (instructions, origins) = ([], [])
    self.loop = OpenLoop(firstBase: memory.baseCount, holdsLoops: true)
    var incoming: [View] = []
    var leaving: [View] = []
    var buffers: [Int] = []
    let carries = initial.map { initial in
      let (enters, leaves) = (memory.external(), memory.external())
      let own = (0..<2).map { _ in memory.allocate(byteCount: initial.type.byteCount, forLoop: true) }
      incoming.append(View(base: enters, initial.type))
      leaving.append(View(base: leaves, initial.type))
      buffers += own
      return LoopCall.Carry(
        incoming: enters, initial: Address(initial), outgoing: .buffers(base: leaves, even: own[0], odd: own[1]))
    }
    let inputs = operands[..<loop.captureCount] + incoming
    let predicate = lower(loop.condition.graph, inputs: Array(inputs))[0]
    memory.advance(using: [predicate.base])
    let condition = (code: instructions, origins: origins.padded(to: instructions.count, for: loop.name))
    (instructions, origins) = ([], [])
    _ = lower(loop.body.graph, Array(inputs), leaving)
    let call = WhileCall(
      carries: carries, prologue: self.loop!.prologue, condition: condition.code, predicate: Address(predicate),
      body: instructions, origins: (condition.origins, origins.padded(to: instructions.count, for: loop.name)))
    (instructions, self.loop, origins) = outer
    instructions.append(.repeatWhile(call))
    memory.endLoop()
    memory.advance(using: buffers + initial.map(\.base) + results.map(\.base))
    for (carry, result) in zip(incoming, results) { copy(carry, into: result) }
  }
}
