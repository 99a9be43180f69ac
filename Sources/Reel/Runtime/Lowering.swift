internal import ReelKernels

/// Turns a graph into instructions: gives every value a place, and appends what computes it there.
///
/// Values that are other layouts of a value (slices, reshapes, transposes, broadcasts) are views and cost nothing. Values
/// that are parts of a concatenation, slots of a stack or carries of a loop are written where they are wanted.
package struct Lowering {
  private(set) var instructions: [Instruction] = []
  private(set) var memory = MemoryPlan()
  /// Scratch that the hungriest kernel needs.
  private(set) var scratchByteCount = reel_elementwise_scratch(0)
  /// The loop whose body is being lowered.
  private var loop: OpenLoop?

  /// What belongs to the loop whose body is being lowered.
  private struct OpenLoop {
    /// Bases from here on belong to the loop; those before are the same in every step.
    let firstBase: Int
    var prologue: [Instruction] = []
    var packed: [ProductCall.Matrix: View] = [:]
  }

  /// A new place of the program's own memory. In a loop it lives through all steps: threads may be at different ones.
  mutating func temporary(_ type: TensorType) -> View {
    View(base: memory.allocate(byteCount: type.byteCount, forLoop: loop != nil), type)
  }

  /// A place that whoever runs the program chooses.
  mutating func external(_ type: TensorType) -> View { View(base: memory.external(), type) }

  /// Notes that a place is read after the last instruction.
  mutating func keep(_ view: View) { memory.keep(view.base) }

  private mutating func append(_ instruction: Instruction, _ views: View...) {
    memory.advance(using: views.map(\.base))
    instructions.append(instruction)
  }
}

// MARK: - Kernels

extension Lowering {
  /// The view itself if it is dense, else a dense copy.
  mutating func dense(_ view: View) -> View {
    if view.isDense { return view }
    let result = temporary(view.type)
    copy(view, into: result)
    return result
  }

  mutating func copy(_ source: View, into result: View) {
    if source.shape.count == 0 { return }
    let layout: Layout
    if loop != nil, source.shape.rank > 1 {
      // The leading axis stays, so that threads can take some of its rows each.
      layout = Layout(extents: source.shape.extents, strides: [source.strides, result.strides])
    } else {
      layout = Layout(extents: source.shape.extents, strides: [source.strides, result.strides]).collapsed()
    }
    append(
      .copy(
        CopyCall(
          elementType: source.type.elementType, extents: layout.extents, source: Address(source),
          sourceStrides: layout.strides[0], result: Address(result), resultStrides: layout.strides[1])),
      source, result)
  }

  mutating func fill(_ result: View, with value: Double) {
    append(.fill(FillCall(value: value, type: result.type, result: Address(result))), result)
  }

  /// Folds neighbouring axes of a dense operand.
  mutating func reduce(_ kernel: reel_reduction, _ operand: View, axes: Range<Int>, into result: View) {
    let extents = operand.shape.extents
    append(
      .reduce(
        ReduceCall(
          kernel: kernel, elementType: operand.type.elementType, resultType: result.type.elementType,
          outer: extents[..<axes.lowerBound].reduce(1, *), count: extents[axes].reduce(1, *),
          inner: extents[axes.upperBound...].reduce(1, *), operand: Address(operand), result: Address(result))),
      operand, result)
  }

  mutating func elementwise(_ opcode: reel_opcode, _ operands: [View], into result: View) {
    let instruction = reel_instruction(
      opcode: UInt8(opcode.rawValue), type: UInt8(operands[operands.count - 1].type.elementType.kernel.rawValue),
      to: UInt8(result.type.elementType.kernel.rawValue), result: UInt8(operands.count), a: 0,
      b: operands.count > 1 ? 1 : 0, c: operands.count > 2 ? 2 : 0)
    elementwise([instruction], registerCount: 0, operands, into: [result])
  }

