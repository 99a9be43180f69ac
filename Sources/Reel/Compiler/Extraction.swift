extension Graph {
  /// The part of a recorded program that computes some of its results from others.
  ///
  /// - Parameters:
  ///   - outputs: The results wanted.
  ///   - inputs: The results taken as given; they become the inputs of the graph. Whatever else the outputs depend on is
  ///     copied.
  ///   - nodes: The program, in topological order.
  init(extracting outputs: [Value], from inputs: [Value], of nodes: [Node]) {
    var isNeeded = [Bool](repeating: false, count: nodes.count)
    let given = Set(inputs)
    for output in outputs where !given.contains(output) { isNeeded[Int(output.node)] = true }
    for index in nodes.indices.reversed() where isNeeded[index] {
      for operand in nodes[index].operands where !given.contains(operand) { isNeeded[Int(operand.node)] = true }
    }

    var copies: [Node] = []
    var names: [Value: Value] = [:]
    for input in inputs where names[input] == nil {
      let node = nodes[Int(input.node)]
      let type = node.results[Int(input.result)]
      let source = node.operation as? Input ?? Input(type: type, name: "")
      names[input] = Value(copies.count)
      copies.append(Node(operation: source, operands: [], results: [type], path: node.path))
    }
    for (index, node) in nodes.enumerated() where isNeeded[index] {
      var copy = node
      copy.operands = node.operands.map { names[$0]! }
      for result in node.results.indices where names[Value(index, result)] == nil {
        names[Value(index, result)] = Value(copies.count, result)
      }
      copies.append(copy)
    }
    self.init(nodes: copies, inputs: inputs.map { names[$0]! }, outputs: outputs.map { names[$0]! })
  }

  /// The graph without the operations that its outputs do not need.
  func withoutDeadCode() -> Graph { Graph(extracting: outputs, from: inputs, of: nodes) }

  /// Which inputs anything is computed from.
  var usedInputs: [Bool] {
    let used = Set(nodes.flatMap(\.operands)).union(outputs)
    return inputs.map(used.contains)
  }
}
