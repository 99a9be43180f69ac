extension Lowering {
  /// Lowers a loop and gives where its results are.
  mutating func lower(_ scan: Scan, _ operands: [View], _ places: [View?]) -> [View] {
    let graph = scan.body.graph
    let outputs = graph.outputs
    let initial = scan.carries.map { dense(operands[$0]) }
    var results = initial + stackViews(scan, places)
    if scan.length == 0 { return results }

    let outer = (instructions: instructions, loop: loop, origins: origins)
    origins = []
    memory.beginLoop(using: results.map(\.base) + operands.map(\.base) + initial.map(\.base))
    instructions = []
    loop = OpenLoop(firstBase: memory.baseCount, holdsLoops: graph.hasLoops)
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
      prologue: loop!.prologue, body: instructions, origins: origins.padded(to: instructions.count, for: scan.name),
      independentRows: independentRows(carries, sequences: elements.map(\.base)))
    (instructions, loop, origins) = outer
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
  private func independentRows(_ carries: [LoopCall.Carry], sequences: [Int]) -> Int? {
    let readOnly = Set(sequences + loop!.packed.values.map(\.base))
    return RowAnalysis(carries: carries) { base in
      base < loop!.firstBase || readOnly.contains(base) || memory.isConstant(base)
    }.independentRows(of: instructions)
  }
}

extension [RunLog.Origin] {
  /// The origins of so many instructions: those behind the operations' own move values to where they are wanted.
  func padded(to count: Int, for name: String) -> [RunLog.Origin] {
    self
      + Array(
        repeating: RunLog.Origin(name: "\(name): copy", path: last?.path ?? [], byteCount: 0), count: count - self.count
      )
  }
}
