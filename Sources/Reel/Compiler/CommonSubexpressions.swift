extension Pass {
  /// Computes equal operations on equal operands once, in bodies too. Operands stay in their order: a sum of the same
  /// numbers the other way round counts as another one.
  package static let commonSubexpressions = Pass("common subexpressions") { $0.withoutRepetitions() }
}

extension Graph {
  fileprivate func withoutRepetitions() -> Graph {
    var expressions = Expressions(capacity: nodes.count)
    /// For each node of the graph, the copy that stands for it.
    var copy = [Int](repeating: 0, count: nodes.count)
    func rename(_ value: Value) -> Value { Value(copy[Int(value.node)], Int(value.result)) }

    for (index, node) in nodes.enumerated() {
      var renamed = node
      renamed.operands = node.operands.map(rename)
      if let operation = node.operation.mapBodies({ $0.withoutRepetitions() }) { renamed.operation = operation }
      copy[index] = expressions.insert(renamed)
    }
    return Graph(nodes: expressions.nodes, inputs: inputs.map(rename), outputs: outputs.map(rename))
  }
}

/// Nodes by operation and operands: a table with open addressing, in which every expression is hashed once.
struct Expressions {
  private(set) var nodes: [Node] = []
  private var hashes: [Int] = []
  /// Indices of nodes, -1 where there is none; a power of two of them, at least half of them free.
  private var slots: [Int32]

  init(capacity: Int) {
    nodes.reserveCapacity(capacity)
    hashes.reserveCapacity(capacity)
    var count = 16
    while count < 2 * capacity { count *= 2 }
    slots = [Int32](repeating: -1, count: count)
  }

  /// The index of an equal node, or of this one, which is appended. An input is equal to no other.
  mutating func insert(_ node: Node) -> Int {
    let isInput = node.operation is Input
    let hash = isInput ? 0 : Self.hash(node)
    var slot = hash & (slots.count - 1)
    while !isInput, slots[slot] >= 0 {
      let index = Int(slots[slot])
      if hashes[index] == hash, nodes[index].operands == node.operands,
        nodes[index].operation.isEqual(to: node.operation)
      {
        return index
      }
      slot = (slot + 1) & (slots.count - 1)
    }
    if !isInput { slots[slot] = Int32(nodes.count) }
    nodes.append(node)
    hashes.append(hash)
    return nodes.count - 1
  }

  private static func hash(_ node: Node) -> Int {
    var hasher = Hasher()
    hasher.combine(ObjectIdentifier(type(of: node.operation)))
    node.operation.hash(into: &hasher)
    for operand in node.operands { hasher.combine(Int64(operand.node) << 32 | Int64(operand.result)) }
    return hasher.finalize()
  }
}
