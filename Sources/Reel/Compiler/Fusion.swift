internal import ReelKernels

extension Pass {
  /// Joins elementwise operations of one shape that no other operation stands between, in bodies of loops too.
  package static let fusion = Pass("fusion") { Fusion.fused($0) }
}

/// Elementwise fusion.
///
/// Every node gets a stage, which rises by one wherever a value leaves the elementwise operations of one shape. So
/// operations of one shape and one stage do not wait for each other through anything else, and become one program. An
/// operation whose result is only needed at a later stage is done there.
struct Fusion {
  private let graph: Graph
  private let stages: [Int]

  static func fused(_ graph: Graph) -> Graph {
    let fusion = Fusion(graph)
    return fusion.emitted()
  }

  private init(_ graph: Graph) {
    self.graph = graph
    var stages = [Int](repeating: 0, count: graph.nodes.count)
    for (index, node) in graph.nodes.enumerated() {
      let shape = Self.shape(of: node)
      for operand in node.operands {
        let from = Int(operand.node)
        let leaves = Self.shape(of: graph.nodes[from]).map { $0 != shape } ?? false
        stages[index] = max(stages[index], stages[from] + (leaves ? 1 : 0))
      }
    }
    self.stages = Self.delayed(stages, in: graph)
  }

  /// The stages with elementwise nodes as late as their users allow.
  private static func delayed(_ earliest: [Int], in graph: Graph) -> [Int] {
    var stages = earliest
    /// The latest stage that the users of a node allow; nil if it has none.
    var latest = [Int?](repeating: nil, count: graph.nodes.count)
    for output in graph.outputs { latest[Int(output.node)] = earliest[Int(output.node)] }
    for index in graph.nodes.indices.reversed() {
      let node = graph.nodes[index]
      let shape = shape(of: node)
      if shape != nil, let latest = latest[index] { stages[index] = max(stages[index], latest) }
      for operand in node.operands {
        let from = Int(operand.node)
        let leaves = Self.shape(of: graph.nodes[from]).map { $0 != shape } ?? false
        latest[from] = min(latest[from] ?? .max, stages[index] - (leaves ? 1 : 0))
      }
    }
    return stages
  }

  /// The shape over which an elementwise node runs; nil for other nodes.
  private static func shape(of node: Node) -> Shape? {
    node.operation.scalarCode != nil ? node.results[0].shape : nil
  }

  private struct Key: Hashable {
    let stage: Int
    let shape: Shape
  }

  private func emitted() -> Graph {
    var groups: [Key: [Int]] = [:]
    for (index, node) in graph.nodes.enumerated() {
      if let shape = Self.shape(of: node) { groups[Key(stage: stages[index], shape: shape), default: []].append(index) }
    }
    var builder = Builder(graph)
    // Within a stage nothing that is not elementwise waits for something that is.
    let order = graph.nodes.indices.sorted { left, right in
      (stages[left], Self.shape(of: graph.nodes[left]) == nil ? 0 : 1, left)
        < (stages[right], Self.shape(of: graph.nodes[right]) == nil ? 0 : 1, right)
    }
    for index in order {
      guard let shape = Self.shape(of: graph.nodes[index]) else {
        builder.copy(index)
        continue
      }
      if let group = groups.removeValue(forKey: Key(stage: stages[index], shape: shape)) { builder.fuse(group[...]) }
    }
    return builder.graph
  }
}

extension Fusion {
  /// Writes the fused graph.
  private struct Builder {
    private let source: Graph
    private var nodes: [Node] = []
    private var names: [Value: Value] = [:]
    /// How often each value is used, counting outputs.
    private var uses: [Value: Int] = [:]

    init(_ source: Graph) {
      self.source = source
      for node in source.nodes { for operand in node.operands { uses[operand, default: 0] += 1 } }
      for output in source.outputs { uses[output, default: 0] += 1 }
    }

