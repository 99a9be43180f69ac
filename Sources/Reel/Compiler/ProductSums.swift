extension Pass {
  /// Makes one operation of a product and the sum it goes into, in bodies of loops too: `a·b + c` adds `c` once, after the
  /// accumulation, with the bits of the two operations.
  package static let productSums = Pass("product sums") { $0.withProductSums() }
}

extension Graph {
  fileprivate func withProductSums() -> Graph {
    var uses: [Value: Int] = [:]
    for node in nodes { for operand in node.operands { uses[operand, default: 0] += 1 } }
    for output in outputs { uses[output, default: 0] += 1 }

    var result = nodes
    for (index, node) in nodes.enumerated() {
      if let loop = node.operation as? any OperationWithBodies {
        result[index].operation = loop.replacingBodies(loop.bodies.map { $0.withProductSums() })
      }
      guard let sum = node.operation as? Elementwise, sum == .add || sum == .accumulate else { continue }
      // Of two products the later one takes in the other: that is where its value is still at hand.
      let product = node.operands.filter { operand in
        uses[operand] == 1 && nodes[Int(operand.node)].operation is MatrixProduct
          && type(of: operand) == node.results[0]
      }.max { $0.node < $1.node }
      guard let product, let operation = nodes[Int(product.node)].operation as? MatrixProduct else { continue }
      let addend = node.operands[node.operands[0] == product ? 1 : 0]
      result[index].operation = AddedProduct(product: operation, placement: .epilogue)
      result[index].operands = nodes[Int(product.node)].operands + [addend]
    }
    return Graph(nodes: result, inputs: inputs, outputs: outputs).withoutDeadCode()
  }
}
