/// A function whose pullback was written by hand. The function is a graph, recorded once for the types of its operands.
package struct CustomPullback: Operation, OperationWithBodies {
  let function: Graph
  let rule: Rule

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
  package func replacingBodies(_ bodies: [Graph]) -> any Operation { CustomPullback(function: bodies[0], rule: rule) }
  package var isCheap: Bool { false }

  package static func == (left: Self, right: Self) -> Bool {
    left.rule === right.rule && left.function == right.function
  }
  package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(rule)) }

  package func resultTypes(of operands: [TensorType]) -> [TensorType] { function.outputTypes }

  package func run(_ operands: [Storage], into results: [Storage]) {
    for (result, value) in zip(results, function(operands.map(Tensor.init))) { result.copy(from: value.storage!) }
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    let cotangents = zip(context.cotangents, context.results).map { $0 ?? .zeros(like: $1) }
    let given = rule.body(context.operands, context.results, cotangents)
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
    let (results, areBatched) = function.vectorized(operands, isBatched: isBatched, count: count)
    return zip(results, areBatched).map { $1 ? $0 : $0.broadcasted(to: $0.shape.inserting(count, at: 0)) }
  }
}

/// Applies a function with a pullback of your own in place of the one its operations have.
///
/// - Parameters:
///   - x: The argument, a tensor or a structure of tensors, all of floating point.
///   - name: The name in graphs and errors.
///   - function: The function. It is recorded, so that it may only compute with its argument.
///   - pullback: The cotangent of the argument, from the argument, the value and the cotangent of the value. Written with
///     tensor operations it can be differentiated again.
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
