import Reel

extension Program {
  /// A smallest program that still fails: nothing that is tried takes more away from it.
  ///
  /// - Parameters:
  ///   - limit: How many programs are tried.
  ///   - fails: Whether a program, which is valid, fails as this one does.
  package func shrunk(limit: Int = 3000, _ fails: (Program) -> Bool) -> Program {
    var best = self
    var tries = 0
    while true {
      let next = best.smaller.lazy.map(\.pruned).first { candidate in
        guard tries < limit, candidate != best, candidate.isValid else { return false }
        tries += 1
        return fails(candidate)
      }
      guard let next else { return best }
      best = next
    }
  }

  /// Whether it can be run: its operations fit, and every operand lies in its domain.
  var isValid: Bool {
    let types = inputs.map { TensorType(Shape($0.shape), elementType) }
    guard let graph = try? Graph(tracing: types, { self($0) }) else { return false }
    guard graph.outputTypes.contains(where: \.elementType.isFloatingPoint) else { return false }
    return (try? Recording.throwingErrors { witness(arguments).isTame }) == true
  }

  /// Programs with a little less.
  private var smaller: [Program] {
    fewerResults + cut + withBlocks { $0.shrinkingLoops } + smallerExtents
  }

  /// Fewer results, and one that comes earlier.
  private var fewerResults: [Program] {
    if block.results.count == 1 {
      let earlier = block.steps.flatMap(\.results).prefix { $0 != block.results[0] }
      return earlier.map { result in
        var program = self
        program.block.results = [result]
        return program
      }
    }
    return block.results.indices.map { index in
      var program = self
      program.block.results.remove(at: index)
      return program
    }
  }

  /// Values exchanged for others of the same type, and for inputs.
  private var cut: [Program] {
    let types = (try? Recording.throwingErrors { witness(arguments).types }) ?? [:]
    var programs: [Program] = []
    for step in block.allSteps.reversed() {
      for result in step.results {
        guard let type = types[result] else { continue }
        for operand in step.operands where types[operand] == type {
          programs.append(replacing(result, with: operand))
        }
        if type.elementType == elementType { programs.append(replacingWithInput(result, type.shape)) }
      }
    }
    for (index, input) in inputs.enumerated() {
      for other in inputs[..<index] where other.shape == input.shape {
        programs.append(replacing(input.name, with: other.name))
      }
    }
    return programs
  }

  private func replacing(_ name: Name, with other: Name) -> Program {
    var program = self
    program.block = block.renamingUses { $0 == name ? other : $0 }
    return program
  }

  private func replacingWithInput(_ name: Name, _ shape: Shape) -> Program {
    var program = self
    let fresh = (block.allNames + inputs.map(\.name)).max()! + 1
    program.inputs.append(Input(name: fresh, shape: shape.extents, seed: UInt64(fresh)))
    program.block = block.renamingUses { $0 == name ? fresh : $0 }
    return program
  }

  private func withBlocks(_ change: (Block) -> [Block]) -> [Program] {
    block.changing(change).map { block in
      var program = self
      program.block = block
      return program
    }
  }

  /// Every extent made smaller wherever it stands, then in one input alone.
  private var smallerExtents: [Program] {
    let extents = Set(inputs.flatMap(\.shape)).filter { $0 > 1 }.sorted(by: >)
    return extents.flatMap { extent in
      [1, 2, extent / 2, extent - 1].filter { $0 < extent && $0 > 0 }.flatMap { smaller in
        func resized(_ shape: [Int]) -> [Int] { shape.map { $0 == extent ? smaller : $0 } }
        var everywhere = self
        everywhere.inputs = inputs.map { input in
          var input = input
          input.shape = resized(input.shape)
          return input
        }
        var withActions = everywhere
        withActions.block = block.resizing(resized)
        return [withActions, everywhere]
      }
    }
  }
}

extension Program.Block {
  var allSteps: [Program.Step] { steps.flatMap { $0.action.blocks.flatMap(\.allSteps) + [$0] } }

  var allNames: [Program.Name] {
    parameters + steps.flatMap { $0.results + $0.action.blocks.flatMap(\.allNames) }
  }

  /// Every block that a change of this one, or of one in it, gives.
  func changing(_ change: (Self) -> [Self]) -> [Self] {
    var blocks = change(self)
    for (index, step) in steps.enumerated() {
      for (number, inner) in step.action.blocks.enumerated() {
        blocks += inner.changing(change).map { changed in
          var block = self
          block.steps[index].action.blocks[number] = changed
          return block
        }
      }
    }
    return blocks
  }

