/// A piece of a program whose inner values are not kept for the reverse sweep: it computes them once more.
///
///     let y = rematerialized { tanh(x.matmul(w1)).matmul(w2) }
///
/// Values and gradients are those of `body` by itself, of every order. What the piece uses and gives is kept as ever, all
/// that lies between is not: memory is traded for the time of one more forward computation (Griewank and Walther,
/// "Revolve", 2000; Chen et al., "Training deep nets with sublinear memory cost", 2016).
///
/// - Parameter body: The piece. It is called once, and may read and assign variables. Under a gradient it is recorded before
///   it runs, so that its tensors have types but no values yet.
/// - Returns: What `body` returns.
public func rematerialized<Output: TensorStructure>(_ body: () -> Output) -> Output {
  let piece = RecordedPiece(body)
  defer { piece.tape.close() }
  if Recording.boundary?.hasFailed == true { return piece.placeholder }
  // A value that is given twice is one result, so that code around the piece sees that it is the same.
  let (tensors, masks) = (piece.output.tensors, piece.masks)
  let values = (tensors + masks.compactMap { $0 } + piece.assigned.map(\.current)).map(piece.tape.value(of:))
  var distinct: [Value] = []
  for value in values where !distinct.contains(value) { distinct.append(value) }
  let (bodies, captured) = [BodyTape(tape: piece.tape, inputs: [], outputs: distinct)].closed()
  let results = Rematerialized(body: LoopBody(bodies[0])).apply(captured)
  let found = values.map { results[distinct.firstIndex(of: $0)!] }
  for (binding, value) in zip(piece.assigned, found.suffix(piece.assigned.count)) { binding.variable.value = value }
  return piece.output(
    Array(found.prefix(tensors.count)), masks: Array(found.dropFirst(tensors.count)), isMasked: masks.map { $0 != nil })
}

/// A program as one operation, which keeps its inner values to itself: its pullback computes them again, and is such an
/// operation too. So what surrounds it can neither keep them nor find them computed twice.
package struct Rematerialized: OperationWithBodies {
  let body: LoopBody

  package var name: String { "rematerialized" }
  package var bodies: [Graph] { [body.graph] }
  package func replacingBodies(_ bodies: [Graph]) -> any Operation { Rematerialized(body: LoopBody(bodies[0])) }
  package var isCheap: Bool { false }
  package var continuesSums: Bool { true }

  package func resultTypes(of operands: [TensorType]) throws(TensorError) -> [TensorType] {
    guard operands == body.graph.inputTypes else {
      throw TensorError(
        operation: name, operands: operands, problem: "operands that are not those of the body",
        expected: body.graph.inputTypes.map(\.description).joined(separator: ", "))
    }
    return body.graph.outputTypes
  }

  package func run(_ operands: [Storage], into results: [Storage]) {
    for (result, found) in zip(results, evaluate(operands, types: [])) { result.copy(from: found) }
  }

  package func evaluate(_ operands: [Storage], types: [TensorType]) -> [Storage] { body.executable.run(operands) }

  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] {
    let types = zip(body.graph.inputTypes, isBatched).map { $1 ? $0.stacked(count) : $0 }
    let graph = Tape.staging(types) { inputs in
      let (results, areBatched) = body.graph.vectorized(inputs, isBatched: isBatched, count: count)
      return zip(results, areBatched).map { $1 ? $0 : $0.repeated(count) }
    }
    return Rematerialized(body: LoopBody(graph)).apply(operands)
  }

  package func narrowed(to isUsed: [Bool]) -> (operation: any Operation, operands: [Int])? {
    let graph = body.graph
    let outputs = zip(graph.outputs, isUsed).filter(\.1).map(\.0)
    let isRead = Graph(extracting: outputs, from: graph.inputs, of: graph.nodes).usedInputs
    let operands = graph.inputs.indices.filter { isRead[$0] }
    if operands.count == graph.inputs.count && outputs.count == graph.outputs.count { return (self, operands) }
    let narrow = Graph(extracting: outputs, from: operands.map { graph.inputs[$0] }, of: graph.nodes)
    return (Rematerialized(body: LoopBody(narrow)), operands)
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    let key = Differentiation(
      program: self, isActive: context.isActive, hasCotangent: context.cotangents.map { $0 != nil },
      hasSum: context.sums.map { $0 != nil })
    let reverse = Self.reverses(key) {
      ReversedBodies([body.graph], isActive: key.isActive, hasCotangent: key.hasCotangent, hasSum: key.hasSum)
    }
    return reverse.cotangents(context.operands, context) { Rematerialized(body: reverse.bodies[0]).apply($0) }
  }
}

extension Rematerialized {
  private struct Differentiation: Hashable {
    let program: Rematerialized
    let isActive, hasCotangent, hasSum: [Bool]
  }

  private static let reverses = LoopCache<Differentiation, ReversedBodies>()
}

extension Rematerialized: ReadableOperation {
  package static let names = ["rematerialized"]

  package init(reading text: inout OperationText) throws(GraphSyntaxError) {
    try text.expect(operands: text.operands.count, results: text.results.count, bodies: 1)
    body = LoopBody(text.bodies[0])
  }
}
