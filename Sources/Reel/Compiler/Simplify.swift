extension Pass {
  /// Algebra, constants, views and slices: every rule of the tables in `Simplify*.swift`, in the graph and in the bodies of
  /// its loops. Forward bits stay as they are.
  ///
  /// For graphs that are run, not differentiated again: it takes `stopGradient` and custom pullbacks away.
  package static let simplify = Pass("simplify") { $0.simplified() }

  fileprivate static let rules = Rewriter.table(
    functionRules + shapeRules + sliceRules + reductionRules + broadcastRules + arithmeticRules + reverseSumRules)

  private static let functionRules: [RewriteRule] = [
    // a function with a pullback of its own → what it computes
    RewriteRule(all: CustomPullback.self) { custom, site in
      let function = custom.function.simplified()
      let arguments = Dictionary(zip(function.inputs, site.operands)) { first, _ in first }
      var values: [[Value]] = []
      for (index, node) in function.nodes.enumerated() {
        let operands = node.operands.map { values[Int($0.node)][Int($0.result)] }
        values.append(arguments[Value(index)].map { [$0] } ?? site.rewriter.emit(node.operation, operands))
      }
      return function.outputs.map { values[Int($0.node)][Int($0.result)] }
    }
  ]
}

extension Graph {
  fileprivate func simplified() -> Graph {
    let rewriter = Rewriter(Pass.rules)
    let result = rewriter.replay(self) { operation in
      operation is CustomPullback ? nil : operation.mapBodies { $0.simplified() }
    }
    return rewriter.hasChanged ? result : self
  }
}
