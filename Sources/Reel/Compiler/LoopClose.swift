extension OpenLoop {
  /// Records the loop again, without what runs after it, and then what does.
  ///
  /// - Returns: The values of the loop's results on the tape; nil for those that nothing depends on.
  func close(on tape: Tape) -> [Value?] {
    let isAfter = sinking().isAfter
    let levels = levels()
    var steps = AllSteps(self, on: tape)
    let (stacks, parts, shifted) = stacksNeeded(isAfter, levels)
    var finals: [Value: Value] = [:]
    if !carries.isEmpty || !stacks.isEmpty {
      let results = record(stacks, on: tape)
      for (carry, final) in zip(carries, results) { finals[carry.inner] = final }
      for (value, stack) in zip(stacks, results.dropFirst(carries.count)) {
        steps.know(value, stacked: tape.tensor(stack))
      }
      for (value, part) in parts { steps.know(value, as: part) }
    }
    for carry in shifted {
      let stack = steps.stacked(carry.leaving)
      steps.know(carry.inner, stacked: Shift(isReversed: isReversed)(tape.tensor(carry.initial), stack))
    }
    let summed = outcomes.compactMap { outcome -> (value: Value, initial: Tensor)? in
      if case .sum(let value, let initial) = outcome { (value, tape.tensor(initial)) } else { nil }
    }
    var sums = LoopTotals.sums(of: summed, steps)[...]
    return outcomes.map { outcome in
      switch outcome {
      case .unused: nil
      case .outside(let value): value
      case .final(let inner): finals[inner]!
      case .stack(let value): tape.value(of: steps.stacked(value))
      case .sum: tape.value(of: sums.removeFirst())
      }
    }
  }

  /// The results of a loop that takes no step: the initial carries, and stacks of nothing.
  func resultsWithoutSteps(on tape: Tape) -> [Value?] {
    outcomes.map { outcome in
      switch outcome {
      case .final(let inner): carries.first { $0.inner == inner }!.initial
      case .stack(let value):
        tape.value(of: .zeros(type(of: value).stacked(0).shape, elementType: type(of: value).elementType))
      case .unused, .outside, .sum: nil
      }
    }
  }

  /// The values that the loop stacks, in order, those whose stacks are parts of these, and the carries whose stacks are
  /// those of what leaves, shifted.
  private func stacksNeeded(
    _ isAfter: [Bool], _ levels: [Level]
  ) -> (stacks: [Value], parts: [(Value, Part)], shifted: [Carry]) {
    var wanted: Set<Value> = []
    var entering: Set<Value> = []
    func want(_ value: Value) {
      let index = Int(value.node)
      if isAfter[index] || levels[index] < .carried { return }
      // Carries that only change places are stacked themselves.
      guard let carry = carries.first(where: { $0.inner == value }),
        levels[Int(carry.leaving.node)] < .carried || !isInput(carry.leaving)
      else { return _ = wanted.insert(value) }
      entering.insert(value)
      want(carry.leaving)
    }
    for (index, node) in nodes.enumerated() where isAfter[index] { node.operands.forEach(want) }
    roots.forEach(want)
    let known = partsOfConcatenations()
    var parts: [(Value, Part)] = []
    let ordered = wanted.sorted { ($0.node, $0.result) < ($1.node, $1.result) }
    for value in ordered {
      // The largest whole is itself no part, so that parts are found in one step.
      let wholes = (known[value] ?? []).filter { wanted.contains($0.whole) }
      let largest = wholes.max { type(of: $0.whole).byteCount < type(of: $1.whole).byteCount }
      if let largest { parts.append((value, largest)) }
    }
    let partValues = Set(parts.map(\.0))
    parts = parts.filter { !partValues.contains($0.1.whole) }
    let viewed = Set(parts.map(\.0))
    return (ordered.filter { !viewed.contains($0) }, parts, carries.filter { entering.contains($0.inner) })
  }

  private func record(_ stacks: [Value], on tape: Tape) -> [Value] {
    let outputs = carries.map(\.leaving) + stacks
    let isNeeded = ancestors(of: outputs)
    let captures = captures.filter { isNeeded[Int($0.inner.node)] }
    let sequences = sequences.filter { isNeeded[Int($0.inner.node)] }
    let inputs = captures.map(\.inner) + carries.map(\.inner) + sequences.map(\.inner)
    let scan = Scan(
      body: LoopBody(Graph(extracting: outputs, from: inputs, of: nodes)), captureCount: captures.count,
      carryCount: carries.count, length: length, isReversed: isReversed, isAdjoint: isAdjoint)
    let operands = captures.map(\.outer) + carries.map(\.initial) + sequences.map(\.outer)
    return tape.append(scan, operands, scan.resultTypesOfWidened(operands.map { tape.tensor($0).type }))
  }
}
