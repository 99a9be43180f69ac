/// A loop of a computation, step by step: what is carried, what functions gave, and what the value depends on.
package struct RecordedLoop: Sendable {
  /// One step.
  package struct Step: Sendable {
    /// The place along the time axis.
    package let time: Int
    /// What the step leaves behind.
    package let carries: [Tensor]
    /// The derivatives of the value by what the step starts from; nil for what the value does not depend on.
    package let gradients: [Tensor?]
    /// The results of functions that are more than arithmetic, such as tanh, with their names, in the order they are
    /// computed in.
    package let functions: [(name: String, value: Tensor)]
  }

  /// The layers around the loop, outermost first.
  package let path: [String]
  /// The steps in the order in which they are done.
  package let steps: [Step]
}

/// Runs a computation eagerly, and its loops once more step by step, forwards and backwards.
///
/// - Parameter computation: A computation with a floating-point scalar as its result.
/// - Returns: The value, and the loops that it depends on, in the order they ran in; loops inside loops are a part of a step.
package func recordedLoops(in computation: () -> Tensor) -> (value: Tensor, loops: [RecordedLoop]) {
  let differentiation = Differentiation()
  defer { differentiation.finish() }
  let value = differentiation.run(computation)
  let tape = differentiation.tape
  guard value.tape === tape else { return (value.detached, []) }
  let nodes = tape.state.withLock { $0.nodes }
  let isNeeded = nodes.ancestors(of: [tape.value(of: value)])
  let loops = nodes.indices.compactMap { index -> RecordedLoop? in
    guard isNeeded[index], let scan = nodes[index].operation as? Scan else { return nil }
    let results = nodes[index].results.indices.map { tape.tensor(Value(index, $0)) }
    let cotangents = tape.cotangents(of: results, from: [(value, .ones(like: value))], isDetached: true)
    let operands = nodes[index].operands.map { tape.tensor($0).detached }
    let replay = ScanReplay(scan, operands, cotangents)
    return RecordedLoop(path: nodes[index].path, steps: replay.steps)
  }
  return (value.detached, loops)
}

/// A loop that is done once more, step by step.
private struct ScanReplay {
  private let scan: Scan
  private let operands: [Tensor]
  /// The cotangents of the results of the loop.
  private let cotangents: [Tensor?]
  private var graph: Graph { scan.body.graph }

  init(_ scan: Scan, _ operands: [Tensor], _ cotangents: [Tensor?]) {
    (self.scan, self.operands, self.cotangents) = (scan, operands, cotangents)
  }

  var steps: [RecordedLoop.Step] {
    var carry = Array(operands[scan.carries])
    var done: [(time: Int, entering: [Tensor], leaving: [Tensor], functions: [(name: String, value: Tensor)])] = []
    for step in 0..<scan.length {
      let time = scan.isReversed ? scan.length - 1 - step : step
      let (next, functions) = forward(carry, time)
      done.append((time, carry, next, functions))
      carry = next
    }
    var gradients = (0..<scan.carryCount).map { cotangents[$0] }
    var found: [RecordedLoop.Step] = []
    for step in done.reversed() {
      gradients = backward(step.entering, step.time, gradients)
      found.append(
        RecordedLoop.Step(time: step.time, carries: step.leaving, gradients: gradients, functions: step.functions))
    }
    return found.reversed()
  }

  private func arguments(_ carry: [Tensor], _ time: Int) -> [Tensor] {
    operands[scan.captures] + carry + operands[scan.sequences].map { $0[time] }
  }

  private func forward(_ carry: [Tensor], _ time: Int) -> ([Tensor], [(name: String, value: Tensor)]) {
    var values = [[Tensor]](repeating: [], count: graph.nodes.count)
    for (input, argument) in zip(graph.inputs, arguments(carry, time)) { values[Int(input.node)] = [argument] }
    var functions: [(name: String, value: Tensor)] = []
    for (index, node) in graph.nodes.enumerated() where !(node.operation is Input) {
      values[index] = node.operation.apply(node.operands.map { values[Int($0.node)][Int($0.result)] })
      if node.operation.scalarCode != nil && !node.operation.isCheap {
        functions.append((node.operation.name, values[index][0]))
      }
    }
    return (graph.outputs[..<scan.carryCount].map { values[Int($0.node)][Int($0.result)] }, functions)
  }

  /// The derivatives by what a step starts from, given those by what it leaves behind.
  private func backward(_ carry: [Tensor], _ time: Int, _ next: [Tensor?]) -> [Tensor?] {
    let isDifferentiable = graph.outputTypes.map(\.elementType.isFloatingPoint)
    let seeds = graph.outputTypes.indices.map { index -> Tensor? in
      index < scan.carryCount ? next[index] : cotangents[index].map { $0[time] }
    }
    let wanted = graph.outputTypes.indices.filter { isDifferentiable[$0] && seeds[$0] != nil }
    guard !wanted.isEmpty else { return carry.map { _ in nil } }
    let (_, pullback) = valueWithPullback(at: carry) { (carry: [Tensor]) -> [Tensor] in
      let outputs = graph(arguments(carry, time))
      return wanted.map { outputs[$0] }
    }
    let found = pullback(wanted.map { seeds[$0]! })
    return zip(carry, found).map { $0.elementType.isFloatingPoint ? $1 : nil }
  }
}
