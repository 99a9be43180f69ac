extension Pass {
  /// Puts the operations of functions with pullbacks of their own in the place of these: once gradients are recorded,
  /// their functions are operations like any other.
  package static let inlining = Pass("inlining") { $0.withFunctionsInlined() }
}

extension Graph {
  fileprivate func withFunctionsInlined() -> Graph {
    guard nodes.contains(where: { $0.operation is any OperationWithBodies }) else { return self }
    var inlined: [Node] = []
    var names: [Value: Value] = [:]
    for (index, node) in nodes.enumerated() {
      var copy = node
      copy.operands = node.operands.map { names[$0]! }
      if let function = node.operation as? CustomPullback {
        let results = Self.append(function.function.withFunctionsInlined(), copy.operands, to: &inlined)
        for (result, value) in results.enumerated() { names[Value(index, result)] = value }
        continue
      }
      if let loop = node.operation as? any OperationWithBodies {
        copy.operation = loop.replacingBodies(loop.bodies.map { $0.withFunctionsInlined() })
      }
      for result in node.results.indices { names[Value(index, result)] = Value(inlined.count, result) }
      inlined.append(copy)
    }
    return Graph(nodes: inlined, inputs: inputs.map { names[$0]! }, outputs: outputs.map { names[$0]! })
  }

  /// Appends the operations of a function that is given its arguments, and gives its results.
  private static func append(_ function: Graph, _ arguments: [Value], to nodes: inout [Node]) -> [Value] {
    var names: [Value: Value] = Dictionary(uniqueKeysWithValues: zip(function.inputs, arguments))
    for (index, node) in function.nodes.enumerated() where !(node.operation is Input) {
      var copy = node
      copy.operands = node.operands.map { names[$0]! }
      for result in node.results.indices { names[Value(index, result)] = Value(nodes.count, result) }
      nodes.append(copy)
    }
    return function.outputs.map { names[$0]! }
  }
}
