extension OpenLoop {
  /// Takes out of the loop what no carry is needed for: what is the same at every step is computed once, and what
  /// depends on elements of sequences before the loop, for all steps at once.
  ///
  /// Products leave in any case. Where the rest is cut, from what is computed before to what the steps do, is a minimum
  /// cut on the bytes that have to be kept for every step; of the minimal cuts it is the one that takes out most.
  mutating func hoist(on tape: Tape) {
    let levels = levels()
    let before = computedBefore(levels)
    let users = users()
    let ends = Set(roots + carries.map(\.leaving))
    var steps = AllSteps(self, on: tape)

    for (index, node) in nodes.enumerated() where !(node.operation is Input) {
      let stays = users[index].contains { levels[$0] > .invariant || nodes[$0].operation.isSpread }
      for value in node.results.indices.map({ Value(index, $0) }) {
        let isUsed = stays && isRead(value, by: users[index])
        switch levels[index] {
        case .invariant where !node.operation.isSpread && (isUsed || ends.contains(value)):
          captures.append(Port(inner: cut(value), outer: tape.value(of: steps(value).tensor)))
        case .element where before[index]:
          guard ends.contains(value) || isRead(value, by: users[index].filter({ !before[$0] })) else { break }
          sequences.append(Port(inner: cut(value), outer: tape.value(of: steps(value).tensor)))
        default: break
        }
      }
    }
    tidy()
    delayCarries(on: tape)
  }

  private func isRead(_ value: Value, by users: [Int]) -> Bool {
    nodes[Int(value.node)].results.count == 1 ? !users.isEmpty : users.contains { nodes[$0].operands.contains(value) }
  }

  /// The nodes of level `.element` that are computed before the loop.
  private func computedBefore(_ levels: [Level]) -> [Bool] {
    let ends = Set((roots + carries.map(\.leaving)).map { Int($0.node) })
    var network = FlowNetwork()
    let (source, sink) = (network.addVertex(), network.addVertex())
    // The source's side of `before` is what is computed before the loop, the sink's side of `within` is what a step reads.
    var vertices: [(before: Int, within: Int)?] = Array(repeating: nil, count: nodes.count)
    for (index, node) in nodes.enumerated() where levels[index] == .element {
      let vertex = (before: network.addVertex(), within: network.addVertex())
      vertices[index] = vertex
      let isGiven = node.operation is Input
      network.connect(vertex.before, vertex.within, capacity: isGiven ? 0 : price(index))
      if isGiven || node.operation.isProduct || ends.contains(index) {
        network.connect(source, vertex.before, capacity: .max)
      }
      for operand in node.operands {
        guard let from = vertices[Int(operand.node)] else { continue }
        network.connect(vertex.before, from.before, capacity: .max)
        network.connect(from.within, vertex.before, capacity: .max)
      }
    }
    for (index, node) in nodes.enumerated() where levels[index] == .carried {
      for operand in node.operands {
        if let from = vertices[Int(operand.node)] { network.connect(from.within, sink, capacity: .max) }
      }
    }
    let isAfter = network.verticesReachingSink(from: source, to: sink)
    return vertices.map { $0.map { !isAfter[$0.before] } ?? false }
  }

  /// A carry that leaves as an element of a sequence is that sequence, one step late.
  private mutating func delayCarries(on tape: Tape) {
    var isChanged = false
    for (index, carry) in carries.enumerated().reversed() {
      guard let port = sequences.first(where: { $0.inner == carry.leaving }) else { continue }
      let stack = tape.tensor(port.outer)
      let late = Shift(isReversed: isReversed)(tape.tensor(carry.initial), stack)
      let last = tape.value(of: stack.part(at: isReversed ? 0 : -1, along: 0))
      carries.remove(at: index)
      sequences.append(Port(inner: carry.inner, outer: tape.value(of: late)))
      outcomes = outcomes.map { outcome in
        if case .final(carry.inner) = outcome { .outside(last) } else { outcome }
      }
      isChanged = true
    }
    // What depended on the carry alone may leave now.
    if isChanged {
      tidy()
      hoist(on: tape)
    }
  }
}
