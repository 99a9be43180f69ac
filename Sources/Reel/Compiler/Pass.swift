/// A step of the compiler: a graph in, a graph with the same meaning out.
package struct Pass: Sendable {
  /// The name in dumps.
  package let name: String
  package let transform: @Sendable (Graph) -> Graph

  package init(_ name: String, _ transform: @escaping @Sendable (Graph) -> Graph) {
    self.name = name
    self.transform = transform
  }

  /// The passes of `compiled`, in order.
  package static let pipeline: [Pass] = [.deadCode, .commonSubexpressions, .deadCode, .fusion]

  /// Takes away the operations that no output needs.
  package static let deadCode = Pass("dead code") { $0.withoutDeadCode() }
}

extension Graph {
  /// The graph after some passes, one after another.
  package func applying(_ passes: [Pass]) -> Graph {
    passes.reduce(self) { graph, pass in
      let result = pass.transform(graph)
      assert(result.inputTypes == graph.inputTypes && result.outputTypes == graph.outputTypes, "after \(pass.name)")
      return result
    }
  }
}
