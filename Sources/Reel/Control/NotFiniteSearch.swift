/// The first result of a computation that is not finite, though what it was computed from is.
package struct NotFiniteResult: Hashable, Sendable {
  /// The layers around the operation, outermost first.
  package let path: [String]
  /// The name of the operation.
  package let operation: String
  /// The step of each loop around it, outermost first, counted from 0 along the time axis.
  package let steps: [Int]
  /// The type of the result.
  package let type: TensorType
  /// The first element that is not finite: an infinity or NaN.
  package let value: Double
}

/// Runs a computation eagerly, and looks where numbers stop being finite.
///
/// What is recorded is what depends on floating-point variables: all that a model does with its parameters. In a loop,
/// every step is looked at.
///
/// - Parameter computation: A computation; its value is what counts, and what it does not depend on is passed over.
/// - Returns: The first such result; nil if there is none.
package func firstNotFiniteResult(in computation: () -> Tensor) -> NotFiniteResult? {
  let differentiation = Differentiation(keepsAllValues: true)
  defer { differentiation.finish() }
  let value = differentiation.run(computation)
  let tape = differentiation.tape
  guard value.tape === tape else { return nil }
  let nodes = tape.state.withLock { $0.nodes }
  let isNeeded = nodes.ancestors(of: [tape.value(of: value)])
  let values = nodes.enumerated().map { index, node in
    node.results.indices.map { tape.tensor(Value(index, $0)).detached }
  }
  return NotFiniteSearch(nodes: nodes, values: values, isNeeded: isNeeded, steps: []).first
}

/// A program that has run, operation by operation.
private struct NotFiniteSearch {
  let nodes: [Node]
  let values: [[Tensor]]
  let isNeeded: [Bool]
  let steps: [Int]

  init(nodes: [Node], values: [[Tensor]], isNeeded: [Bool], steps: [Int]) {
    (self.nodes, self.values, self.isNeeded, self.steps) = (nodes, values, isNeeded, steps)
  }

  /// Runs a graph.
  init(_ graph: Graph, _ arguments: [Tensor], steps: [Int]) {
    var values = [[Tensor]](repeating: [], count: graph.nodes.count)
    for (input, argument) in zip(graph.inputs, arguments) { values[Int(input.node)] = [argument] }
    for (index, node) in graph.nodes.enumerated() where !(node.operation is Input) {
      values[index] = node.operation.apply(node.operands.map { values[Int($0.node)][Int($0.result)] })
    }
    self.init(
      nodes: graph.nodes, values: values, isNeeded: [Bool](repeating: true, count: values.count), steps: steps)
  }

  var first: NotFiniteResult? {
    for (index, node) in nodes.enumerated() where isNeeded[index] && !node.operands.isEmpty {
      guard let (result, value) = badResult(index) else { continue }
      // What comes in bad was made bad elsewhere, or is meant: -∞ in a mask is.
      let operands = node.operands.map { values[Int($0.node)][Int($0.result)] }
      if operands.contains(where: { value.isNaN ? $0.hasNaN : $0.firstNotFinite != nil }) { continue }
      if let scan = node.operation as? Scan, let inner = first(in: scan, operands) { return inner }
      return NotFiniteResult(
        path: node.path, operation: node.operation.name, steps: steps, type: node.results[result], value: value)
    }
    return nil
  }

  private func badResult(_ index: Int) -> (result: Int, value: Double)? {
    for (result, tensor) in values[index].enumerated() {
      if let (_, value) = tensor.firstNotFinite { return (result, value) }
    }
    return nil
  }

  /// Runs a loop step by step, up to the one where numbers stop being finite.
  private func first(in scan: Scan, _ operands: [Tensor]) -> NotFiniteResult? {
    var carry = Array(operands[scan.carries])
    for step in 0..<scan.length {
      let time = scan.isReversed ? scan.length - 1 - step : step
      let arguments = operands[scan.captures] + carry + operands[scan.sequences].map { $0[time] }
      let search = NotFiniteSearch(scan.body.graph, Array(arguments), steps: steps + [time])
      if let found = search.first { return found }
      carry = scan.body.graph.outputs[..<scan.carryCount].map { search.values[Int($0.node)][Int($0.result)] }
    }
    return nil
  }
}

extension Tensor {
  fileprivate var hasNaN: Bool { elementType.isFloatingPoint && numbers.contains { $0.isNaN } }
}
