import Reel

// Lines with bodies.
extension Draw {
  /// Adds a loop or another line with a body, now and then; answers whether there is one.
  mutating func drawControl() -> Bool {
    guard depth < 2, chance(depth == 0 ? 2 : 1, in: depth == 0 ? 9 : 14) else { return false }
    switch number(0...15) {
    case 0: return drawGradient()
    case 1...2: return drawConditional()
    case 3...4: return drawRepeat()
    default: return drawScan()
    }
  }

  /// Draws the lines of a body: what they use from outside is captured.
  ///
  /// - Parameters:
  ///   - parameters: What the body is given, with values that they have once.
  ///   - count: How many lines.
  ///   - finish: Adds the last lines, and answers with the results.
  private mutating func body(
    _ parameters: [(name: Program.Name, value: Tensor)], _ count: Int, _ finish: (inout Draw) -> [Program.Name]
  ) -> Program.Block {
    var inner = self
    inner.depth += 1
    inner.steps = []
    inner.outerCount = scope.count
    for (name, value) in parameters { inner.run[name] = value }
    inner.scope += parameters.map(\.name)
    while inner.steps.count < count { inner.step() }
    let results = finish(&inner)
    // Inputs are the program's, and randomness and names go on.
    let added = inner.inputs.dropFirst(inputs.count)
    for input in added {
      run[input.name] = inner.run[input.name]
      scope.append(input.name)
    }
    (generator, nextName, inputs) = (inner.generator, inner.nextName, inner.inputs)
    return Program.Block(parameters: parameters.map(\.name), steps: inner.steps, results: results)
  }

  private mutating func drawScan() -> Bool {
    let length = pick(extents.filter { $0 <= 5 } + [3])
    var sequences = scope.filter { name in
      let x = run[name]
      return x.rank > 0 && x.shape[0] == length && x.elementType != .int32
    }
    if sequences.isEmpty || chance(1, in: 4) {
      input([length] + (0..<number(0...2)).map { _ in pick(extents) })
      guard let last = inputs.last, last.shape.first == length else { return false }
      sequences = [last.name]
    }
    let chosen = (0..<number(1...2)).map { _ in pick(sequences) }
    let initial = (0..<number(1...3)).map { _ in floating() }
    let carries = initial.map { (name: name(), value: run[$0]) }
    let elements = chosen.map { (name: name(), value: run[$0][0]) }
    let outputCount = number(0...2)
    let block = body(carries + elements, number(2...7)) { inner in
      let next = carries.map { inner.next(of: $0.name) }
      return next + (0..<outputCount).map { _ in inner.result() }
    }
    let loop = Action.Loop(
      carryCount: carries.count, isReversed: chance(1, in: 3), givesLastOnly: chance(1, in: 6),
      memory: chance(1, in: 4)
        ? pick([.checkpoints(every: 1), .checkpoints(every: 2), .checkpoints(every: 3)]) : .unlimited,
      body: block)
    return add(.scan(loop), initial + chosen, resultCount: carries.count + outputCount) != nil
  }

  /// How a carry leaves a step.
  private mutating func next(of carry: Program.Name) -> Program.Name {
    let type = run[carry].type
    let same = scope.filter { run[$0].type == type }
    let fresh = unused.filter { run[$0].type == type }
    let found = fresh.isEmpty || chance(1, in: 4) ? pick(same.suffix(5)) : pick(fresh)
    switch number(0...7) {
    case 0: return carry
    case 1: return found
    case 2: return add(.pair(.add), [carry, pick(same)])?[0] ?? found
    case 3:
      let half = add(.number(.multiply, 0.5), [carry])?[0] ?? carry
      return add(.pair(.add), [half, found])?[0] ?? half
    case 4: return add(.map(.sigmoid), [found])?[0] ?? found
    case 5, 6:
      let fitting = partner(of: carry)
      guard let sum = add(.pair(.add), [carry, fitting])?[0], run[sum].type == type else { return found }
      return add(.map(.tanh), [sum])?[0] ?? sum
    default: return add(.map(.tanh), [found])?[0] ?? found
    }
  }

  /// A truth value of the data.
  private mutating func predicate() -> Program.Name? {
    let x = floating()
    guard let sum = add(.fold(pick([.mean, .max, .sum]), axes: nil, keepDims: false), [x])?[0] else { return nil }
    return add(.number(.less, pick([-0.5, 0.1, 0.3, 1])), [sum])?[0]
  }

  /// A branch, whose two sides give values of one type each.
  private mutating func drawConditional() -> Bool {
    guard let predicate = predicate() else { return false }
    let wanted = (0..<number(1...2)).map { _ in floating() }
    func branch(_ draw: inout Draw) -> Program.Block {
      draw.body([], draw.number(1...4)) { inner in wanted.map { inner.next(of: $0) } }
    }
    let (then, otherwise) = (branch(&self), branch(&self))
    return add(.conditional(then: then, otherwise: otherwise), [predicate], resultCount: wanted.count) != nil
  }

  /// A loop whose length depends on the data: it goes on for some steps, and as long as its state says so.
  private mutating func drawRepeat() -> Bool {
    let initial = (0..<number(1...2)).map { _ in floating() }
    guard let zero = add(.fill(0, shape: []), [])?[0] else { return false }
    let carries = (initial + [zero]).map { (name: name(), value: run[$0]) }
    let block = body(carries, number(1...4)) { inner in
      let next = carries.dropLast().map { inner.next(of: $0.name) }
      return next + [inner.add(.number(.add, 1), [carries.last!.name])![0]]
    }
    let tested = (initial + [zero]).map { (name: name(), value: run[$0]) }
    let limit = Double(number(0...4)) + 0.5
    let condition = body(tested, 0) { inner in
      let isEarly = inner.add(.number(.less, limit), [tested.last!.name])![0]
      guard inner.chance(1, in: 2), let more = inner.predicate() else { return [isEarly] }
      return [inner.add(.pair(.and), [isEarly, more])?[0] ?? isEarly]
    }
    let action = Action.repeatWhile(condition: condition, body: block)
    return add(action, initial + [zero], resultCount: carries.count) != nil
  }

  /// A gradient within the program.
  private mutating func drawGradient() -> Bool {
    let x = floating()
    let parameter = (name: name(), value: run[x])
    let block = body([parameter], number(1...4)) { inner in
      [inner.scope.last { inner.run[$0].elementType == inner.elementType }!]
    }
    return add(.gradient(block), [x]) != nil
  }
}