  /// Appends an elementwise program over the shape of the results. Slots are the operands, then the results.
  mutating func elementwise(_ code: [reel_instruction], registerCount: Int, _ operands: [View], into results: [View]) {
    let shape = results[0].shape
    if shape.count == 0 { return }
    let views = operands + results
    var layout = Layout(extents: shape.extents, strides: views.map { $0.strides(broadcastTo: shape) })
    layout = loop != nil && shape.rank > 1 ? layout.collapsedAfterLeading() : layout.collapsed()
    let rank = layout.extents.count
    let slots = views.indices.map { index in
      ElementwiseCall.Slot(
        address: Address(views[index]), size: views[index].type.elementType.byteCount,
        rowStride: rank > 1 ? layout.strides[index][rank - 2] : 0,
        columnStride: rank > 0 ? layout.strides[index][rank - 1] : 1,
        outerStrides: rank > 2 ? Array(layout.strides[index].dropLast(2)) : [])
    }
    scratchByteCount = max(scratchByteCount, reel_elementwise_scratch(registerCount))
    memory.advance(using: views.map(\.base))
    instructions.append(
      .elementwise(
        ElementwiseCall(
          code: code, registerCount: registerCount, slots: slots, resultCount: results.count,
          outer: Array(layout.extents.dropLast(2)), rows: rank > 1 ? layout.extents[rank - 2] : 1,
          columns: rank > 0 ? layout.extents[rank - 1] : 1)))
  }

  /// Appends a product. In a loop, a right operand that is the same in every step is packed before the first one.
  mutating func product(
    _ product: MatrixProduct, _ left: View, _ right: View, addend: View? = nil, accumulates: Bool = false,
    into result: View
  ) {
    if result.shape.count == 0 { return }
    // The kernel writes whole rows.
    guard result.strides.last == 1 || result.shape.last == 1 else {
      let whole = temporary(result.type)
      if accumulates { copy(result, into: whole) }
      self.product(product, left, right, addend: addend, accumulates: accumulates, into: whole)
      copy(whole, into: result)
      return
    }
    let batch = Shape(Array(result.shape.extents.dropLast(2)))
    func matrix(_ view: View, transposed: Bool) -> ProductCall.Matrix {
      var leading = view
      leading.type.shape = Shape(Array(view.shape.extents.dropLast(2)))
      leading.strides = Array(view.strides.dropLast(2))
      let last = Array(view.strides.suffix(2))
      return ProductCall.Matrix(
        address: Address(view), rowStride: last[transposed ? 1 : 0], columnStride: last[transposed ? 0 : 1],
        outerStrides: leading.strides(broadcastTo: batch))
    }
    let inner = left.shape[product.transposesLeft ? -2 : -1]
    let columns = result.shape.last
    var right = right
    var isPacked = false
    if let packed = packed(right, inner: inner, columns: columns, transposed: product.transposesRight) {
      right = packed
      isPacked = true
    }
    let call = ProductCall(
      elementType: result.type.elementType, rows: result.shape[-2], columns: columns, inner: inner,
      a: matrix(left, transposed: product.transposesLeft), b: matrix(right, transposed: product.transposesRight),
      isPacked: isPacked, c: matrix(result, transposed: false),
      addend: addend.map { matrix($0.broadcast(to: result.shape), transposed: false) }, accumulates: accumulates,
      outer: batch.extents)
    var shape = call.shape
    scratchByteCount = max(
      scratchByteCount, Kernels.table.pointee.product_scratch(call.elementType.kernel, &shape))
    memory.advance(using: [left.base, right.base, result.base] + (addend.map { [$0.base] } ?? []))
    instructions.append(.product(call))
  }

