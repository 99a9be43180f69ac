internal import ReelKernels

/// Turns a graph into instructions: gives every value a place, and appends what computes it there.
///
/// Values that are other layouts of a value (slices, reshapes, transposes, broadcasts) are views and cost nothing. Values
/// that are parts of a concatenation, slots of a stack or carries of a loop are written where they are wanted.
package struct Lowering {
  var instructions: [Instruction] = []
  var memory = MemoryPlan()
  /// Scratch that the hungriest kernel needs.
  var scratchByteCount = reel_elementwise_scratch(0)
  /// The loop whose body is being lowered.
  var loop: OpenLoop?
  /// Which operation each instruction belongs to; the last of an operation's carries the bytes of its results.
  var origins: [RunLog.Origin] = []
  /// Which operation computes what lies at a base.
  var owners: [Int: RunLog.Origin] = [:]

  /// What belongs to the loop whose body is being lowered.
  struct OpenLoop {
    /// Bases from here on belong to the loop; those before are the same in every step.
    let firstBase: Int
    /// Whether there are loops in the body. Then its steps are taken one by one, and values of a step can share bytes.
    let holdsLoops: Bool
    var prologue: [Instruction] = []
    var packed: [ProductCall.Matrix: View] = [:]
  }

  /// A new place of the program's own memory. In a loop without loops it lives through all steps: threads may be at
  /// different ones.
  mutating func temporary(_ type: TensorType) -> View {
    let livesOn = loop.map { !$0.holdsLoops } ?? false
    return View(base: memory.allocate(byteCount: type.byteCount, forLoop: livesOn), type)
  }

  /// A place that whoever runs the program chooses.
  mutating func external(_ type: TensorType) -> View { View(base: memory.external(), type) }

  /// Notes that a place is read after the last instruction.
  mutating func keep(_ view: View) { memory.keep(view.base) }
}

extension Lowering {
  /// Lowers a graph.
  ///
  /// - Parameters:
  ///   - graph: The graph.
  ///   - inputs: Where its inputs are.
  ///   - wanted: Where some of its values are to be written.
  /// - Returns: Where its outputs are.
  mutating func lower(_ graph: Graph, inputs: [View], wanted: [Value: View] = [:]) -> [View] {
    var places = wanted
    placeParts(of: graph, &places)
    let shifted = placeShifts(of: graph, &places)
    var views: [Value: View] = [:]
    for (input, view) in zip(graph.inputs, inputs) { views[input] = view }
    for (index, node) in graph.nodes.enumerated() where !(node.operation is Input) {
      let operands = node.operands.map { views[$0]! }
      let results = node.results.indices.map { Value(index, $0) }
      if let constant = node.operation.constant {
        views[results[0]] = View(base: memory.constant(constant), constant.type)
      } else if node.operation.isLayout {
        views[results[0]] = node.operation.alias(of: operands[0]) ?? node.operation.alias(of: dense(operands[0]))!
      } else if let slots = shifted[index] {
        copy(operands[0], into: slots.first)
        views[results[0]] = slots.whole
      } else if let scan = node.operation as? Scan {
        for (value, view) in zip(results, lower(scan, operands, results.map { places[$0] })) { views[value] = view }
      } else if let piece = node.operation as? Rematerialized {
        let found = lower(piece.body.graph, operands, results.map { places[$0] })
        for (value, view) in zip(results, found) { views[value] = view }
      } else {
        let targets = results.map { places[$0] ?? temporary(node.results[Int($0.result)]) }
        switch node.operation {
        case let conditional as Conditional: lower(conditional, operands, into: targets)
        case let loop as RepeatWhile: lower(loop, operands, into: targets)
        default: compute(node.operation, operands, targets)
        }
        for (value, view) in zip(results, targets) { views[value] = view }
      }
      note(node, at: results.map { views[$0]! })
    }
    return graph.outputs.map { views[$0]! }
  }

  /// Lowers a program in its place, with results where they are wanted.
  mutating func lower(_ body: Graph, _ operands: [View], _ places: [View?]) -> [View] {
    let wanted = Dictionary(
      zip(body.outputs, places).compactMap { output, place in place.map { (output, $0) } }.filter {
        canPlace($0.0, body)
      }, uniquingKeysWith: { first, _ in first })
    return zip(lower(body, inputs: operands, wanted: wanted), places).map { view, place in
      guard let place, place != view else { return view }
      copy(view, into: place)
      return place
    }
  }

