/// A piece of a program that was recorded as a whole: with what it does to values from outside, and to variables.
struct RecordedPiece<Output: TensorStructure> {
  let tape: Tape
  let output: Output
  /// The variables that the piece assigns, with their last values.
  let assigned: [VariableBinding]

  init(_ body: () -> Output) {
    let tape = Tape(.body, parent: Recording.tape, takesAssignments: true, isPiece: true)
    self.tape = tape
    output = Recording.$tape.withValue(tape, operation: body)
    assigned = tape.state.withLock { $0.variables }
  }

  /// What stands for the output until the boundary throws the error that was reported.
  var placeholder: Output { output.mapTensors { .zeros($0.shape, elementType: $0.elementType) } }

  /// The masks of the output's tensors.
  var masks: [Tensor?] { output.tensors.map(\.mask) }

  /// The output with other tensors and masks; a tensor that is marked has the next of the masks.
  func output(_ tensors: [Tensor], masks: [Tensor], isMasked: [Bool]) -> Output {
    var rest = masks[...]
    return output.replacingTensors(zip(tensors, isMasked).map { $0.withMask($1 ? rest.removeFirst() : nil) })
  }
}

/// A tape of a body with the inputs and outputs of its own.
struct BodyTape {
  let tape: Tape
  let inputs, outputs: [Value]
}

extension [BodyTape] {
  /// What has been recorded on the tapes, with what any of them captures as the first inputs of all, and the values
  /// captured.
  func closed() -> (bodies: [Graph], captured: [Tensor]) {
    var keys: [Tape.CaptureKey] = []
    var captured: [Tensor] = []
    for body in self {
      let (known, captures) = body.tape.state.withLock { ($0.captured, $0.captures) }
      let keyOfInput = Dictionary(known.map { ($0.value, $0.key) }) { first, _ in first }
      for capture in captures where !keys.contains(keyOfInput[capture.inner]!) {
        keys.append(keyOfInput[capture.inner]!)
        captured.append(capture.outer)
      }
    }
    let bodies = map { body in
      let known = body.tape.state.withLock { $0.captured }
      let inner = zip(keys, captured).map { known[$0] ?? body.tape.value(of: body.tape.input($1.type)) }
      return body.tape.graph(inputs: inner + body.inputs, outputs: body.outputs)
    }
    return (bodies, captured)
  }
}
