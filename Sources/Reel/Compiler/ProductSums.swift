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
      if let (product, addend) = reshapedProduct(in: node, uses), let operation = self.product(product) {
        result[Int(product.node)].operation = AddedProduct(product: operation, placement: .epilogue)
        result[Int(product.node)].operands.append(addend)
        result[index].operation = Reshape(shape: node.results[0].shape)
        result[index].operands = [product]
        continue
      }
      // Of two products the later one takes in the other: that is where its value is still at hand.
      let product = node.operands.filter { uses[$0] == 1 && self.product($0) != nil && type(of: $0) == node.results[0] }
        .max { $0.node < $1.node }
      guard let product, let operation = self.product(product) else { continue }
      let addend = node.operands[node.operands[0] == product ? 1 : 0]
      result[index].operation = AddedProduct(product: operation, placement: .epilogue)
      result[index].operands = nodes[Int(product.node)].operands + [addend]
    }
    return Graph(nodes: result, inputs: inputs, outputs: outputs).withoutDeadCode()
  }

  private func product(_ value: Value) -> MatrixProduct? { nodes[Int(value.node)].operation as? MatrixProduct }

  /// The product in `reshape(a·b) + c`, where `c` is one row that is there before the product and the reshape keeps rows
  /// whole: what a product of every step becomes when it is taken out of a loop.
  private func reshapedProduct(in sum: Node, _ uses: [Value: Int]) -> (product: Value, addend: Value)? {
    for (operand, addend) in [(sum.operands[0], sum.operands[1]), (sum.operands[1], sum.operands[0])] {
      let reshape = nodes[Int(operand.node)]
      guard reshape.operation is Reshape, uses[operand] == 1, type(of: operand) == sum.results[0],
        let product = reshape.operands.first, self.product(product) != nil, uses[product] == 1,
        type(of: addend).shape.rank <= 1, addend.node < product.node, sum.results[0].shape.rank > 0,
        type(of: product).shape.last == sum.results[0].shape.last
      else { continue }
      return (product, addend)
    }
    return nil
  }
}
