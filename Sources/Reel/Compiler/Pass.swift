import Foundation

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
  package static let pipeline: [Pass] =
    [.deadCode, .simplify, .commonSubexpressions, .deadCode, .loops] + kernels

  /// The passes that make of operations what kernels do at once. Nothing can be differentiated or vectorized after them.
  ///
  /// Parts of what was taken apart may be products in sums again: of gates that have a product each.
  package static let kernels: [Pass] = [.productSums, .splitElementwise, .simplify, .productSums, .fusion]

  /// Takes away the operations that no output needs.
  package static let deadCode = Pass("dead code") { $0.withoutDeadCode() }
}

extension Graph {
  /// The graph after some passes, one after another.
  ///
  /// `REEL_DUMP=passes` in the environment prints the graph before the first and after each, to standard error. Builds with
  /// assertions validate every result.
  package func applying(_ passes: [Pass]) -> Graph {
    dump("before the passes")
    return passes.reduce(self) { graph, pass in
      let result = pass.transform(graph)
      assert(result.inputTypes == graph.inputTypes && result.outputTypes == graph.outputTypes, "after \(pass.name)")
      assert(result.isValid(after: pass))
      result.dump("after \(pass.name)")
      return result
    }
  }

  private func isValid(after pass: Pass) -> Bool {
    do {
      try validate()
      return true
    } catch {
      fatalError("after \(pass.name): \(error)\n\(self)")
    }
  }

  private func dump(_ when: String) {
    guard Self.dumpsPasses else { return }
    FileHandle.standardError.write(Data("\(when):\n\(self)\n\n".utf8))
  }

  private static let dumpsPasses = ProcessInfo.processInfo.environment["REEL_DUMP"] == "passes"
}