  /// Notes which instructions and which memory belong to an operation.
  private mutating func note(_ node: Node, at views: [View]) {
    let origin = RunLog.Origin(node)
    if origins.count < instructions.count {
      let part = RunLog.Origin(name: origin.name, path: origin.path, byteCount: 0)
      origins += Array(repeating: part, count: instructions.count - origins.count - 1) + [origin]
    }
    guard !node.operation.isLayout else { return }
    for view in views where owners[view.base] == nil { owners[view.base] = origin }
  }

  private mutating func compute(_ operation: any Operation, _ operands: [View], _ results: [View]) {
    if operation.lower(operands, into: results, &self) { return }
    let dense = operands.map { self.dense($0) }
    let targets = results.map { $0.isDense ? $0 : temporary($0.type) }
    memory.advance(using: (dense + targets).map(\.base))
    instructions.append(.operation(OperationCall(operation: operation, operands: dense, results: targets)))
    for (target, result) in zip(targets, results) where target != result { copy(target, into: result) }
  }

  /// Gives values that are parts of a concatenation their place in it, from the last concatenation to the first.
  private mutating func placeParts(of graph: Graph, _ places: inout [Value: View]) {
    for (index, node) in graph.nodes.enumerated().reversed() {
      let result = Value(index)
      if let place = places[result], node.operation is Reshape, place.isDense, let operand = node.operands.first,
        places[operand] == nil, canPlace(operand, graph)
      {
        places[operand] = place.reshaped(to: graph.type(of: operand).shape)
      }
      guard let concatenation = node.operation as? Concatenate else { continue }
      let whole = places[result] ?? temporary(node.results[0])
      places[result] = whole
      let extents = node.operands.map { graph.type(of: $0).shape[concatenation.axis] }
      for (operand, part) in zip(node.operands, concatenation.parts(of: whole, extents: extents))
      where places[operand] == nil && canPlace(operand, graph) {
        places[operand] = part
      }
    }
  }

  /// Gives the stack of a loop that is also used one step later one more slot, in front of its first step, so that the
  /// later stack is a view. Gives, by the node of the shift, that slot and the view.
  private mutating func placeShifts(
    of graph: Graph, _ places: inout [Value: View]
  ) -> [Int: (first: View, whole: View)] {
    var shifted: [Int: (first: View, whole: View)] = [:]
    for (index, node) in graph.nodes.enumerated() {
      guard let shift = node.operation as? Shift, let stack = node.operands.last, places[stack] == nil,
        let scan = graph.nodes[Int(stack.node)].operation as? Scan, stack.result >= scan.carryCount,
        scan.isReversed == shift.isReversed
      else { continue }
      let type = graph.type(of: stack)
      let slot = TensorType(type.shape.removing(0), type.elementType)
      let whole = temporary(slot.stacked(type.shape[0] + 1))
      func view(_ type: TensorType, at slots: Int) -> View {
        View(base: whole.base, byteOffset: slots * slot.byteCount, type)
      }
      places[stack] = view(type, at: shift.isReversed ? 0 : 1)
      shifted[index] = (view(slot, at: shift.isReversed ? type.shape[0] : 0), view(type, at: shift.isReversed ? 1 : 0))
    }
    return shifted
  }

  /// Whether a value is computed where it is told to be: not an input, a constant or a view of something else.
  func canPlace(_ value: Value, _ graph: Graph) -> Bool {
    let operation = graph.nodes[Int(value.node)].operation
    if let scan = operation as? Scan { return value.result >= scan.carryCount }
    if let piece = operation as? Rematerialized {
      return canPlace(piece.body.graph.outputs[Int(value.result)], piece.body.graph)
    }
    return !(operation is Input) && operation.constant == nil && !operation.isLayout
  }
}

extension RunLog.Origin {
  /// An operation of a graph.
  init(_ node: Node) {
    self.init(
      name: node.operation.name, path: node.path, byteCount: node.results.reduce(0) { $0 + $1.byteCount })
  }
}
