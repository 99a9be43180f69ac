/// A function that is recorded once and then run in another way than operation by operation: with tangents, or for every
/// index of a batch axis.
///
/// Tensors from outside that it uses are captured, and the variables that it reads are arguments too.
struct RecordedFunction {
  /// From the captured values, the variables and the arguments to the outputs and what is assigned.
  private let graph: Graph
  private let captured: [Tensor]
  /// The floating-point variables that the function reads, in the order it does.
  let variables: [Variable]
  private let assigned: [Variable]

  /// - Parameters:
  ///   - types: The types of the arguments.
  ///   - takesAssignments: Whether the function may assign variables; they are assigned when it runs.
  ///   - body: The function; it is called once, with tensors that have types but no values.
  init(_ types: [TensorType], takesAssignments: Bool, _ body: ([Tensor]) -> [Tensor]) {
    let tape = Tape(.body, parent: Recording.tape, takesAssignments: takesAssignments)
    defer { tape.close() }
    tape.state.withLock { $0.scopes.append(VariableScope()) }
    let inputs = types.map { tape.input($0) }
    let outputs = Recording.$tape.withValue(tape) { body(inputs) }
    let seen = tape.state.withLock { Array($0.scopes[0].seen.values) }
    let leaves = seen.compactMap { seen in seen.leaf.map { (variable: seen.variable, value: tape.value(of: $0)) } }
      .sorted { $0.value.node < $1.value.node }
    let bindings = tape.state.withLock { $0.variables.filter(\.isAssigned) }
    let results = (outputs + bindings.map(\.current)).map(tape.value(of:))
    let (nodes, captures) = tape.state.withLock { ($0.nodes, $0.captures) }
    let all = captures.map(\.inner) + leaves.map(\.value) + inputs.map(tape.value(of:))
    graph = Graph(extracting: results, from: all, of: nodes)
    captured = captures.map(\.outer)
    variables = leaves.map(\.variable)
    assigned = bindings.map(\.variable)
  }

  /// The types of the outputs.
  var outputTypes: [TensorType] { graph.outputTypes.dropLast(assigned.count) }

  private func given(_ arguments: [Tensor]) -> [Tensor] { captured + variables.map(\.value) + arguments }

  /// Assigns the variables that the function assigns.
  private func assign(_ values: some Collection<Tensor>) {
    for (variable, value) in zip(assigned, values) { variable.value = value }
  }

  /// The outputs.
  ///
  /// - Parameters:
  ///   - arguments: The arguments.
  ///   - assigns: Whether the variables are assigned.
  func callAsFunction(_ arguments: [Tensor], assigns: Bool = true) -> [Tensor] {
    let results = graph(given(arguments))
    if assigns { assign(results.suffix(assigned.count)) }
    return results.dropLast(assigned.count)
  }

  /// The outputs and their tangents, zeros where they do not move.
  ///
  /// - Parameters:
  ///   - arguments: The arguments.
  ///   - tangents: Their tangents; nil where they do not move.
  ///   - variableTangent: The tangent of a variable; nil if it does not move.
  ///   - assigns: Whether the variables are assigned.
  func callWithTangents(
    _ arguments: [Tensor], _ tangents: [Tensor?], assigns: Bool = true,
    variableTangent: (Variable) -> Tensor? = { _ in nil }
  ) -> (outputs: [Tensor], tangents: [Tensor]) {
    let given = given(arguments)
    let (results, moves) = graph.callWithTangents(
      given, captured.map { _ in nil } + variables.map(variableTangent) + tangents)
    if assigns { assign(results.suffix(assigned.count)) }
    let outputs = results.dropLast(assigned.count)
    return (Array(outputs), zip(outputs, moves).map { $1 ?? .zeros(like: $0) })
  }

  /// The outputs for every index of a new leading axis of extent `count`, which the marked arguments have; outputs that do
  /// not depend on one are repeated.
  func vectorized(_ arguments: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] {
    let isShared = [Bool](repeating: false, count: captured.count + variables.count)
    let (results, areBatched) = graph.vectorized(given(arguments), isBatched: isShared + isBatched, count: count)
    return zip(results, areBatched).map { $1 ? $0 : $0.repeated(count) }
  }
}
