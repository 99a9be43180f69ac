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
///
/// Folds of the last axis belong to the operations of their operand's shape, and so does what is done with the one value
/// of each row: a normalisation is one program.
struct Fusion {
  private let graph: Graph
  /// The shape over which the program of a node runs; nil for nodes that are no part of any.
  private let shapes: [Shape?]
  private let stages: [Int]

  static func fused(_ graph: Graph) -> Graph {
    let fusion = Fusion(graph)
    return fusion.emitted()
  }

  private init(_ graph: Graph) {
    self.graph = graph
    let shapes = Self.shapes(in: graph)
    var stages = [Int](repeating: 0, count: graph.nodes.count)
    for (index, node) in graph.nodes.enumerated() {
      for operand in node.operands {
        let from = Int(operand.node)
        let leaves = shapes[from].map { $0 != shapes[index] } ?? false
        stages[index] = max(stages[index], stages[from] + (leaves ? 1 : 0))
      }
    }
    self.shapes = shapes
    self.stages = Self.delayed(stages, shapes, in: graph)
  }

  /// The stages with elementwise nodes as late as their users allow.
  private static func delayed(_ earliest: [Int], _ shapes: [Shape?], in graph: Graph) -> [Int] {
    var stages = earliest
    /// The latest stage that the users of a node allow; nil if it has none.
    var latest = [Int?](repeating: nil, count: graph.nodes.count)
    for output in graph.outputs { latest[Int(output.node)] = earliest[Int(output.node)] }
    for index in graph.nodes.indices.reversed() {
      if shapes[index] != nil, let latest = latest[index] { stages[index] = max(stages[index], latest) }
      for operand in graph.nodes[index].operands {
        let from = Int(operand.node)
        let leaves = shapes[from].map { $0 != shapes[index] } ?? false
        latest[from] = min(latest[from] ?? .max, stages[index] - (leaves ? 1 : 0))
      }
    }
    return stages
  }

  private static func shapes(in graph: Graph) -> [Shape?] {
    var shapes = [Shape?](repeating: nil, count: graph.nodes.count)
    for (index, node) in graph.nodes.enumerated() {
      if node.operation.rowCode != nil {
        let operand = graph.type(of: node.operands[0])
        shapes[index] = isRowOfTile(operand) ? operand.shape : nil
      } else if node.operation.scalarCode != nil {
        shapes[index] = rowsShape(of: node, shapes, in: graph) ?? node.results[0].shape
      }
    }
    joinUsers(&shapes, in: graph)
    return shapes
  }

  /// What gives one value for each row is done among the rows where all of its users are, if these are folded anyway.
  private static func joinUsers(_ shapes: inout [Shape?], in graph: Graph) {
    let folded = Set(zip(graph.nodes, shapes).compactMap { $0.operation.rowCode != nil ? $1 : nil })
    if folded.isEmpty { return }
    var isElsewhere = [Bool](repeating: false, count: graph.nodes.count)
    var users = [Shape?](repeating: nil, count: graph.nodes.count)
    for output in graph.outputs { isElsewhere[Int(output.node)] = true }
    for (index, node) in graph.nodes.enumerated().reversed() {
      if node.operation.scalarCode != nil, !isElsewhere[index], let rows = users[index], folded.contains(rows),
        node.results[0].shape == rows.replacing(rows.rank - 1, with: 1)
      {
        shapes[index] = rows
      }
      for operand in node.operands {
        let from = Int(operand.node)
        isElsewhere[from] = isElsewhere[from] || shapes[index] == nil || (users[from] ?? shapes[index]) != shapes[index]
        users[from] = shapes[index]
      }
    }
  }

  /// Whether whole rows fit into a tile, which holds half as many elements of eight bytes.
  static func isRowOfTile(_ type: TensorType) -> Bool {
    let limit = Int(REEL_ROW_COLUMNS_MAX) / (type.elementType.byteCount > 4 ? 2 : 1)
    return (Int(REEL_ROW_COLUMNS_MIN)...limit).contains(type.shape.last)
  }

