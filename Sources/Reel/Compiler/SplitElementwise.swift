extension Pass {
  /// Does elementwise operations whose result is only taken apart on the parts: `split(a + b) → split a + split b`. The
  /// parts are views, and what is done with them afterwards has their shape, so that all of it becomes one program.
  package static let splitElementwise = Pass("split elementwise") { graph in
    var graph = graph
    // Taking one apart can leave the one before it with slices for users.
    while let next = graph.withSplitElementwise() { graph = next }
    return graph.withoutDeadCode()
  }
}

extension Graph {
  /// The graph with elementwise operations taken apart, in bodies of loops too; nil if there is none to take apart.
  fileprivate func withSplitElementwise() -> Graph? {
    var users = [[Int]](repeating: [], count: nodes.count)
    for (index, node) in nodes.enumerated() { for operand in node.operands { users[Int(operand.node)].append(index) } }
    let kept = Set(outputs.map(\.node))
    var isSplit = [Bool](repeating: false, count: nodes.count)
    for (index, node) in nodes.enumerated()
    where node.operation.scalarCode != nil && !kept.contains(Int32(index)) && users[index].count > 1 {
      isSplit[index] = areParts(users[index], of: node.results[0].shape)
    }
    let bodies = nodes.map { node in node.operation.mapBodies { Pass.splitElementwise.transform($0) } }
    guard isSplit.contains(true) || bodies.contains(where: { $0 != nil }) else { return nil }

    var result: [Node] = []
    var names: [Value: Value] = [:]
    func append(_ operation: any Operation, _ operands: [Value], _ types: [TensorType], _ path: [String]) -> Value {
      result.append(Node(operation: operation, operands: operands, results: types, path: path))
      return Value(result.count - 1)
    }
    /// The part of an operand that an operation on a part reads: all of it where it is repeated along the axis.
    func part(_ operand: Value, _ slice: Slice, of whole: TensorType) -> Value {
      let type = result[Int(operand.node)].results[Int(operand.result)]
      guard type.shape.rank >= -slice.axis, type.shape[slice.axis] == whole.shape[slice.axis] else { return operand }
      let shape = type.shape.replacing(slice.axis + type.shape.rank, with: slice.count)
      return append(slice, [operand], [TensorType(shape, type.elementType)], [])
    }
    for (index, node) in nodes.enumerated() where !isSplit[index] {
      if let slice = node.operation as? Slice, let whole = node.operands.first, isSplit[Int(whole.node)] {
        names[Value(index)] = computePart(of: whole, slice, names, part, append)
        continue
      }
      var copy = node
      copy.operation = bodies[index] ?? node.operation
      copy.operands = node.operands.map { names[$0]! }
      for number in node.results.indices { names[Value(index, number)] = Value(result.count, number) }
      result.append(copy)
    }
    return Graph(nodes: result, inputs: inputs.map { names[$0]! }, outputs: outputs.map { names[$0]! })
  }

  /// Whether the users are a few slices along one axis that read nothing twice.
  private func areParts(_ users: [Int], of shape: Shape) -> Bool {
    let slices = users.compactMap { nodes[$0].operation as? Slice }
    guard let first = slices.first, slices.count == users.count, slices.count <= 8 else { return false }
    return slices.allSatisfy { $0.axis == first.axis }
      && slices.reduce(0) { $0 + $1.count } <= shape[first.axis]
  }

  private func computePart(
    of whole: Value, _ slice: Slice, _ names: [Value: Value],
    _ part: (Value, Slice, TensorType) -> Value,
    _ append: (any Operation, [Value], [TensorType], [String]) -> Value
  ) -> Value {
    let node = nodes[Int(whole.node)]
    let type = node.results[0]
    let operands = node.operands.map { part(names[$0]!, slice, type) }
    let shape = type.shape.replacing(slice.axis + type.shape.rank, with: slice.count)
    return append(node.operation, operands, [TensorType(shape, type.elementType)], node.path)
  }
}