    var graph: Graph {
      Graph(nodes: nodes, inputs: source.inputs.map { names[$0]! }, outputs: source.outputs.map { names[$0]! })
    }

    mutating func copy(_ index: Int) {
      var node = source.nodes[index]
      node.operands = node.operands.map { names[$0]! }
      if let loop = node.operation as? any OperationWithBodies {
        node.operation = loop.replacingBodies(loop.bodies.map(Fusion.fused))
      }
      for result in node.results.indices { names[Value(index, result)] = Value(nodes.count, result) }
      nodes.append(node)
    }

    /// Appends one program for a group, or several where one would be too large.
    mutating func fuse(_ group: ArraySlice<Int>) {
      if group.count == 1 { return copy(group.first!) }
      guard let (fused, operands, results) = program(group) else {
        let middle = group.startIndex + group.count / 2
        fuse(group[..<middle])
        fuse(group[middle...])
        return
      }
      for (index, value) in results.enumerated() { names[value] = Value(nodes.count, index) }
      let path = source.nodes[group.last!].path
      nodes.append(Node(operation: fused, operands: operands, results: fused.types, path: path))
    }

    /// The program of a group; nil if it needs more slots or registers than there are.
    private func program(_ group: ArraySlice<Int>) -> (FusedElementwise, operands: [Value], results: [Value])? {
      guard group.count <= 96 else { return nil }
      var inner: [Value: Int] = [:]
      for index in group { for operand in source.nodes[index].operands { inner[operand, default: 0] += 1 } }
      let results = group.map { Value($0) }.filter { uses[$0, default: 0] > inner[$0, default: 0] }
      let members = Set(group)
      var slots: [Value: Int] = [:]
      var operands: [Value] = []
      for index in group {
        for operand in source.nodes[index].operands where !members.contains(Int(operand.node)) && slots[operand] == nil
        {
          slots[operand] = operands.count
          operands.append(operand)
        }
      }
      for result in results { slots[result] = slots.count }
      let memoryCount = operands.count + results.count
      guard memoryCount <= 64 else { return nil }

      var registers = Registers(first: memoryCount)
      var steps: [FusedElementwise.Step] = []
      for index in group {
        let node = source.nodes[index]
        let read = node.operands.map { slots[$0] ?? registers[$0] }
        let value = Value(index)
        for operand in node.operands { inner[operand]! -= 1 }
        let sizes = Set((node.operands.map(source.type(of:)) + node.results).map(\.elementType.byteCount))
        let ended = Set(node.operands.filter { inner[$0] == 0 })
        // Where sizes differ, the result must not be written over an operand while that is read.
        if sizes.count == 1 { registers.release(ended) }
        let written = slots[value] ?? registers.take(value)
        if sizes.count > 1 { registers.release(ended) }
        steps.append(
          FusedElementwise.Step(
            code: node.operation.scalarCode!, type: source.type(of: node.operands.last!).elementType,
            resultType: node.results[0].elementType, operands: read, result: written))
      }
      guard registers.count <= Int(REEL_REGISTER_LIMIT) else { return nil }
      let fused = FusedElementwise(
        steps: steps, operandCount: operands.count, registerCount: registers.count,
        types: results.map(source.type(of:)))
      return (fused, operands.map { names[$0]! }, results)
    }
  }

  /// Which register holds which value.
  private struct Registers {
    let first: Int
    private(set) var count = 0
    private var held: [Value: Int] = [:]
    private var free: [Int] = []

    init(first: Int) { self.first = first }

    subscript(value: Value) -> Int { held[value]! }

    mutating func take(_ value: Value) -> Int {
      if free.isEmpty {
        free.append(first + count)
        count += 1
      }
      held[value] = free.removeLast()
      return held[value]!
    }

    mutating func release(_ values: Set<Value>) {
      for value in values {
        if let register = held.removeValue(forKey: value) { free.append(register) }
      }
    }
  }
}
