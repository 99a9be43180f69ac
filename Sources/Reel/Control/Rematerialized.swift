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
  let tape = Tape(.body, parent: Recording.tape, takesAssignments: true, isPiece: true)
  defer { tape.close() }
  let output = Recording.$tape.withValue(tape, operation: body)
  let assigned = tape.state.withLock { $0.variables }
  let given = output.tensors + assigned.map(\.current)
  if Recording.boundary?.hasFailed == true {
    return output.mapTensors { .zeros($0.shape, elementType: $0.elementType) }
  }
  // A value that is given twice is one result, so that code around the piece sees that it is the same.
  let values = given.map(tape.value(of:))
  var distinct: [Value] = []
  for value in values where !distinct.contains(value) { distinct.append(value) }
  let (graph, captured) = tape.closedBody(inputs: [], outputs: distinct)
  let results = Rematerialized(body: LoopBody(graph)).apply(captured)
  let found = values.map { results[distinct.firstIndex(of: $0)!] }
  for (binding, value) in zip(assigned, found.dropFirst(output.tensors.count)) { binding.variable.value = value }
  return output.replacingTensors(Array(found.prefix(output.tensors.count)))
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

  package func evaluate(_ operands: [Storage], types: [TensorType]) -> [Storage] { executable.run(operands) }

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
    return Self.reverses(key) {
      ReverseOfRematerialized(
        body.graph, isActive: key.isActive, hasCotangent: key.hasCotangent, hasSum: key.hasSum)
    }.cotangents(context)
  }
}

/// The pullback of a rematerialized program: the program and its sweep, as one operation.
///
///     operands ++ cotangents of results ++ cotangents of operands so far  →  cotangents of operands
final class ReverseOfRematerialized: Sendable {
  let operation: Rematerialized
  /// The operands of the program that its reverse reads, and those whose cotangents it gives.
  private let read, found: [Int]

  /// The operands whose cotangents go on from what the sweep has found so far.
  private let continued: [Int]

  init(_ program: Graph, isActive: [Bool], hasCotangent: [Bool], hasSum: [Bool]) {
    let tape = Tape(.staged)
    defer { tape.close() }
    let x = program.inputTypes.map { tape.input($0) }
    let active = x.indices.filter { isActive[$0] }
    let sums = Dictionary(uniqueKeysWithValues: active.filter { hasSum[$0] }.map { ($0, tape.input(x[$0].type)) })
    var cotangents: [Tensor] = []
    let totals = Recording.$tape.withValue(tape) {
      let y = program(x)
      let given = y.indices.filter { hasCotangent[$0] }.map { (result: y[$0], cotangent: tape.input(y[$0].type)) }
      cotangents = given.map(\.cotangent)
      let seeds = given + active.compactMap { index in sums[index].map { (x[index], $0) } }
      return tape.cotangents(of: active.map { x[$0] }, from: seeds, isDetached: false)
    }
    // A sum that nothing was added to stays with the sweep.
    let values = Dictionary(zip(active, totals.map { $0.map(tape.value(of:)) })) { first, _ in first }
    let found = active.filter { values[$0]! != nil && values[$0]! != sums[$0].map(tape.value(of:)) }
    let continued = found.filter { hasSum[$0] }
    let added = cotangents + continued.map { sums[$0]! }
    let draft = tape.graph(inputs: (x + added).map(tape.value(of:)), outputs: found.map { values[$0]!! })
    let isUsed = draft.usedInputs
    (self.found, self.continued) = (found, continued)
    read = x.indices.filter { isUsed[$0] }
    operation = Rematerialized(
      body: LoopBody(
        Graph(
          extracting: draft.outputs, from: read.map { draft.inputs[$0] } + draft.inputs[x.count...],
          of: draft.nodes)))
  }

  /// The cotangents of the program's operands.
  func cotangents(_ context: PullbackContext) -> [Tensor?] {
    let results = operation.apply(
      read.map { context.operands[$0] } + context.cotangents.compactMap { $0 } + continued.map { context.sums[$0]! })
    var cotangents = context.sums
    for (operand, total) in zip(found, results) { cotangents[operand] = total }
    return cotangents
  }
}

extension Rematerialized {
  private struct Differentiation: Hashable {
    let program: Rematerialized
    let isActive, hasCotangent, hasSum: [Bool]
  }

  private static let reverses = LoopCache<Differentiation, ReverseOfRematerialized>()
}
