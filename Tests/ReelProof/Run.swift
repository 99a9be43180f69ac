import Reel

/// One way through a program, line by line.
struct Run {
  let elementType: ElementType
  let unroll: Unroll
  /// Sees every value and every decision, where there are values to see.
  var witness: Witness?
  private var values: [Program.Name: Tensor] = [:]

  init(_ elementType: ElementType, _ unroll: Unroll, witness: Witness? = nil) {
    (self.elementType, self.unroll, self.witness) = (elementType, unroll, witness)
  }

  subscript(name: Program.Name) -> Tensor {
    get { values[name]! }
    set { values[name] = newValue }
  }

  mutating func run(_ block: Program.Block, _ arguments: [Tensor] = []) -> [Tensor] {
    for (name, argument) in zip(block.parameters, arguments) {
      values[name] = argument
      witness?.see(argument, as: name)
    }
    for step in block.steps { run(step) }
    return block.results.map { values[$0]! }
  }

  mutating func run(_ step: Program.Step) {
    let operands = step.operands.map { values[$0]! }
    witness?.see(step.action, operands)
    let results =
      switch step.action {
      case .scan(let loop): run(loop, operands)
      case .conditional(let then, let otherwise): run(then, else: otherwise, operands[0])
      case .repeatWhile(let condition, let body): run(body, while: condition, operands)
      case .gradient(let block): run(gradientOf: block, at: operands[0])
      default: step.action.apply(operands, elementType)
      }
    for (index, name) in step.results.enumerated() {
      // A line that does not fit has reported so, and may give less than it should.
      values[name] = index < results.count ? results[index] : Tensor.zeros([], elementType: elementType)
      witness?.see(values[name]!, as: name)
    }
  }

  private func run(_ loop: Action.Loop, _ operands: [Tensor]) -> [Tensor] {
    let (carry, sequences) = (Array(operands[..<loop.carryCount]), Array(operands[loop.carryCount...]))
    let step = { (carry: [Tensor], elements: [Tensor]) in
      var inner = self
      let results = inner.run(loop.body, carry + elements)
      return (Array(results[..<loop.carryCount]), Array(results[loop.carryCount...]))
    }
    // The full layout is the plain one that the others are compared with.
    let memory = unroll == .full ? LoopMemory.unlimited : loop.memory
    if loop.givesLastOnly {
      let (state, output) = scanToLast(
        over: sequences, from: carry, reverse: loop.isReversed, unroll: unroll, memory: memory, step)
      return state + output
    }
    let (state, outputs) = scan(
      over: sequences, from: carry, reverse: loop.isReversed, unroll: unroll, memory: memory, step)
    return state + outputs
  }

  private func run(_ then: Program.Block, else otherwise: Program.Block, _ predicate: Tensor) -> [Tensor] {
    let branch = { (block: Program.Block) in
      var inner = self
      return inner.run(block)
    }
    return conditional(predicate) {
      branch(then)
    } else: {
      branch(otherwise)
    }
  }

  private func run(_ body: Program.Block, while condition: Program.Block, _ operands: [Tensor]) -> [Tensor] {
    let call = { (block: Program.Block, state: [Tensor]) in
      var inner = self
      return inner.run(block, state)
    }
    var count = 0
    return repeatWhile(
      from: operands,
      while: {
        count += 1
        if let witness, !witness.allows(steps: count) { return false }
        return call(condition, $0)[0]
      }, body: { call(body, $0) })
  }

  private func run(gradientOf block: Program.Block, at x: Tensor) -> [Tensor] {
    var inner = self
    if witness != nil { _ = inner.run(block, [x]) }
    inner.witness = nil
    return [
      Reel.gradient(at: x) { x in
        var inner = inner
        return inner.run(block, [x])[0].sum()
      }
    ]
  }
}

extension Program {
  /// Runs the program: at once on tensors with values, else it is recorded.
  package func callAsFunction(_ arguments: [Tensor], unroll: Unroll = .never) -> [Tensor] {
    run(arguments, unroll, nil)
  }

  /// What there is to see on the way.
  package func witness(_ arguments: [Tensor]) -> Witness {
    let witness = Witness()
    _ = run(arguments, .full, witness)
    return witness
  }

  private func run(_ arguments: [Tensor], _ unroll: Unroll, _ witness: Witness?) -> [Tensor] {
    var run = Run(elementType, unroll, witness: witness)
    for (input, argument) in zip(inputs, arguments) {
      run[input.name] = argument
      witness?.see(argument, as: input.name)
    }
    return run.run(block)
  }
}
