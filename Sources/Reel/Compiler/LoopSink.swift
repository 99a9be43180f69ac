extension OpenLoop {
  /// What runs after the loop, for all steps at once, and what the loop keeps for it.
  struct Sinking {
    /// The nodes that run after the loop.
    let isAfter: [Bool]
    /// The price of what is kept for them, beside the loop's own stacks.
    let price: Int
  }

  /// Chooses what runs after the loop: all products that no carry waits for, and what makes the stacks smaller by
  /// following them. It is a minimum cut on the bytes that the loop has to keep; of the minimal cuts it is the one that
  /// leaves most in the loop, where values are still in the cache.
  ///
  /// The stack of a carry that enters is that of the carry that leaves, shifted, and the stack of a part of a
  /// concatenation is a slice of the whole's. So once one of them is kept the other is free, and the cut is made again.
  func sinking() -> Sinking {
    let levels = levels()
    let isInside = ancestors(of: carries.map(\.leaving))
    let parts = partsOfConcatenations()
    let stacks = Set(outcomes.compactMap { if case .stack(let value) = $0 { Int(value.node) } else { nil } })
    var isFree = nodes.indices.map { levels[$0] < .carried || stacks.contains($0) }
    addPartners(of: { stacks.contains($0) }, parts, to: &isFree)
    while true {
      let (isAfter, isKept) = cutAfter(levels, isInside, isFree)
      let price = nodes.indices.reduce(0) { $0 + (isKept[$1] && !isFree[$1] ? self.price($1) : 0) }
      let known = isFree
      addPartners(of: { isKept[$0] || stacks.contains($0) }, parts, to: &isFree)
      if isFree == known { return Sinking(isAfter: isAfter, price: price) }
    }
  }

  private func addPartners(of isKept: (Int) -> Bool, _ parts: [Value: [Part]], to isFree: inout [Bool]) {
    for carry in carries {
      let (inner, leaving) = (Int(carry.inner.node), Int(carry.leaving.node))
      if isKept(inner) || isKept(leaving) { (isFree[inner], isFree[leaving]) = (true, true) }
    }
    for (value, wholes) in parts where wholes.contains(where: { isKept(Int($0.whole.node)) }) {
      isFree[Int(value.node)] = true
    }
  }

  /// The cut, drawn backwards in time so that the side next to the sink, the smallest one, is what runs after the loop.
  private func cutAfter(
    _ levels: [Level], _ isInside: [Bool], _ isFree: [Bool]
  ) -> (isAfter: [Bool], isKept: [Bool]) {
    var network = FlowNetwork()
    let (source, sink) = (network.addVertex(), network.addVertex())
    let after = nodes.map { _ in network.addVertex() }
    let read = nodes.map { _ in network.addVertex() }
    for (index, node) in nodes.enumerated() {
      network.connect(after[index], read[index], capacity: isFree[index] ? 0 : price(index))
      let isBound = node.operation is Input || isInside[index] || !node.operation.isBatchedAsOne
      if isBound {
        network.connect(source, after[index], capacity: .max)
      } else if carries.isEmpty || node.operation.isProduct {
        network.connect(after[index], sink, capacity: .max)
      }
      for operand in node.operands {
        // What runs after the loop reads its operands there, and is read by nothing inside.
        network.connect(after[index], after[Int(operand.node)], capacity: .max)
        network.connect(read[Int(operand.node)], after[index], capacity: .max)
      }
    }
    for outcome in outcomes {
      if case .sum(let value, _) = outcome { network.connect(read[Int(value.node)], sink, capacity: .max) }
    }
    let side = network.verticesReachingSink(from: source, to: sink)
    return (
      nodes.indices.map { side[after[$0]] }, nodes.indices.map { side[read[$0]] && !side[after[$0]] }
    )
  }
}