  /// The packed form of a matrix that does not change in the loop being lowered.
  private mutating func packed(_ view: View, inner: Int, columns: Int, transposed: Bool) -> View? {
    guard view.shape.rank == 2, inner > 0, let open = loop, view.base < open.firstBase else { return nil }
    let source = ProductCall.Matrix(
      address: Address(view), rowStride: view.strides[transposed ? 1 : 0],
      columnStride: view.strides[transposed ? 0 : 1], outerStrides: [])
    if let known = open.packed[source] {
      memory.touch(known.base)
      return known
    }
    let byteCount = Kernels.table.pointee.packed_size(view.type.elementType.kernel, inner, columns)
    let packed = View(base: memory.allocate(byteCount: byteCount, forLoop: true), view.type)
    memory.touch(view.base)
    loop!.prologue.append(
      .pack(
        PackCall(
          elementType: view.type.elementType, inner: inner, columns: columns, source: source, packed: Address(packed))))
    loop!.packed[source] = packed
    return packed
  }
}

extension View {
  /// The view read as a larger shape.
  func broadcast(to target: Shape) -> View {
    View(
      base: base, byteOffset: byteOffset, TensorType(target, type.elementType), strides: strides(broadcastTo: target))
  }
}

// MARK: - Graphs

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
    var views: [Value: View] = [:]
    for (input, view) in zip(graph.inputs, inputs) { views[input] = view }
    for (index, node) in graph.nodes.enumerated() where !(node.operation is Input) {
      let operands = node.operands.map { views[$0]! }
      let results = node.results.indices.map { Value(index, $0) }
      if let constant = node.operation.constant {
        views[results[0]] = View(base: memory.constant(constant), constant.type)
      } else if node.operation.isLayout {
        views[results[0]] = node.operation.alias(of: operands[0]) ?? node.operation.alias(of: dense(operands[0]))!
      } else if let scan = node.operation as? Scan {
        for (value, view) in zip(results, lower(scan, operands, results.map { places[$0] })) { views[value] = view }
      } else {
        let targets = results.map { places[$0] ?? temporary(node.results[Int($0.result)]) }
        compute(node.operation, operands, targets)
        for (value, view) in zip(results, targets) { views[value] = view }
      }
    }
    return graph.outputs.map { views[$0]! }
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

  /// Whether a value is computed where it is told to be: not an input, a constant or a view of something else.
  func canPlace(_ value: Value, _ graph: Graph) -> Bool {
    let operation = graph.nodes[Int(value.node)].operation
    if let scan = operation as? Scan { return value.result >= scan.carryCount }
    return !(operation is Input) && operation.constant == nil && !operation.isLayout
  }
}

// MARK: - Loops

extension Lowering {
  /// Lowers a loop and gives where its results are.
  private mutating func lower(_ scan: Scan, _ operands: [View], _ places: [View?]) -> [View] {
    let graph = scan.body.graph
    let outputs = graph.outputs
    let initial = scan.carries.map { dense(operands[$0]) }
    var results = initial + stackViews(scan, places)
    if scan.length == 0 { return results }

    let outer = (instructions: instructions, loop: loop)
    memory.beginLoop(using: results.map(\.base) + operands.map(\.base) + initial.map(\.base))
    instructions = []
    loop = OpenLoop(firstBase: memory.baseCount)
    var steppers: [LoopCall.Stepper] = []
    var wanted: [Value: View] = [:]
    for (index, view) in results.enumerated().dropFirst(scan.carryCount) {
      let slot = step(along: view, &steppers)
      if wanted[outputs[index]] == nil { wanted[outputs[index]] = slot }
    }
    let stackSlots = Dictionary(
      uniqueKeysWithValues: zip(
        scan.carryCount..<outputs.count, steppers.map { Address(View(base: $0.base, TensorType(.scalar))) }))
    let elements = scan.sequences.map { step(along: operands[$0], &steppers) }
    var carries: [LoopCall.Carry] = []
    var incoming: [View] = []
    for index in 0..<scan.carryCount {
      let type = graph.type(of: outputs[index])
      let entering = View(base: memory.external(), type)
      incoming.append(entering)
      let stack = (scan.carryCount..<outputs.count).first { outputs[$0] == outputs[index] }
      if let stack {
        carries.append(
          .init(incoming: entering.base, initial: Address(initial[index]), outgoing: .stack(stackSlots[stack]!)))
      } else {
        let leaving = View(base: memory.external(), type)
        if wanted[outputs[index]] == nil { wanted[outputs[index]] = leaving }
        let buffers = (0..<2).map { _ in memory.allocate(byteCount: type.byteCount, forLoop: true) }
        carries.append(
          .init(
            incoming: entering.base, initial: Address(initial[index]),
            outgoing: .buffers(base: leaving.base, even: buffers[0], odd: buffers[1])))
      }
    }
    let captured = Array(operands[scan.captures])
    let found = lower(graph, inputs: captured + incoming + elements, wanted: wanted)
    storeOutputs(scan, found, carries, results, steppers)
    let call = LoopCall(
      length: scan.length, isReversed: scan.isReversed, steppers: steppers, carries: carries,
      prologue: loop!.prologue, body: instructions,
      independentRows: independentRows(sequences: elements.map(\.base)))
    (instructions, loop) = outer
    instructions.append(.loop(call))
    memory.endLoop()
    results.replaceSubrange(..<scan.carryCount, with: finals(scan, carries, results))
    return results
  }

