/// A program that an operation holds: one step of a loop, a branch, a piece that is computed twice.
final class LoopBody: Sendable {
  let graph: Graph
  /// The hash of the graph, which is asked for more often than it is worth computing.
  let hash: Int

  init(_ graph: Graph) {
    self.graph = graph
    hash = graph.hashValue
  }
}

extension LoopBody: Hashable {
  static func == (left: LoopBody, right: LoopBody) -> Bool {
    left === right || left.hash == right.hash && left.graph == right.graph
  }

  func hash(into hasher: inout Hasher) { hasher.combine(hash) }
}

extension Tape {
  /// Records a closed program.
  static func staging(_ types: [TensorType], _ record: ([Tensor]) -> [Tensor]) -> Graph {
    let tape = Tape(.staged)
    defer { tape.close() }
    let inputs = types.map { tape.input($0) }
    let outputs = Recording.$tape.withValue(tape) { record(inputs) }
    return tape.graph(inputs: inputs.map(tape.value(of:)), outputs: outputs.map(tape.value(of:)))
  }

  /// Records the body of a loop, which may use values of the tapes around it.
  ///
  /// - Returns: The body, with what it captures as its first inputs, and the values captured.
  static func loopBody(_ types: [TensorType], _ record: ([Tensor]) -> [Tensor]) -> (body: Graph, captured: [Tensor]) {
    let tape = Tape(.body, parent: Recording.tape)
    defer { tape.close() }
    let (bodies, captured) = [tape.recordingBody(types, record)].closed()
    return (bodies[0], captured)
  }

  /// Records a body on this tape.
  func recordingBody(_ types: [TensorType], _ record: ([Tensor]) -> [Tensor]) -> BodyTape {
    let inputs = types.map { input($0) }
    let outputs = Recording.$tape.withValue(self) { record(inputs).map(value(of:)) }
    return BodyTape(tape: self, inputs: inputs.map(value(of:)), outputs: outputs)
  }
}