  func resizing(_ resized: ([Int]) -> [Int]) -> Self {
    var block = self
    for index in steps.indices {
      switch steps[index].action {
      case .reshape(let shape): block.steps[index].action = .reshape(resized(shape))
      case .broadcast(let shape): block.steps[index].action = .broadcast(resized(shape))
      case .fill(let value, let shape): block.steps[index].action = .fill(value, shape: resized(shape))
      case .uniform(let seed, let shape): block.steps[index].action = .uniform(seed: seed, shape: resized(shape))
      default: block.steps[index].action.blocks = steps[index].action.blocks.map { $0.resizing(resized) }
      }
    }
    return block
  }

  /// Loops with fewer carries, sequences and outputs, in order and unlimited, or run once; a branch instead of both.
  var shrinkingLoops: [Self] {
    steps.indices.flatMap { index -> [Self] in
      switch steps[index].action {
      case .scan(let loop): withoutParts(of: loop, index) + withoutOptions(of: loop, index)
      case .conditional(let then, let otherwise): [splicing(then, index), splicing(otherwise, index)]
      case .repeatWhile(let condition, let body): [splicing(body, index)] + withoutParts(of: condition, body, index)
      default: []
      }
    }
  }

  private func withoutOptions(of loop: Action.Loop, _ index: Int) -> [Self] {
    var (inOrder, stacked, unlimited) = (loop, loop, loop)
    inOrder.isReversed = false
    stacked.givesLastOnly = false
    unlimited.memory = .unlimited
    return [inOrder, stacked, unlimited].filter { $0 != loop }.map { plain in
      var block = self
      block.steps[index].action = .scan(plain)
      return block
    }
  }

  /// The lines of a branch in place of the choice, or those of a body, once, in place of the loop.
  private func splicing(_ inner: Self, _ index: Int) -> Self {
    var block = self
    let operands = Dictionary(uniqueKeysWithValues: zip(inner.parameters, steps[index].operands))
    let inner = inner.renamingUses { operands[$0] ?? $0 }
    let names = Dictionary(uniqueKeysWithValues: zip(steps[index].results, inner.results))
    block.steps.replaceSubrange(index...index, with: inner.steps)
    return block.renamingUses { names[$0] ?? $0 }
  }

  /// A loop without a carry whose result nothing uses: it becomes what it is at the start.
  private func withoutParts(of condition: Self, _ body: Self, _ index: Int) -> [Self] {
    let (step, used) = (steps[index], usedNames)
    return step.results.indices.filter { !used.contains(step.results[$0]) }.map { result in
      var (block, condition, body) = (self, condition, body)
      block.steps[index].results.remove(at: result)
      let initial = block.steps[index].operands.remove(at: result)
      body.results.remove(at: result)
      let parameters = [condition.parameters.remove(at: result), body.parameters.remove(at: result)]
      condition = condition.renamingUses { parameters.contains($0) ? initial : $0 }
      body = body.renamingUses { parameters.contains($0) ? initial : $0 }
      block.steps[index].action = .repeatWhile(condition: condition, body: body)
      return block
    }
  }

  private func withoutParts(of loop: Action.Loop, _ index: Int) -> [Self] {
    let step = steps[index]
    let used = usedNames
    var blocks: [Self] = []
    for result in step.results.indices.reversed() where !used.contains(step.results[result]) {
      var (block, less) = (self, loop)
      less.body.results.remove(at: result)
      block.steps[index].results.remove(at: result)
      if result < loop.carryCount {
        // The carry becomes what it is at the start.
        let parameter = less.body.parameters.remove(at: result)
        let initial = block.steps[index].operands.remove(at: result)
        less.body = less.body.renamingUses { $0 == parameter ? initial : $0 }
        less.carryCount -= 1
      }
      block.steps[index].action = .scan(less)
      blocks.append(block)
    }
    for sequence in loop.carryCount..<step.operands.count where step.operands.count > loop.carryCount + 1 {
      guard !loop.body.usedNames.contains(loop.body.parameters[sequence]) else { continue }
      var (block, less) = (self, loop)
      less.body.parameters.remove(at: sequence)
      block.steps[index].operands.remove(at: sequence)
      block.steps[index].action = .scan(less)
      blocks.append(block)
    }
    return blocks
  }
}
