import Reel

/// A program as data: what it computes from what, so that it can be drawn by chance, run in every way, made smaller and
/// printed.
package struct Program: Hashable, Sendable {
  /// A value: an input, a result of a step, or what a body is given. Names are unique in the whole program, so that a body
  /// that uses a value from outside captures it.
  package typealias Name = Int

  /// One tensor that the program is given, with elements of an interval.
  package struct Input: Hashable, Sendable {
    var name: Name
    var shape: [Int]
    /// What the elements are drawn from.
    var seed: UInt64
    var bound = 1.5
  }

  /// One line: values from values.
  package struct Step: Hashable, Sendable {
    var action: Action
    var operands: [Name]
    var results: [Name]
  }

  /// Some lines and what they give: the whole program, the body of a loop, a branch.
  package struct Block: Hashable, Sendable {
    var parameters: [Name] = []
    var steps: [Step] = []
    var results: [Name] = []
  }

  /// The element type of the inputs, and of what is computed from them.
  package var elementType: ElementType
  var inputs: [Input]
  var block: Block

  /// How many lines there are, those of bodies included.
  package var size: Int { block.size }
}

extension Program.Block {
  var size: Int { steps.reduce(0) { $0 + 1 + $1.action.blocks.reduce(0) { $0 + $1.size } } }

  /// What the block, with all that it contains, uses.
  var usedNames: Set<Program.Name> {
    steps.reduce(into: Set(results)) { names, step in
      names.formUnion(step.operands)
      for block in step.action.blocks { names.formUnion(block.usedNames) }
    }
  }

  /// The block with other names for what is used in it.
  func renamingUses(_ rename: (Program.Name) -> Program.Name) -> Self {
    var block = self
    block.results = results.map(rename)
    block.steps = steps.map { step in
      var step = step
      step.operands = step.operands.map(rename)
      step.action.blocks = step.action.blocks.map { $0.renamingUses(rename) }
      return step
    }
    return block
  }

  /// The block without lines that nothing uses.
  var withoutDeadSteps: Self {
    var block = self
    var used = Set(results)
    var kept: [Program.Step] = []
    for step in steps.reversed() where step.results.contains(where: used.contains) {
      var step = step
      step.action.blocks = step.action.blocks.map(\.withoutDeadSteps)
      used.formUnion(step.operands)
      for inner in step.action.blocks { used.formUnion(inner.usedNames) }
      kept.append(step)
    }
    block.steps = kept.reversed()
    return block
  }
}

extension Program {
  /// The inputs, the same for every run of the program.
  package var arguments: [Tensor] { inputs.map { $0.elements(elementType, variant: 0) } }

  /// The inputs of a run with other numbers.
  package func arguments(variant: Int) -> [Tensor] { inputs.map { $0.elements(elementType, variant: variant) } }

  /// The program without what nothing uses, inputs included.
  var pruned: Program {
    var program = self
    program.block = block.withoutDeadSteps
    let used = program.block.usedNames
    program.inputs = inputs.filter { used.contains($0.name) }
    return program
  }
}

extension Program.Input {
  fileprivate func elements(_ elementType: ElementType, variant: Int) -> Tensor {
    var generator = SplitMix(seed: seed &+ UInt64(variant) &* 0x1234_5678_9ABC_DEF1)
    // Numbers that both element types represent.
    let numbers = (0..<shape.reduce(1, *)).map { _ in
      (Double.random(in: -bound...bound, using: &generator) * 1024).rounded() / 1024
    }
    return Tensor(numbers, shape: Shape(shape)).converted(to: elementType)
  }
}
