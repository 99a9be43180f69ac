extension Pass {
  /// Loop fission: what need not be done step by step leaves the loops of a graph.
  ///
  /// - What nothing depends on disappears, through loops too.
  /// - What is the same at every step, or depends on elements of sequences only, is computed before the loop.
  /// - Products of one operand with several weights become one product.
  /// - Sums over the steps and what no carry waits for are computed after the loop.
  ///
  /// What is taken out is computed for all steps at once, by the batching rules of its operations: a product of every step
  /// becomes one product of many rows. Only sums that a reverse sweep made are reassociated; all other bits stay.
  package static let loops = Pass("loops") { graph in
    guard graph.hasLoops else { return graph }
    var graph = graph
    // Loops that read what other loops no longer give shrink in turn; this ends after three or four rounds.
    for _ in 0..<8 {
      let next = graph.withLoopsOpened().applying([.simplify, .commonSubexpressions, .deadCode])
      if next == graph { break }
      graph = next
    }
    return graph
  }
}

extension Graph {
  /// Whether there are loops, in programs of operations too.
  var hasLoops: Bool {
    nodes.contains { node in
      node.operation is Scan || (node.operation as? any OperationWithBodies)?.bodies.contains(where: \.hasLoops) == true
    }
  }

  /// The graph with its loops taken apart and put together again, each for itself.
  fileprivate func withLoopsOpened() -> Graph {
    let isUsed = usedThroughLoops()
    let tape = Tape(.staged)
    defer { tape.close() }
    var copies = [[Value]](repeating: [], count: nodes.count)
    func copy(_ value: Value) -> Value { copies[Int(value.node)][Int(value.result)] }
    for input in inputs { copies[Int(input.node)] = [tape.copy(nodes[Int(input.node)], [])[0]] }
    Recording.$tape.withValue(tape) {
      for (index, node) in nodes.enumerated() where isUsed[index].contains(true) && !(node.operation is Input) {
        if let scan = node.operation as? Scan {
          let unused = Value(0)
          let operands = node.operands.map { isUsed[Int($0.node)][Int($0.result)] ? copy($0) : unused }
          let results = Recording.$path.withValue(node.path) {
            scan.optimizingInnerLoops().opened(operands, isUsed: isUsed[index], on: tape)
          }
          copies[index] = results.map { $0 ?? unused }
        } else if let holder = node.operation as? any OperationWithBodies,
          let (operation, operands) = holder.narrowed(to: isUsed[index])
        {
          var narrow = node
          narrow.operation = operation.mapBodies { Pass.loops.transform($0) } ?? operation
          narrow.results = zip(node.results, isUsed[index]).filter(\.1).map(\.0)
          var results = tape.copy(narrow, operands.map { copy(node.operands[$0]) })[...]
          copies[index] = isUsed[index].map { $0 ? results.removeFirst() : Value(0) }
        } else if node.operation is Identity {
          copies[index] = [copy(node.operands[0])]
        } else {
          copies[index] = tape.copy(node, node.operands.map(copy))
        }
      }
    }
    return tape.graph(inputs: inputs.map(copy), outputs: outputs.map(copy))
  }

  /// Which results of each node the outputs depend on, where loops are asked which operands a result needs.
  private func usedThroughLoops() -> [[Bool]] {
    var isUsed = nodes.map { [Bool](repeating: false, count: $0.results.count) }
    func use(_ value: Value) { isUsed[Int(value.node)][Int(value.result)] = true }
    outputs.forEach(use)
    for (index, node) in nodes.enumerated().reversed() where isUsed[index].contains(true) {
      guard let scan = node.operation as? Scan else {
        let operands = (node.operation as? any OperationWithBodies)?.narrowed(to: isUsed[index])?.operands
        (operands ?? Array(node.operands.indices)).forEach { use(node.operands[$0]) }
        continue
      }
      let loop = OpenLoop(scan, node.operands, isUsed: isUsed[index])
      let (isNeeded, isLive) = loop.liveness()
      for port in loop.captures + loop.sequences where isNeeded[Int(port.inner.node)] { use(port.outer) }
      for (carry, isLive) in zip(loop.carries, isLive) where isLive { use(carry.initial) }
    }
    return isUsed
  }
}

extension Scan {
  /// The loop with the loops of its body optimised.
  fileprivate func optimizingInnerLoops() -> Scan {
    guard body.graph.hasLoops else { return self }
    return Scan(
      body: LoopBody(Pass.loops.transform(body.graph)), captureCount: captureCount, carryCount: carryCount,
      length: length, isReversed: isReversed, isAdjoint: isAdjoint)
  }

  /// Records the optimised loop, with what leaves it before and after it.
  fileprivate func opened(_ operands: [Value], isUsed: [Bool], on tape: Tape) -> [Value?] {
    var loop = OpenLoop(self, operands, isUsed: isUsed)
    if length == 0 { return loop.resultsWithoutSteps(on: tape) }
    loop.tidy()
    loop.contractProducts()
    loop.unmergeProducts()
    loop.mergeProducts()
    return loop.finish(on: tape)
  }
}

extension Tape {
  /// Appends a node of another program with operands of this tape.
  fileprivate func copy(_ node: Node, _ operands: [Value]) -> [Value] {
    state.withLock { state in
      state.nodes.append(Node(operation: node.operation, operands: operands, results: node.results, path: node.path))
      return node.results.indices.map { Value(state.nodes.count - 1, $0) }
    }
  }
}
