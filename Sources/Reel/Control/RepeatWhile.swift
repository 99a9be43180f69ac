/// A loop whose length depends on data, as one operation.
///
///     operands:  captured ++ initial carries
///     condition: captured ++ carries  →  bool[]
///     body:      captured ++ carries  →  carries
///     results:   final carries
///
/// The last carry counts the steps: the reverse asks how many there were.
package struct RepeatWhile: OperationWithBodies {
  let condition, body: LoopBody
  let captureCount: Int

  package var name: String { "repeatWhile" }
  package var attributes: String { "captured=\(captureCount), carries=\(carryCount)" }
  package var bodies: [Graph] { [condition.graph, body.graph] }
  package func replacingBodies(_ bodies: [Graph]) -> any Operation {
    RepeatWhile(condition: LoopBody(bodies[0]), body: LoopBody(bodies[1]), captureCount: captureCount)
  }
  package var isCheap: Bool { false }

  var carryCount: Int { body.graph.outputs.count }
  var carries: Range<Int> { captureCount..<captureCount + carryCount }
  /// The type of the count of steps.
  static var countType: TensorType { TensorType(.scalar, .int32) }

  package func resultTypes(of operands: [TensorType]) throws(TensorError) -> [TensorType] {
    let expected = body.graph.inputTypes
    guard operands == expected, condition.graph.inputTypes == expected else {
      throw TensorError(
        operation: name, operands: operands, problem: "operands that are not those of the body",
        expected: expected.map(\.description).joined(separator: ", "))
    }
    let carries = body.graph.outputTypes
    guard Array(expected[self.carries]) == carries else {
      throw TensorError(
        operation: name, operands: operands, problem: "a carry that leaves the body with another type",
        expected: expected[self.carries].map(\.description).joined(separator: ", "))
    }
    return carries
  }

  package func run(_ operands: [Storage], into results: [Storage]) {
    for (result, found) in zip(results, evaluate(operands, types: [])) { result.copy(from: found) }
  }

  package func evaluate(_ operands: [Storage], types: [TensorType]) -> [Storage] { executable.run(operands) }

  /// The loop as a program of its own.
  var program: Graph {
    Tape.staging(body.graph.inputTypes) { apply($0) }
  }

  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] {
    var carriesBatched = Array(isBatched[carries])
    while true {
      let flags = isBatched[..<captureCount] + carriesBatched
      let types = zip(body.graph.inputTypes, flags).map { $1 ? $0.stacked(count) : $0 }
      var leavesBatched = carriesBatched
      var goesOnBatched = false
      // Each goes on until its own condition is false, and the loop until none goes on.
      let condition = Tape.staging(types) { inputs in
        let (found, areBatched) = self.condition.graph.vectorized(inputs, isBatched: Array(flags), count: count)
        goesOnBatched = areBatched[0]
        return [goesOnBatched ? found[0].any() : found[0]]
      }
      let body = Tape.staging(types) { inputs in
        let (next, areBatched) = self.body.graph.vectorized(inputs, isBatched: Array(flags), count: count)
        leavesBatched = zip(carriesBatched, areBatched).map { $0 || $1 || goesOnBatched }
        let outputs = zip(next.indices, next).map { index, next in
          carriesBatched[index] && !areBatched[index] ? next.repeated(count) : next
        }
        guard goesOnBatched, leavesBatched == carriesBatched else { return outputs }
        let goesOn = self.condition.graph.vectorized(inputs, isBatched: Array(flags), count: count).outputs[0]
        return zip(outputs, inputs[self.carries]).map { next, carry in
          select(goesOn.reshaped(to: Shape([count] + Array(repeating: 1, count: next.rank - 1))), next, carry)
        }
      }
      if leavesBatched != carriesBatched {
        carriesBatched = leavesBatched
        continue
      }
      let prepared = zip(operands, zip(flags, isBatched)).map { operand, flags in
        flags.0 && !flags.1 ? operand.repeated(count) : operand
      }
      let loop = RepeatWhile(condition: LoopBody(condition), body: LoopBody(body), captureCount: captureCount)
      return zip(loop.apply(prepared), carriesBatched).map { $1 ? $0 : $0.repeated(count) }
    }
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    let stage = RepeatWhileDerivative.Stage.reversed(
      isActive: context.isActive, hasCotangent: context.cotangents.map { $0 != nil })
    let derivative = RepeatWhileDerivative(loop: self, stages: [stage])
    return derivative.cotangents(context, operands: context.operands, stepCount: context.results[carryCount - 1])
  }
}

extension RepeatWhile: ReadableOperation {
  package static let names = ["repeatWhile"]

  package init(reading text: inout OperationText) throws(GraphSyntaxError) {
    try text.expect(operands: text.operands.count, results: text.results.count, bodies: 2)
    captureCount = try text.count("captured")
    condition = LoopBody(text.bodies[0])
    body = LoopBody(text.bodies[1])
    guard try text.count("carries") == carryCount, captureCount + carryCount == body.graph.inputs.count else {
      throw text.failure(
        "\(captureCount) captured values in a body of \(body.graph.inputs.count) inputs and \(carryCount) outputs",
        expected: "an input for each captured value and for each carry, and an output for each carry")
    }
    guard condition.graph.inputTypes == body.graph.inputTypes,
      condition.graph.outputTypes == [TensorType(.scalar, .bool)]
    else {
      throw text.failure(
        "a condition that gives \(condition.graph.outputTypes)", expected: "the inputs of the body, and bool[] for them"
      )
    }
    // A batch of loops has a count for each.
    guard body.graph.outputTypes.last?.elementType == Self.countType.elementType else {
      throw text.failure("a last carry that is no count of steps", expected: "\(Self.countType.elementType)")
    }
  }
}
