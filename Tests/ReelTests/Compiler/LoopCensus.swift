import Reel

/// What a graph is made of: the kinds of operations in each of its loops and outside of them.
struct LoopCensus: CustomStringConvertible {
  /// How many operations of each kind there are; views do not count.
  struct Counts: Equatable, CustomStringConvertible {
    var products = 0
    var elementwise = 0
    var reductions = 0
    /// Whatever else is no view: loops, random bits, gathers.
    var others: [String] = []

    init(products: Int = 0, elementwise: Int = 0, reductions: Int = 0) {
      (self.products, self.elementwise, self.reductions) = (products, elementwise, reductions)
    }

    init(_ graph: Graph) {
      for node in graph.nodes {
        switch node.operation.name {
        // A product with ones adds up rows.
        case "matmul" where graph.nodes[Int(node.operands[0].node)].operation.name == "constant": reductions += 1
        case "matmul", "matmulAdd": products += 1
        case "sum", "product", "max", "min", "argMax", "argMin", "any", "all": reductions += 1
        case "slice", "unslice", "concatenate", "reshape", "transpose", "broadcast", "shift", "identity", "input",
          "stopGradient", "constant", "fill", "iota":
          break
        case let name:
          if node.operation.scalarCode != nil { elementwise += 1 } else { others.append(name) }
        }
      }
    }

    var description: String {
      "\(products)p \(elementwise)e" + (reductions > 0 ? " \(reductions)r" : "") + (others.isEmpty ? "" : " \(others)")
    }
  }

  let loops: [Counts]
  let outside: Counts
  /// The elements that the loops stack at each step.
  let stacked: [Int]

  init(_ graph: Graph) {
    let nodes = graph.nodes.filter { $0.operation.name == "scan" }
    loops = nodes.map { Counts(($0.operation as! any OperationWithBodies).bodies[0]) }
    outside = Counts(graph)
    stacked = nodes.map { node in
      let body = (node.operation as! any OperationWithBodies).bodies[0]
      let carries = zip(body.outputTypes, node.results).prefix { $0 == $1 }.count
      return body.outputTypes.dropFirst(carries).reduce(0) { $0 + $1.shape.count }
    }
  }

  var description: String {
    loops.map(\.description).joined(separator: " | ")
      + "   outside \(outside.products)p \(outside.reductions)r   stacks \(stacked)"
  }
}
