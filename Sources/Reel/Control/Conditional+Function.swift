/// One of two computations, chosen by a truth value. Only the one that is chosen is done.
///
///     let y = conditional(x.sum() .> 0) { sqrt(x) } else: { Tensor.zeros(like: x) }
///
/// Where tensors have values, the branch is called at once. Where a program is recorded, both branches are called once and
/// become two bodies of one operation, and variables that either assigns keep their values in the other. Gradients of
/// every order are those of the branch that is chosen; in a recorded program its reverse computes it once more. Vectorized
/// with a predicate for each, both are computed and the results selected.
///
/// - Parameters:
///   - predicate: A truth value, `bool[]`.
///   - then: The result if it is true.
///   - otherwise: The result if it is false, of the same structure and types.
/// - Returns: The result of the branch.
public func conditional<Output: TensorStructure>(
  _ predicate: Tensor, then: () -> Output, else otherwise: () -> Output
) -> Output {
  guard predicate.type == TensorType(.scalar, .bool) else {
    TensorError(
      operation: "conditional", operands: [predicate.type], problem: "a predicate of type \(predicate.type)",
      expected: "bool[], as a comparison of scalars gives"
    ).report()
    return then()
  }
  if predicate.storage != nil { return predicate.item != 0 ? then() : otherwise() }
  let pieces = (RecordedPiece(then), RecordedPiece(otherwise))
  defer {
    pieces.0.tape.close()
    pieces.1.tape.close()
  }
  if Recording.boundary?.hasFailed == true || !haveSameTypes(pieces.0.output, pieces.1.output) {
    return pieces.0.placeholder
  }
  let assigned = pieces.0.assigned.map(\.variable) + pieces.1.assigned.map(\.variable)
  let variables = assigned.enumerated().filter { index, variable in
    !assigned[..<index].contains { $0 === variable }
  }.map(\.element)
  // A mask that only one of the branches gives says nothing of the result.
  let isMasked = zip(pieces.0.masks, pieces.1.masks).map { $0 != nil && $0?.type == $1?.type }
  func body(_ piece: RecordedPiece<Output>) -> BodyTape {
    let values = variables.map { variable in
      piece.assigned.first { $0.variable === variable }?.current ?? variable.value
    }
    let masks = zip(piece.masks, isMasked).compactMap { $1 ? $0 : nil }
    return BodyTape(
      tape: piece.tape, inputs: [], outputs: (piece.output.tensors + masks + values).map(piece.tape.value(of:)))
  }
  let (bodies, captured) = [body(pieces.0), body(pieces.1)].closed()
  let results = Conditional(then: LoopBody(bodies[0]), otherwise: LoopBody(bodies[1])).apply([predicate] + captured)
  guard results.count == bodies[0].outputs.count else { return pieces.0.placeholder }
  for (variable, value) in zip(variables, results.suffix(variables.count)) { variable.value = value }
  let count = isMasked.count
  return pieces.0.output(Array(results[..<count]), masks: Array(results[count...]), isMasked: isMasked)
}

/// Whether both branches give the same; reports every part that differs.
private func haveSameTypes(_ then: some TensorStructure, _ otherwise: some TensorStructure) -> Bool {
  let (first, second) = (then.tensors, otherwise.tensors)
  let differences = zip(then.tensorPaths, zip(first, second)).compactMap { path, types in
    types.0.type == types.1.type
      ? nil : "\(path.isEmpty ? "the result" : "'\(path)'") is \(types.0.type) if true and \(types.1.type) if false"
  }
  if differences.isEmpty && first.count == second.count { return true }
  TensorError(
    operation: "conditional",
    problem: differences.isEmpty
      ? "\(first.count) tensors if true and \(second.count) if false" : differences.joined(separator: ", "),
    expected: "branches that give the same types"
  ).report()
  return false
}
