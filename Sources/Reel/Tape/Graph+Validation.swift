/// What is wrong with a graph: a defect of whoever made it, never of the program it was recorded from.
package struct GraphDefect: Error, Hashable, CustomStringConvertible {
  /// What is wrong, with the node and its operation.
  package let description: String
}

extension Graph {
  /// Checks what every graph has: operands that are older than their use, types that follow from the type rules, inputs
  /// that are inputs, outputs that exist, and the same in every body of a loop.
  package func validate() throws(GraphDefect) {
    for (index, node) in nodes.enumerated() {
      func fail(_ problem: String) -> GraphDefect {
        GraphDefect(description: "%\(index) \(node.operation.name): \(problem)")
      }
      for operand in node.operands where !has(operand) || operand.node >= index {
        throw fail("the operand \(operand.node).\(operand.result) is no older result")
      }
      let types: [TensorType]
      do {
        types = try node.operation.resultTypes(of: node.operands.map(type(of:)))
      } catch {
        throw fail(error.description)
      }
      guard types == node.results else { throw fail("recorded as \(node.results), by its type rule \(types)") }
      for body in (node.operation as? any OperationWithBodies)?.bodies ?? [] {
        do { try body.validate() } catch { throw fail(error.description) }
      }
    }
    for (index, input) in inputs.enumerated() where !has(input) || !(nodes[Int(input.node)].operation is Input) {
      throw GraphDefect(description: "input \(index) is no input")
    }
    for (index, output) in outputs.enumerated() where !has(output) {
      throw GraphDefect(description: "output \(index) does not exist")
    }
    let known = Set(inputs.map(\.node))
    for (index, node) in nodes.enumerated() where node.operation is Input && !known.contains(Int32(index)) {
      throw GraphDefect(description: "%\(index) is an input that nobody gives")
    }
  }

  private func has(_ value: Value) -> Bool {
    nodes.indices.contains(Int(value.node)) && nodes[Int(value.node)].results.indices.contains(Int(value.result))
  }
}
