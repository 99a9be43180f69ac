/// A loop of fixed length, as one operation whose graph does not grow with the length.
///
///     operands:  captured ++ initial carries ++ sequences [length, ...]
///     body:      captured ++ carries ++ elements  →  carries ++ slices
///     results:   final carries ++ stacked slices [length, ...]
package struct Scan: OperationWithBodies {
  let body: LoopBody
  let captureCount: Int
  let carryCount: Int
  let length: Int
  /// Whether the loop runs from the last element to the first. Slices are stacked where their elements are.
  let isReversed: Bool
  /// Whether a reverse sweep made the loop, so that a compiler may reassociate its sums.
  let isAdjoint: Bool
  /// The reverse that a tape with values prepared for; derived, and no part of equality.
  var reverse: ReverseLoop?

  package var name: String { "scan" }
  package var attributes: String {
    "length=\(length), captured=\(captureCount), carries=\(carryCount)" + (isReversed ? ", reverse" : "")
      + (isAdjoint ? ", adjoint" : "")
  }
  package var bodies: [Graph] { [body.graph] }
  package var isCheap: Bool { false }
  package var continuesSums: Bool { true }

  package static func == (left: Scan, right: Scan) -> Bool {
    left.captureCount == right.captureCount && left.carryCount == right.carryCount && left.length == right.length
      && left.isReversed == right.isReversed && left.isAdjoint == right.isAdjoint && left.body == right.body
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(length)
    hasher.combine(body.hash)
  }

  /// The body's inputs by group, as ranges of operands.
  var captures: Range<Int> { 0..<captureCount }
  var carries: Range<Int> { captureCount..<captureCount + carryCount }
  var sequences: Range<Int> { captureCount + carryCount..<body.graph.inputs.count }

  package func resultTypes(of operands: [TensorType]) throws(TensorError) -> [TensorType] {
    let (inputs, outputs) = (body.graph.inputTypes, body.graph.outputTypes)
    let expected = inputs.enumerated().map { sequences.contains($0) ? $1.stacked(length) : $1 }
    guard operands == expected else {
      throw TensorError(
        operation: name, operands: operands, problem: "operands that are not those of the body",
        expected: expected.map(\.description).joined(separator: ", "))
    }
    guard Array(inputs[carries]) == Array(outputs[..<carryCount]) else {
      throw TensorError(
        operation: name, operands: operands, problem: "a carry that leaves the body with another type",
        expected: inputs[carries].map(\.description).joined(separator: ", "))
    }
    return outputs.enumerated().map { $0 < carryCount ? $1 : $1.stacked(length) }
  }

  package func run(_ operands: [Storage], into results: [Storage]) {
    for (result, found) in zip(results, evaluate(operands, types: [])) { result.copy(from: found) }
  }

  package func evaluate(_ operands: [Storage], types: [TensorType]) -> [Storage] {
    executable.run(operands)
  }

  /// The loop as a program of its own.
  var program: Graph {
    let types = body.graph.inputTypes.enumerated().map { sequences.contains($0) ? $1.stacked(length) : $1 }
    let inputs = types.indices.map { Value($0) }
    var nodes = types.map { Node(operation: Input(type: $0, name: ""), operands: [], results: [$0], path: []) }
    let results = body.graph.outputTypes.enumerated().map { $0 < carryCount ? $1 : $1.stacked(length) }
    nodes.append(Node(operation: self, operands: inputs, results: results, path: []))
    return Graph(nodes: nodes, inputs: inputs, outputs: results.indices.map { Value(types.count, $0) })
  }

  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] {
    var carriesBatched = Array(isBatched[carries])
    while true {
      let flags = isBatched[captures] + carriesBatched + isBatched[sequences]
      let types = zip(body.graph.inputTypes, flags).map { $1 ? $0.stacked(count) : $0 }
      var leavesBatched = carriesBatched
      let graph = Tape.staging(types) { inputs in
        let (outputs, areBatched) = body.graph.vectorized(inputs, isBatched: Array(flags), count: count)
        leavesBatched = zip(carriesBatched, areBatched).map { $0 || $1 }
        return outputs.enumerated().map { index, output in
          let wanted = index < carryCount ? carriesBatched[index] : true
          return wanted && !areBatched[index] ? output.repeated(count) : output
        }
      }
      // A carry that leaves with the batch axis has to enter with it.
      if leavesBatched != carriesBatched {
        carriesBatched = leavesBatched
        continue
      }
      return run(batched: graph, operands, Array(flags), isBatched: isBatched, count: count)
    }
  }

  private func run(
    batched graph: Graph, _ operands: [Tensor], _ flags: [Bool], isBatched: [Bool], count: Int
  ) -> [Tensor] {
    let prepared = operands.enumerated().map { index, operand in
      if sequences.contains(index) { return flags[index] ? operand.movingAxis(0, to: 1) : operand }
      return flags[index] && !isBatched[index] ? operand.repeated(count) : operand
    }
    let loop = Scan(
      body: LoopBody(graph), captureCount: captureCount, carryCount: carryCount, length: length,
      isReversed: isReversed, isAdjoint: isAdjoint)
    return loop.apply(prepared).prefix(body.graph.outputs.count).enumerated().map { index, result in
      if index >= carryCount { return result.movingAxis(1, to: 0) }
      return flags[carries][captureCount + index] ? result : result.repeated(count)
    }
  }
}

extension Scan: ReadableOperation {
  package static let names = ["scan"]

  package init(reading text: inout OperationText) throws(GraphSyntaxError) {
    try text.expect(operands: text.operands.count, results: text.results.count, bodies: 1)
    body = LoopBody(text.bodies[0])
    captureCount = try text.count("captured")
    carryCount = try text.count("carries")
    length = try text.count("length")
    isReversed = text.flag("reverse")
    isAdjoint = text.flag("adjoint")
    let (inputs, outputs) = (body.graph.inputs.count, body.graph.outputs.count)
    guard captureCount + carryCount <= inputs, carryCount <= outputs, inputs == text.operands.count else {
      throw text.failure(
        "\(captureCount) captured values and \(carryCount) carries in a body of \(inputs) inputs and \(outputs) outputs",
        expected: "an input for each of them and for each sequence, and an output for each carry")
    }
  }
}

extension TensorType {
  /// The type of so many tensors of this type, stacked along a new leading axis.
  func stacked(_ count: Int) -> TensorType { TensorType(shape.inserting(count, at: 0), elementType) }
}
