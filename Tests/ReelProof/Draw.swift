import Reel

/// Draws programs by chance.
///
/// Every line is run as soon as it is drawn, so that the next one can be chosen to fit, and to stay in its domain.
struct Draw {
  var generator: SplitMix
  let elementType: ElementType
  var run: Run
  /// What lines can use, the latest last.
  var scope: [Program.Name] = []
  var steps: [Program.Step] = []
  var inputs: [Program.Input] = []
  var nextName = 0
  /// How much of the scope comes from outside the block.
  var outerCount = 0
  /// How deep the block is in bodies.
  var depth = 0
  /// The extents that shapes are made of.
  var extents: [Int] = []

  init(seed: UInt64) {
    generator = SplitMix(seed: seed)
    elementType = Int.random(in: 0..<4, using: &generator) == 0 ? .float32 : .float64
    run = Run(elementType, .full)
  }

  mutating func chance(_ one: Int, in all: Int) -> Bool { Int.random(in: 0..<all, using: &generator) < one }
  mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
  mutating func pick<Element>(_ elements: some Collection<Element>) -> Element {
    elements.randomElement(using: &generator)!
  }

  mutating func name() -> Program.Name {
    nextName += 1
    return nextName - 1
  }

  // MARK: - The whole program

  mutating func program() -> Program {
    drawExtents()
    drawInputs()
    let count = number(4...11)
    while steps.count < count { step() }
    return Program(
      elementType: elementType, inputs: inputs,
      block: Program.Block(parameters: [], steps: steps, results: results(number(1...3)))
    ).pruned
  }

  private mutating func drawExtents() {
    extents = (0..<3).map { _ in number(2...5) }
    if chance(1, in: 3) { extents.append(1) }
    // Wide enough for a loop's rows to be shared out over threads.
    if chance(1, in: 6) { extents[0] = number(16...40) }
  }

  /// Inputs of any shapes, or of those that a recurrent cell has.
  private mutating func drawInputs() {
    if chance(1, in: 2) {
      let (batch, units, time) = (extents[0], extents[1], extents[2])
      let shapes = [[units, units], [units], [batch, units], [time, batch, units]]
      for shape in shapes where !chance(1, in: 8) { input(shape) }
    }
    let count = inputs.isEmpty ? number(2...4) : number(0...1)
    for _ in 0..<count { input((0..<number(1...3)).map { _ in pick(extents) }) }
    if inputs.isEmpty || chance(1, in: 4) { input([]) }
  }

  mutating func input(_ shape: [Int]) {
    let count = shape.reduce(1, *)
    guard count <= 2000 else { return }
    let input = Program.Input(name: name(), shape: shape, seed: generator.next())
    inputs.append(input)
    let program = Program(elementType: elementType, inputs: [input], block: Program.Block())
    run[input.name] = program.arguments[0]
    scope.append(input.name)
  }

  /// What the program gives: mostly what nothing else uses, and at least one floating-point tensor.
  private mutating func results(_ count: Int) -> [Program.Name] {
    let floating = scope.filter { run[$0].elementType == elementType }
    let unused = unused.filter { run[$0].elementType == elementType }
    var results = [unused.last ?? floating.last!]
    for _ in 1..<max(count, 1) { results.append(result()) }
    return results.shuffled(using: &generator)
  }

  /// What no line of the block uses so far, among what it has computed or was given.
  var unused: [Program.Name] {
    let used = steps.reduce(into: Set<Program.Name>()) { names, step in
      names.formUnion(step.operands)
      for block in step.action.blocks { names.formUnion(block.usedNames) }
    }
    return scope.suffix(from: outerCount).filter { !used.contains($0) }
  }

  /// Something to give: mostly what nothing uses, now and then anything.
  mutating func result() -> Program.Name {
    let unused = unused
    return unused.isEmpty || chance(1, in: 4) ? pick(chance(1, in: 4) ? scope[...] : scope.suffix(5)) : pick(unused)
  }

  // MARK: - Lines

  mutating func step() {
    let isFull = !drawControl() && !drawLine()
    if isFull { return }
  }

  /// Adds a line if it can be run with operands in its domain; answers with its results.
  @discardableResult
  mutating func add(_ action: Action, _ operands: [Program.Name], resultCount: Int = 1) -> [Program.Name]? {
    let results = (0..<resultCount).map { _ in name() }
    let step = Program.Step(action: action, operands: operands, results: results)
    let witness = Witness()
    var trial = run
    trial.witness = witness
    let isFine: Bool
    do {
      isFine = try Recording.throwingErrors {
        trial.run(step)
        return results.allSatisfy { trial[$0].count <= 4000 && trial[$0].rank <= 5 }
      }
    } catch {
      return nil
    }
    guard isFine, witness.isTame, witness.largest < 50 else { return nil }
    trial.witness = nil
    run = trial
    steps.append(step)
    scope += results
    return results
  }

  // MARK: - Operands

  /// A floating-point value, mostly one that nothing uses yet, or a late one.
  mutating func floating() -> Program.Name {
    let unused = unused.filter { run[$0].elementType == elementType }
    if !unused.isEmpty && chance(1, in: 2) { return pick(unused) }
    let all = scope.filter { run[$0].elementType == elementType }
    return chance(3, in: 4) ? pick(all.suffix(6)) : pick(all)
  }

  /// A floating-point value that a condition holds for.
  mutating func floating(where condition: (Tensor) -> Bool) -> Program.Name? {
    let all = scope.filter { run[$0].elementType == elementType && condition(run[$0]) }
    if all.isEmpty { return nil }
    let unused = Set(unused)
    let fresh = all.filter(unused.contains)
    if !fresh.isEmpty && chance(1, in: 2) { return pick(fresh) }
    return chance(2, in: 3) ? pick(all.suffix(6)) : pick(all)
  }

  mutating func values(of elementType: ElementType) -> Program.Name? {
    scope.filter { run[$0].elementType == elementType }.randomElement(using: &generator)
  }

  /// Another value that broadcasts with one.
  mutating func partner(of name: Program.Name) -> Program.Name {
    let shape = run[name].shape
    let fitting = scope.filter { $0 != name && run[$0].elementType == elementType && fits(run[$0].shape, shape) }
    if fitting.isEmpty || chance(1, in: 12) { return run[name].elementType == elementType ? name : floating() }
    let unused = Set(unused)
    let fresh = fitting.filter(unused.contains)
    if !fresh.isEmpty && chance(1, in: 2) { return pick(fresh) }
    return chance(2, in: 3) ? pick(fitting.suffix(6)) : pick(fitting)
  }

  private func fits(_ a: Shape, _ b: Shape) -> Bool {
    zip(a.extents.reversed(), b.extents.reversed()).allSatisfy { $0 == $1 || $0 == 1 || $1 == 1 }
  }

  func shape(_ name: Program.Name) -> Shape { run[name].shape }
}

extension Program {
  /// A program drawn by chance, the same for the same seed.
  package static func random(seed: UInt64) -> Program {
    var seed = seed
    while true {
      var draw = Draw(seed: seed)
      let program = draw.program()
      let witness = program.witness(program.arguments)
      if !program.inputs.isEmpty && witness.isTame && witness.largest < 1e3 { return program }
      seed = seed &* 0x5851_F42D_4C95_7F2D &+ 0x1405_7B7E_F767_814F
    }
  }
}