  /// The shape of the rows that one of the operands was folded from, if the node works on one value for each of them.
  private static func rowsShape(of node: Node, _ shapes: [Shape?], in graph: Graph) -> Shape? {
    let shape = node.results[0].shape
    guard shape.rank > 0, shape.last == 1 else { return nil }
    for operand in node.operands where graph.type(of: operand).shape == shape {
      if let rows = shapes[Int(operand.node)], rows != shape { return rows }
    }
    return nil
  }

  private struct Key: Hashable {
    let stage: Int
    let shape: Shape
  }

  private func emitted() -> Graph {
    var groups: [Key: [Int]] = [:]
    for index in graph.nodes.indices {
      if let shape = shapes[index] { groups[Key(stage: stages[index], shape: shape), default: []].append(index) }
    }
    var builder = Builder(graph)
    // Within a stage nothing that is not elementwise waits for something that is.
    let order = graph.nodes.indices.sorted { left, right in
      (stages[left], shapes[left] == nil ? 0 : 1, left) < (stages[right], shapes[right] == nil ? 0 : 1, right)
    }
    for index in order {
      guard let shape = shapes[index] else {
        builder.copy(index)
        continue
      }
      if let group = groups.removeValue(forKey: Key(stage: stages[index], shape: shape)) {
        builder.fuse(group[...], over: shape)
      }
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
    mutating func fuse(_ group: ArraySlice<Int>, over shape: Shape) {
      if group.count == 1 { return copy(group.first!) }
      guard let (fused, operands, results) = program(group, over: shape) else {
        let middle = group.startIndex + group.count / 2
        fuse(group[..<middle], over: shape)
        fuse(group[middle...], over: shape)
        return
      }
      for (index, value) in results.enumerated() { names[value] = Value(nodes.count, index) }
      let path = source.nodes[group.last!].path
      nodes.append(Node(operation: fused, operands: operands, results: fused.types, path: path))
    }

    /// The program of a group; nil if it needs more slots or registers than there are.
    private func program(
      _ group: ArraySlice<Int>, over shape: Shape
    ) -> (FusedElementwise, operands: [Value], results: [Value])? {
      guard group.count <= Int(REEL_CODE_LIMIT) else { return nil }
      // What is left of a group may be only the values of the rows, or nothing that folds them.
      let isByRows = group.contains { source.nodes[$0].operation.rowCode != nil || isRowValue($0, of: shape) }
      let isAllRowValues = group.allSatisfy { source.nodes[$0].operation.rowCode == nil && isRowValue($0, of: shape) }
      if isAllRowValues && isByRows { return program(group, over: source.nodes[group.first!].results[0].shape) }
      if isByRows && !canBeByRows(group, over: shape) { return nil }

      var inner: [Value: Int] = [:]
      for index in group { for operand in source.nodes[index].operands { inner[operand, default: 0] += 1 } }
      let results = group.map { Value($0) }.filter { uses[$0, default: 0] > inner[$0, default: 0] }
      let members = Set(group)
      var slots: [Value: Int] = [:]
      var operands: [Value] = []
      for index in group {
        for operand in source.nodes[index].operands
        where !members.contains(Int(operand.node)) && slots[operand] == nil {
          slots[operand] = operands.count
          operands.append(operand)
        }
      }
      for result in results { slots[result] = slots.count }
      guard slots.count <= 64 else { return nil }

      let (steps, registerCount, rowRegisterCount) = steps(of: group, over: shape, isByRows: isByRows, slots, inner)
      guard registerCount + rowRegisterCount <= Int(REEL_REGISTER_LIMIT) else { return nil }
      let fused = FusedElementwise(
        steps: steps, operandCount: operands.count, registerCount: registerCount, rowRegisterCount: rowRegisterCount,
        isByRows: isByRows, shape: shape, types: results.map(source.type(of:)))
      return (fused, operands.map { names[$0]! }, results)
    }

    /// The steps of a group's program, with registers for what lies in no slot of memory.
    ///
    /// - Parameters:
    ///   - slots: The slots of operands and results.
    ///   - uses: How often the group uses each value.
    private func steps(
      of group: ArraySlice<Int>, over shape: Shape, isByRows: Bool, _ slots: [Value: Int], _ uses: [Value: Int]
    ) -> (steps: [FusedElementwise.Step], registerCount: Int, rowRegisterCount: Int) {
      var uses = uses
      var registers = Registers(first: slots.count)
      var rowRegisters = Registers(first: Self.firstRowRegister)
      var steps: [FusedElementwise.Step] = []
      for (index, code, operands) in instructions(of: group, over: shape) {
        let node = source.nodes[index]
        let value = Value(index)
        let read = operands.map { slots[$0] ?? registers[$0] ?? rowRegisters[$0]! }
        for operand in operands { uses[operand]! -= 1 }
        let sizes = Set((operands.map(source.type(of:)) + node.results).map(\.elementType.byteCount))
        let ended = Set(operands.filter { uses[$0] == 0 })
        // Where sizes differ, the result must not be written over an operand while that is read.
        if sizes.count == 1 { registers.release(ended) }
        let isRow = isByRows && (node.operation.rowCode != nil || isRowValue(index, of: shape))
        let written = slots[value] ?? (isRow ? rowRegisters.take(value) : registers.take(value))
        if sizes.count > 1 { registers.release(ended) }
        rowRegisters.release(ended)
        steps.append(
          FusedElementwise.Step(
            code: code, type: source.type(of: node.operands.last!).elementType, resultType: node.results[0].elementType,
            operands: read, result: written))
      }
      let shift = slots.count + registers.count - Self.firstRowRegister
      return (
        steps.map { $0.movingSlots(from: Self.firstRowRegister, by: shift) }, registers.count, rowRegisters.count
      )
    }

    /// What the operations of a group are as instructions, each with the node whose result it gives. An operation of
    /// arithmetic whose result only one other of them needs is done together with that one.
    private func instructions(
      of group: ArraySlice<Int>, over shape: Shape
    ) -> [(index: Int, code: ScalarCode, operands: [Value])] {
      var pairs: [Int: (code: ScalarCode, operands: [Value])] = [:]
      var joined: Set<Int> = []
      for index in group where source.nodes[index].results[0].shape == shape {
        let node = source.nodes[index]
        for (position, operand) in node.operands.enumerated().reversed() {
          let before = Int(operand.node)
          guard uses[operand] == 1, group.contains(before), pairs[before] == nil,
            source.nodes[before].results == node.results, node.results[0].elementType.isFloatingPoint,
            let pair = ElementwisePair.joining(
              source.nodes[before].operation.scalarCode, node.operation.scalarCode, at: position)
          else { continue }
          pairs[index] = (pair.code, source.nodes[before].operands + [node.operands[1 - position]])
          joined.insert(before)
          break
        }
      }
      return group.filter { !joined.contains($0) }.map { index in
        let node = source.nodes[index]
        let (code, operands) = pairs[index] ?? ((node.operation.scalarCode ?? node.operation.rowCode)!, node.operands)
        return (index, code, operands)
      }
    }

    /// Beyond all slots and registers: row registers get their numbers when it is known how many others there are.
    private static let firstRowRegister = 1 << 16

    /// Whether an elementwise node in a program over a shape works on one value for each row.
    private func isRowValue(_ index: Int, of shape: Shape) -> Bool { source.nodes[index].results[0].shape != shape }

    /// Whether whole rows of everything in a group fit into a tile.
    private func canBeByRows(_ group: ArraySlice<Int>, over shape: Shape) -> Bool {
      group.flatMap { source.nodes[$0].operands.map(source.type(of:)) + source.nodes[$0].results }
        .allSatisfy { Fusion.isRowOfTile(TensorType(shape, $0.elementType)) }
    }
  }

  /// Which register holds which value.
  private struct Registers {
    let first: Int
    private(set) var count = 0
    private var held: [Value: Int] = [:]
    private var free: [Int] = []

    init(first: Int) { self.first = first }

    subscript(value: Value) -> Int? { held[value] }

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
