import Reel

// Lines with bodies.
extension Draw {
  /// Adds a loop or another line with a body, now and then; answers whether there is one.
  mutating func drawControl() -> Bool {
    guard depth < 2, chance(depth == 0 ? 2 : 1, in: depth == 0 ? 9 : 14) else { return false }
    return chance(1, in: 8) ? drawGradient() : drawScan()
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
      carryCount: carries.count, isReversed: chance(1, in: 3), givesLastOnly: chance(1, in: 6), body: block)
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
