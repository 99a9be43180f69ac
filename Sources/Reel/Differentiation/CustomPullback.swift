/// A function whose pullback was written by hand. The function is a graph, recorded once for the types of its operands.
package struct CustomPullback: Operation, OperationWithBodies {
  let function: Graph
  let rule: Rule
  /// The batch axes in front of what the rule is written for, innermost first.
  var batches: [Batch] = []

  /// A batch axis, which all results have, and some operands.
  struct Batch: Hashable {
    let isBatched: [Bool]
    let count: Int
  }

  /// The pullback, compared by identity.
  final class Rule: Sendable {
    let name: String
    let body: @Sendable (_ operands: [Tensor], _ results: [Tensor], _ cotangents: [Tensor]) -> [Tensor]

    init(_ name: String, _ body: @escaping @Sendable ([Tensor], [Tensor], [Tensor]) -> [Tensor]) {
      self.name = name
      self.body = body
    }
  }

  package var name: String { rule.name }
  package var bodies: [Graph] { [function] }
  package func replacingBodies(_ bodies: [Graph]) -> any Operation {
    CustomPullback(function: bodies[0], rule: rule, batches: batches)
  }
  package var isCheap: Bool { false }

  package static func == (left: Self, right: Self) -> Bool {
    left.rule === right.rule && left.batches == right.batches && left.function == right.function
  }
  package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(rule)) }

  package func resultTypes(of operands: [TensorType]) -> [TensorType] { function.outputTypes }

  package func run(_ operands: [Storage], into results: [Storage]) {
    for (result, value) in zip(results, function(operands.map(Tensor.init))) { result.copy(from: value.storage!) }
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    let cotangents = zip(context.cotangents, context.results).map { $0 ?? .zeros(like: $1) }
    let given = rule(batches[...], context.operands, context.results, cotangents)
    guard given.map(\.type) == context.operands.map(\.type) else {
      TensorError(
        operation: name, operands: context.operands.map(\.type),
        problem: "the custom pullback gives \(given.map(\.type.description).joined(separator: ", "))",
        expected: "one cotangent for each operand, of its type"
      ).report()
      return context.operands.map { _ in nil }
    }
    return given
  }

  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] {
    let batched = Tape.staging(operands.map(\.type)) { inputs in
      let (results, areBatched) = function.vectorized(inputs, isBatched: isBatched, count: count)
      return zip(results, areBatched).map { $1 ? $0 : $0.repeated(count) }
    }
    let batch = Batch(isBatched: isBatched, count: count)
    return CustomPullback(function: batched, rule: rule, batches: batches + [batch]).apply(operands)
  }
}

extension CustomPullback.Rule {
  /// The cotangents of operands, of which some have batch axes: those of the outermost one are given for every index, and
  /// added up where the operand is the same for all.
  fileprivate func callAsFunction(
    _ batches: ArraySlice<CustomPullback.Batch>, _ operands: [Tensor], _ results: [Tensor], _ cotangents: [Tensor]
  ) -> [Tensor] {
    guard let batch = batches.last else { return body(operands, results, cotangents) }
    let given = operands + results + cotangents
    let isBatched = batch.isBatched + (results + cotangents).map { _ in true }
    let types = zip(given, isBatched).map { tensor, isBatched in
      isBatched ? TensorType(tensor.shape.removing(0), tensor.elementType) : tensor.type
    }
    let rows = RecordedFunction(types, takesAssignments: false) { rows in
      let (operands, others) = (rows.prefix(operands.count), rows.dropFirst(operands.count))
      return self(
        batches.dropLast(), Array(operands), Array(others.prefix(results.count)), Array(others.suffix(results.count)))
    }
    let found = rows.vectorized(given, isBatched: isBatched, count: batch.count)
    return zip(found, batch.isBatched).map { $1 ? $0 : $0.sum(along: [0]) }
  }
}

// A text has no place for a pullback written by hand: what is read runs, but cannot be differentiated.
extension CustomPullback: ReadableOperation {
  /// The word that marks such an operation, whatever its name is.
  package static let mark = "pullback by hand"
  package static let names = ["customPullback"]

  package var attributes: String { Self.mark }

  package init(reading text: inout OperationText) throws(GraphSyntaxError) {
    _ = text.flag(Self.mark)
    try text.expect(operands: text.operands.count, results: text.results.count, bodies: 1)
    function = text.bodies[0]
    guard function.inputTypes == text.operands else {
      throw text.failure("operands that are not those of the function", expected: "\(function.inputTypes)")
    }
    rule = Rule(text.name) { [name = text.name] operands, _, _ in
      TensorError(
        operation: name, operands: operands.map(\.type),
        problem: "its pullback is no part of the text it was read from",
        expected: "a program that was recorded, where something is to be differentiated"
      ).report()
      return operands.map { .zeros(like: $0) }
    }
  }
}

/// Applies a function with a pullback of your own in place of the one its operations have.
///
/// - Parameters:
///   - x: The argument, a tensor or a structure of tensors, all of floating point.
///   - name: The name in graphs and errors.
///   - function: The function. It is recorded, so that it may only compute with its argument.
///   - pullback: The cotangent of the argument, from the argument, the value and the cotangent of the value. Written with
///     tensor operations on these three it can be differentiated again, and vectorized. Where it is linear in the cotangent
///     forward mode works too, by its transpose; where it is not (one that clips the cotangent, say) forward mode reports a
///     ``TensorError``.
/// - Returns: The value.
public func withCustomPullback<Input: TensorStructure & Sendable, Output: TensorStructure & Sendable>(
  at x: Input, name: String = "customPullback", of function: (Input) -> Output,
  pullback: @escaping @Sendable (_ x: Input, _ value: Output, _ cotangent: Output) -> Input
) -> Output {
  let tensors = x.tensors
  var output: Output?
  let tape = Tape(.staged)
  let inputs = tensors.map { tape.input($0.type) }
  let graph = Recording.$tape.withValue(tape) {
    let y = function(x.replacingTensors(inputs))
    output = y
    return tape.graph(inputs: inputs.map(tape.value(of:)), outputs: y.tensors.map(tape.value(of:)))
  }
  let structure = output!.mapTensors { .zeros([0], elementType: $0.elementType) }
  tape.close()
  let rule = CustomPullback.Rule(name) { operands, results, cotangents in
    pullback(
      x.replacingTensors(operands), structure.replacingTensors(results), structure.replacingTensors(cotangents)
    ).tensors
  }
  return structure.replacingTensors(CustomPullback(function: graph, rule: rule).apply(tensors))
}
