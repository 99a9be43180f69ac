extension OpenLoop {
  /// Makes a body in topological order of the edited nodes: without what nothing depends on, equal operations, equal ports
  /// and equal carries once, and carries that never change as captured values.
  mutating func tidy() {
    var size: Int
    repeat {
      size = nodes.count
      rebuild()
    } while nodes.count != size
  }

  private mutating func rebuild() {
    let (isNeeded, isLive) = liveness()
    var expressions = Expressions(capacity: nodes.count)
    var copies = [[Value]](repeating: [], count: nodes.count)
    var tidied = self
    (tidied.captures, tidied.carries, tidied.sequences) = ([], [], [])

    func enter(_ inner: Value, _ outer: Value, among ports: inout [Port]) {
      let index = Int(inner.node)
      if let known = ports.first(where: { $0.outer == outer }) {
        copies[index] = [known.inner]
      } else {
        copies[index] = [Value(expressions.insert(nodes[index]))]
        ports.append(Port(inner: copies[index][0], outer: outer))
      }
    }
    for port in captures where isNeeded[Int(port.inner.node)] {
      enter(port.inner, port.outer, among: &tidied.captures)
    }
    var kept: [Carry] = []
    let twins = twins(isLive: isLive, isNeeded: isNeeded)
    for (index, carry) in carries.enumerated() where isLive[index] {
      let leaving = resolved(carry.leaving)
      if leaving == carry.inner {
        enter(carry.inner, carry.initial, among: &tidied.captures)
      } else if twins[index] != index {
        copies[Int(carry.inner.node)] = copies[Int(carries[twins[index]].inner.node)]
      } else {
        copies[Int(carry.inner.node)] = [Value(expressions.insert(node(carry.inner)))]
        kept.append(carry)
      }
    }
    for port in sequences where isNeeded[Int(port.inner.node)] {
      enter(port.inner, port.outer, among: &tidied.sequences)
    }
    copyNodes(isNeeded, to: &expressions, &copies)

    func copy(_ value: Value) -> Value {
      let value = resolved(value)
      return copies[Int(value.node)][Int(value.result)]
    }
    tidied.carries = kept.map { Carry(inner: copy($0.inner), initial: $0.initial, leaving: copy($0.leaving)) }
    tidied.outcomes = outcomes.map { outcome in
      switch outcome {
      case .unused, .outside: return outcome
      case .final(let inner):
        // A carry that never changes is a captured value by now, and so is one that is always equal to it.
        let copied = copy(inner)
        return tidied.captures.first { $0.inner == copied }.map { .outside($0.outer) } ?? .final(copied)
      case .sum(let value, let initial): return .sum(copy(value), initial: initial)
      case .stack(let value):
        let stacked = copy(value)
        return tidied.sequences.first { $0.inner == stacked }.map { .outside($0.outer) } ?? .stack(stacked)
      }
    }
    tidied.nodes = expressions.nodes
    tidied.replacements = [:]
    self = tidied
  }

  /// Copies nodes in their order, but each after its operands. Bodies may be deep, so this does not recur.
  func copyNodes(_ isNeeded: [Bool], to expressions: inout Expressions, _ copies: inout [[Value]]) {
    for start in nodes.indices where isNeeded[start] && copies[start].isEmpty {
      var stack = [start]
      while let index = stack.last {
        let operands = nodes[index].operands.map(resolved)
        let missing = operands.filter { copies[Int($0.node)].isEmpty }
        if copies[index].isEmpty && missing.isEmpty {
          var copy = nodes[index]
          copy.operands = operands.map { copies[Int($0.node)][Int($0.result)] }
          let place = copy.operation is Identity ? nil : expressions.insert(copy)
          copies[index] = place.map { place in copy.results.indices.map { Value(place, $0) } } ?? copy.operands
        }
        if missing.isEmpty { stack.removeLast() } else { stack += missing.reversed().map { Int($0.node) } }
      }
    }
  }
}
