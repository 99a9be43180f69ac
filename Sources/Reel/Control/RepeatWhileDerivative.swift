/// A derivative, of any order, of a loop whose length depends on data.
///
///     operands:  the number of steps ++ what the derivative takes, such as operands and cotangents
///
/// The number of steps is known when it runs. The loop is then a `scan` with room for so many steps, each a conditional on
/// whether the loop goes on, and its derivative that of the `scan`: residuals are stacks with room for a power of two of
/// steps, so that they grow with the number of steps, and few programs are prepared however it varies. They keep the states
/// of the steps, and each step is computed once more.
package struct RepeatWhileDerivative: Operation {
  /// What is made of the program before.
  enum Stage: Hashable {
    case reversed(isActive: [Bool], hasCotangent: [Bool])
    case vectorized(isBatched: [Bool], count: Int)
  }

  let loop: RepeatWhile
  let stages: [Stage]

  package var name: String { "repeatWhileDerivative" }
  package var attributes: String {
    "captured=\(loop.captureCount), carries=\(loop.carryCount), stages=["
      + stages.map(\.description).joined(separator: ", ") + "]"
  }
  package var isCheap: Bool { false }

  /// The derivative with room for so many steps.
  struct Program: Sendable {
    let graph: Graph
    /// Of a reversed program: the operands that it reads, and those whose cotangents it gives.
    var read: [Int] = []
    var found: [Int] = []
  }

  private struct Key: Hashable {
    let derivative: RepeatWhileDerivative
    let capacity: Int
  }

  private static let programs = LoopCache<Key, Program>()

  func program(capacity: Int) -> Program {
    Self.programs(Key(derivative: self, capacity: capacity)) {
      guard let stage = stages.last else { return Program(graph: loop.bounded(by: capacity)) }
      let known = RepeatWhileDerivative(loop: loop, stages: stages.dropLast()).program(capacity: capacity).graph
      switch stage {
      case .reversed(let isActive, let hasCotangent):
        let reverse = ReversedBodies(
          [known], isActive: isActive, hasCotangent: hasCotangent, hasSum: isActive.map { _ in false })
        return Program(graph: reverse.bodies[0].graph, read: reverse.read, found: reverse.found)
      case .vectorized(let isBatched, let count):
        let types = zip(known.inputTypes, isBatched).map { $1 ? $0.stacked(count) : $0 }
        return Program(
          graph: Tape.staging(types) { inputs in
            let (results, areBatched) = known.vectorized(inputs, isBatched: isBatched, count: count)
            return zip(results, areBatched).map { $1 ? $0 : $0.repeated(count) }
          })
      }
    }
  }

  /// The program whose types stand for those of all: no type depends on the room for steps.
  private var typical: Program { program(capacity: 1) }

  package func resultTypes(of operands: [TensorType]) throws(TensorError) -> [TensorType] {
    let expected = typical.graph.inputTypes
    guard let count = operands.first, count.elementType == .int32, Array(operands.dropFirst()) == expected else {
      throw TensorError(
        operation: name, operands: operands, problem: "operands that are not those of the body",
        expected: ([RepeatWhile.countType] + expected).map(\.description).joined(separator: ", "))
    }
    return typical.graph.outputTypes
  }

  package func run(_ operands: [Storage], into results: [Storage]) {
    for (result, found) in zip(results, evaluate(operands, types: [])) { result.copy(from: found) }
  }

  package func evaluate(_ operands: [Storage], types: [TensorType]) -> [Storage] {
    let steps = Int(operands[0].elements(as: Int32.self).max() ?? 0)
    var capacity = 1
    while capacity < steps { capacity *= 2 }
    return LoopBody(program(capacity: capacity).graph).executable.run(Array(operands.dropFirst()))
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    let stage = Stage.reversed(
      isActive: Array(context.isActive.dropFirst()), hasCotangent: context.cotangents.map { $0 != nil })
    let derivative = RepeatWhileDerivative(loop: loop, stages: stages + [stage])
    let operands = Array(context.operands.dropFirst())
    return [nil] + derivative.cotangents(context, operands: operands, stepCount: context.operands[0])
  }

  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] {
    guard isBatched.dropFirst().contains(true) else {
      // The number of steps alone does not change what is computed.
      return apply([operands[0].max()] + operands.dropFirst()).map { $0.repeated(count) }
    }
    let stage = Stage.vectorized(isBatched: Array(isBatched.dropFirst()), count: count)
    return RepeatWhileDerivative(loop: loop, stages: stages + [stage]).apply(operands)
  }

  /// The cotangents of some operands, from this reverse of what was computed from them.
  func cotangents(_ context: PullbackContext, operands: [Tensor], stepCount: Tensor) -> [Tensor?] {
    let program = typical
    var cotangents = [Tensor?](repeating: nil, count: operands.count)
    if program.found.isEmpty { return cotangents }
    let results = apply([stepCount] + program.read.map { operands[$0] } + context.cotangents.compactMap { $0 })
    for (operand, result) in zip(program.found, results) { cotangents[operand] = result }
    return cotangents
  }
}

extension RepeatWhile {
  /// The loop with room for so many steps: those after the last one change nothing, and compute nothing.
  fileprivate func bounded(by capacity: Int) -> Graph {
    let types = body.graph.inputTypes
    let identity = Tape.staging(types) { Array($0[carries]) }
    let step = Tape.staging(types) { inputs in
      let goesOn = condition.graph(inputs)[0]
      return Conditional(then: body, otherwise: LoopBody(identity)).apply([goesOn] + inputs)
    }
    let scan = Scan(
      body: LoopBody(step), captureCount: captureCount, carryCount: carryCount, length: capacity, isReversed: false,
      isAdjoint: false)
    return Tape.staging(types) { scan.apply($0) }
  }
}
