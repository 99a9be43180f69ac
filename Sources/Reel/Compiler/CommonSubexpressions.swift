extension Pass {
  /// Computes equal operations on equal operands once.
  package static let commonSubexpressions = Pass("common subexpressions") { graph in
    var copies: [Node] = []
    var known: [Expression: Int] = [:]
    /// For each node of the graph, the copy that stands for it.
    var copy = [Int](repeating: 0, count: graph.nodes.count)
    func rename(_ value: Value) -> Value { Value(copy[Int(value.node)], Int(value.result)) }

    for (index, node) in graph.nodes.enumerated() {
      var renamed = node
      renamed.operands = node.operands.map(rename)
      let expression = Expression(operation: node.operation, operands: renamed.operands)
      if !(node.operation is Input), let first = known[expression] {
        copy[index] = first
        continue
      }
      copy[index] = copies.count
      known[expression] = copies.count
      copies.append(renamed)
    }
    return Graph(nodes: copies, inputs: graph.inputs.map(rename), outputs: graph.outputs.map(rename))
  }
}

/// An operation with its operands: equal ones have equal results.
private struct Expression: Hashable {
  let operation: any Operation
  let operands: [Value]

  static func == (left: Expression, right: Expression) -> Bool {
    left.operands == right.operands && left.operation.isEqual(to: right.operation)
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(operands)
    operation.hash(into: &hasher)
  }
}
