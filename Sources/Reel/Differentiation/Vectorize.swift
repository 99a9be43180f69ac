extension Graph {
  /// The graph's computation for every index of a new leading axis, from the batching rules of its operations.
  ///
  /// - Parameters:
  ///   - arguments: One tensor for each input, with a new leading axis of extent `count` where `isBatched` says so.
  ///   - isBatched: Which arguments have the axis.
  ///   - count: The extent of the axis.
  /// - Returns: The outputs, and which of them have the axis: those that depend on an argument that has it.
  package func vectorized(
    _ arguments: [Tensor], isBatched: [Bool], count: Int
  ) -> (outputs: [Tensor], isBatched: [Bool]) {
    var values = [[Tensor]](repeating: [], count: nodes.count)
    var flags = [Bool](repeating: false, count: nodes.count)
    for (index, input) in inputs.enumerated() {
      values[Int(input.node)] = [arguments[index]]
      flags[Int(input.node)] = isBatched[index]
    }
    for (index, node) in nodes.enumerated() where !(node.operation is Input) {
      let operands = node.operands.map { values[Int($0.node)][Int($0.result)] }
      let isBatched = node.operands.map { flags[Int($0.node)] }
      flags[index] = isBatched.contains(true)
      values[index] =
        flags[index]
        ? node.operation.vectorized(operands, isBatched: isBatched, count: count) : node.operation.apply(operands)
    }
    return (outputs.map { values[Int($0.node)][Int($0.result)] }, outputs.map { flags[Int($0.node)] })
  }
}
