// Forward mode: values and tangents side by side, operation by operation.

extension Graph {
  /// Runs the graph on values and tangents: with each argument `x` a direction `dx`, and with each output `y` the
  /// derivative `dy = J·dx`.
  ///
  /// Nothing is kept for a way back: values go as soon as no operation needs them, and loops carry their tangents along.
  ///
  /// - Parameters:
  ///   - arguments: One tensor for each input, of its type.
  ///   - tangents: The tangent of each argument; nil where it does not move.
  /// - Returns: The outputs, and their tangents; nil where they do not move.
  func callWithTangents(
    _ arguments: [Tensor], _ tangents: [Tensor?]
  ) -> (outputs: [Tensor], tangents: [Tensor?]) {
    var values = [[Tensor]](repeating: [], count: nodes.count)
    var moves = [[Tensor?]](repeating: [], count: nodes.count)
    for (index, input) in inputs.enumerated() {
      values[Int(input.node)] = [arguments[index]]
      moves[Int(input.node)] = [tangents[index]]
    }
    let expiring = expiringNodes
    for (index, node) in nodes.enumerated() where !(node.operation is Input) {
      let operands = node.operands.map { values[Int($0.node)][Int($0.result)] }
      let tangents = node.operands.map { moves[Int($0.node)][Int($0.result)] }
      Recording.$path.withValue(node.path) {
        if tangents.contains(where: { $0 != nil }) {
          (values[index], moves[index]) = node.operation.pushforward(operands, tangents)
        } else {
          values[index] = node.operation.apply(operands)
          moves[index] = node.results.map { _ in nil }
        }
      }
      for last in expiring[index] { (values[last], moves[last]) = ([], []) }
    }
    return (
      outputs.map { values[Int($0.node)][Int($0.result)] }, outputs.map { moves[Int($0.node)][Int($0.result)] }
    )
  }

  /// For each node, the nodes whose results it is the last to use.
  private var expiringNodes: [[Int]] {
    var isHeld = [Bool](repeating: false, count: nodes.count)
    for output in outputs { isHeld[Int(output.node)] = true }
    var expiring = [[Int]](repeating: [], count: nodes.count)
    for index in nodes.indices.reversed() {
      for operand in nodes[index].operands where !isHeld[Int(operand.node)] {
        isHeld[Int(operand.node)] = true
        expiring[index].append(Int(operand.node))
      }
    }
    return expiring
  }
}

extension Operation {
  package func pushforward(_ operands: [Tensor], _ tangents: [Tensor?]) -> (results: [Tensor], tangents: [Tensor?]) {
    let results = apply(operands)
    return (results, transposedPullback(operands, results, tangents))
  }

  /// The tangents of the results by transposing the pullback.
  ///
  /// A pullback `c ↦ Jᵀc` is linear in its cotangents, so that the pullback of the pullback, by these, is `v ↦ Jv`. It is
  /// recorded on a tape of its own and swept there; what it made of the cotangents themselves is then of no use and never
  /// runs.
  private func transposedPullback(_ operands: [Tensor], _ results: [Tensor], _ tangents: [Tensor?]) -> [Tensor?] {
    let types = results.map(\.type)
    guard types.contains(where: \.elementType.isFloatingPoint) else { return results.map { _ in nil } }
    let tape = Tape(.body, parent: Recording.tape)
    defer { tape.close() }
    let cotangents = types.map { $0.elementType.isFloatingPoint ? tape.input($0) : nil }
    let given = cotangents.compactMap(\.self)
    let found = Recording.$tape.withValue(tape) {
      let context = PullbackContext(
        operands: operands, results: results, cotangents: cotangents, isActive: tangents.map { $0 != nil },
        sums: tangents.map { _ in nil }, widen: nil)
      let seeds = zip(pullback(context), tangents).compactMap { cotangent, tangent in
        // A cotangent may have the shape that its operand was broadcast to, and so has to have the tangent.
        cotangent.flatMap { cotangent in
          tangent.map { (result: cotangent, cotangent: $0.broadcasted(to: cotangent.shape)) }
        }
      }
      return tape.cotangents(of: given, from: seeds, isDetached: false)
    }
    let moving = found.compactMap(\.self).map(tape.value(of:))
    let captures = tape.state.withLock { $0.captures }
    let graph = tape.graph(inputs: captures.map(\.inner) + given.map(tape.value(of:)), outputs: moving)
    guard !graph.usedInputs.suffix(given.count).contains(true) else {
      TensorError(
        operation: name, operands: operands.map(\.type),
        problem: "a derivative along a direction through a pullback that is not linear in its cotangent",
        expected: "a linear pullback, which has a transpose"
      ).report()
      return results.map { _ in nil }
    }
    var rest = Graph(extracting: graph.outputs, from: Array(graph.inputs.prefix(captures.count)), of: graph.nodes)(
      captures.map(\.outer))[...]
    var answers = found[...]
    return cotangents.map { cotangent in
      guard cotangent != nil, answers.removeFirst() != nil else { return nil }
      return rest.removeFirst()
    }
  }
}