  /// The places of the stacks: as wanted where that is dense, else new memory.
  private mutating func stackViews(_ scan: Scan, _ places: [View?]) -> [View] {
    zip(scan.body.graph.outputTypes, places).dropFirst(scan.carryCount).map { type, place in
      if let place, place.isDense { return place }
      return temporary(type.stacked(scan.length))
    }
  }

  /// A view of one step of a sequence or stack, at a base that moves along it.
  private mutating func step(along view: View, _ steppers: inout [LoopCall.Stepper]) -> View {
    let base = memory.external()
    let type = TensorType(view.shape.removing(0), view.type.elementType)
    steppers.append(
      LoopCall.Stepper(
        base: base, source: Address(view), byteStride: view.strides[0] * view.type.elementType.byteCount))
    return View(base: base, type, strides: Array(view.strides.dropFirst()))
  }

  /// Copies what the body did not write where it is wanted: inputs and views that leave it, and values that leave twice.
  private mutating func storeOutputs(
    _ scan: Scan, _ found: [View], _ carries: [LoopCall.Carry], _ results: [View], _ steppers: [LoopCall.Stepper]
  ) {
    for index in scan.carryCount..<found.count {
      let slot = View(base: steppers[index - scan.carryCount].base, found[index].type)
      if found[index] != slot { copy(found[index], into: slot) }
    }
    for (index, carry) in carries.enumerated() {
      guard case .buffers(let base, _, _) = carry.outgoing else { continue }
      let leaving = View(base: base, found[index].type)
      if found[index] != leaving { copy(found[index], into: leaving) }
    }
  }

  /// Where the last carries are after the last step.
  private func finals(_ scan: Scan, _ carries: [LoopCall.Carry], _ results: [View]) -> [View] {
    let outputs = scan.body.graph.outputs
    return carries.enumerated().map { index, carry in
      switch carry.outgoing {
      case .stack:
        let stack = (scan.carryCount..<outputs.count).first { outputs[$0] == outputs[index] }!
        let last = results[stack].sliced(axis: 0, start: scan.isReversed ? 0 : scan.length - 1, step: 1, count: 1)
        return last.reshaped(to: results[index].shape)!
      case .buffers(_, let even, let odd):
        return View(base: scan.length % 2 == 1 ? even : odd, results[index].type)
      }
    }
  }

  /// The number of rows that all instructions of the loop's body work on one by one, if there is one: every kernel runs
  /// over so many rows, and what one of them writes is read by the same row only.
  private func independentRows(sequences: [Int]) -> Int? {
    let readOnly = Set(sequences + loop!.packed.values.map(\.base))
    return RowAnalysis { base in
      base < loop!.firstBase || readOnly.contains(base) || memory.isConstant(base)
    }.independentRows(of: instructions)
  }
}
