/// Carries a state as long as a condition holds: the one loop whose length depends on data.
///
///     let root = repeatWhile(from: x) { abs($0 * $0 - 2) .> 1e-6 } body: { ($0 + 2 / $0) / 2 }
///
/// Where tensors have values, `condition` and `body` are called for every step. Where a program is recorded, each is called
/// once and becomes a program of a single operation. Gradients of every order need no maximum length: what they keep grows
/// with the number of steps, and in a recorded program each step is computed once more. Vectorized, the loop goes on until
/// the last condition is false, and states whose own condition is false stay as they are.
///
/// - Parameters:
///   - initial: The first state, a tensor or a structure of tensors.
///   - condition: From a state to a truth value, `bool[]`: whether to take one more step.
///   - body: From a state to the next one, of the same types.
/// - Returns: The first state for which the condition is false.
public func repeatWhile<Carry: TensorStructure>(
  from initial: Carry, while condition: (Carry) -> Tensor, body: (Carry) -> Carry
) -> Carry {
  let types = CarryTypes(operation: "repeatWhile", paths: initial.tensorPaths)
  if let tape = Recording.tape, tape.kind != .eager {
    return recorded(from: initial, condition, body, types)
  }
  var state = initial
  while true {
    let goesOn = condition(state)
    guard isPredicate(goesOn), goesOn.item != 0 else { return state }
    let next = body(state)
    guard types.areKept(state.tensors, next.tensors) else { return state }
    state = next
  }
}

private func recorded<Carry: TensorStructure>(
  from initial: Carry, _ condition: (Carry) -> Tensor, _ body: (Carry) -> Carry, _ types: CarryTypes
) -> Carry {
  let carries = initial.tensors.map { $0.adopting($0.elementType) }
  let inputTypes = carries.map(\.type) + [RepeatWhile.countType]
  let tapes = (Tape(.body, parent: Recording.tape), Tape(.body, parent: Recording.tape))
  defer {
    tapes.0.close()
    tapes.1.close()
  }
  var isValid = true
  let goesOn = tapes.0.recordingBody(inputTypes) { inputs in
    let predicate = condition(initial.replacingTensors(Array(inputs.dropLast())))
    isValid = isPredicate(predicate)
    return [predicate]
  }
  let step = tapes.1.recordingBody(inputTypes) { inputs in
    let next = body(initial.replacingTensors(Array(inputs.dropLast()))).tensors
    isValid = types.areKept(carries, next) && isValid
    return next + [inputs.last! + Tensor(1 as Int32)]
  }
  guard isValid, Recording.boundary?.hasFailed != true else { return initial }
  let (bodies, captured) = [goesOn, step].closed()
  let loop = RepeatWhile(condition: LoopBody(bodies[0]), body: LoopBody(bodies[1]), captureCount: captured.count)
  let results = loop.apply(captured + carries + [Tensor(0 as Int32)])
  return initial.replacingTensors(Array(results.dropLast()))
}

private func isPredicate(_ condition: Tensor) -> Bool {
  if condition.type == TensorType(.scalar, .bool) { return true }
  TensorError(
    operation: "repeatWhile", operands: [condition.type], problem: "a condition of type \(condition.type)",
    expected: "bool[], as a comparison of scalars gives"
  ).report()
  return false
}
