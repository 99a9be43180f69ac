/// How a loop is differentiated: the forward loop with the residuals it keeps, and the loop that runs back over them.
///
///     forward:  captured ++ carries ++ sequences                         →  ... ++ residual stacks
///     reverse:  captured ++ (d carries ++ sums) ++ (sequences ++ residuals ++ d stacks)
///                                                                        →  d carries ++ sums ++ d sequences
///
/// Cotangents of carries stay carries, those of captured values are summed over the steps, and those of elements are
/// stacked. What the reverse body needs of the forward one is a minimum cut (see ``ResidualCut``).
final class ReverseLoop: Sendable {
  /// The forward loop, which gives the residuals after its other results.
  let forward: Scan
  /// Which results of the forward loop are residuals.
  let residuals: [Int]
  /// The reverse loop.
  let loop: Scan
  /// The operands of the forward loop that the reverse loop captures, and the sequences it goes along again.
  let captures, sequences: [Int]
  /// The carries that have a cotangent, and the stacks whose cotangents are given.
  let carries, stacks: [Int]
  /// The captured values and the sequences whose cotangents are found.
  let capturesWanted, sequencesWanted: [Int]

  /// - Parameters:
  ///   - scan: The loop.
  ///   - isActive: Which of its operands are differentiated.
  ///   - hasCotangent: Which of its results have a cotangent.
  convenience init(_ scan: Scan, isActive: [Bool], hasCotangent: [Bool]) {
    var carries = Set((0..<scan.carryCount).filter { hasCotangent[$0] })
    let stacks = (scan.carryCount..<hasCotangent.count).filter { hasCotangent[$0] }
    let activeCarries = scan.activeCarries(isActive)
    while true {
      let joint = JointBody(
        scan, isActive: isActive, activeCarries: activeCarries, carries: carries.sorted(), stacks: stacks)
      // A carry that some later step gives a cotangent to takes part, whatever its final value is used for.
      let reached = carries.union(joint.carriesReached)
      if reached == carries {
        self.init(joint)
        return
      }
      carries = reached
    }
  }

  private init(_ joint: JointBody) {
    let scan = joint.scan
    let cut = ResidualCut(joint)
    let known = scan.body.graph.outputs.count
    let kept = Array(joint.outputs[scan.carryCount...])
    let added = cut.residuals.filter { !kept.contains($0) }
    forward = Scan(
      body: LoopBody(Graph(extracting: joint.outputs + added, from: joint.inputs, of: joint.nodes)),
      captureCount: scan.captureCount, carryCount: scan.carryCount, length: scan.length, isReversed: scan.isReversed,
      isAdjoint: scan.isAdjoint)
    residuals = cut.residuals.map { residual in
      kept.firstIndex(of: residual).map { $0 + scan.carryCount } ?? known + added.firstIndex(of: residual)!
    }

    let captured = Array(joint.inputs[scan.captures])
    let elements = Array(joint.inputs[scan.sequences])
    let changing = joint.carryCotangents + joint.sums + elements + cut.residuals + joint.stackCotangents
    let draft = Graph(extracting: joint.reverseOutputs, from: captured + changing, of: joint.nodes)
    let isUsed = draft.usedInputs
    captures = captured.indices.filter { isUsed[$0] }
    let elementsStart = captured.count + joint.carryCotangents.count + joint.sums.count
    let elementsUsed = elements.indices.filter { isUsed[elementsStart + $0] }
    sequences = elementsUsed.map { $0 + scan.sequences.lowerBound }
    let body = Graph(
      extracting: joint.reverseOutputs,
      from: captures.map { captured[$0] } + joint.carryCotangents + joint.sums + elementsUsed.map { elements[$0] }
        + cut.residuals + joint.stackCotangents,
      of: joint.nodes)
    loop = Scan(
      body: LoopBody(body), captureCount: captures.count, carryCount: joint.carryCotangents.count + joint.sums.count,
      length: scan.length, isReversed: !scan.isReversed, isAdjoint: true)
    (carries, stacks) = (joint.carries, joint.stacks)
    (capturesWanted, sequencesWanted) = (joint.capturesWanted, joint.sequencesWanted)
  }

  /// Whether this reverse serves for what is asked.
  func covers(isActive: [Bool], hasCotangent: [Bool], of scan: Scan) -> Bool {
    let given = Set(carries + stacks)
    let found = Set(capturesWanted + carries.map { $0 + scan.captureCount } + sequencesWanted)
    return hasCotangent.indices.allSatisfy { !hasCotangent[$0] || given.contains($0) }
      && isActive.indices.allSatisfy { !isActive[$0] || scan.carries.contains($0) || found.contains($0) }
  }

  /// Runs the reverse loop.
  ///
  /// - Parameters:
  ///   - context: What the forward loop's pullback is given.
  ///   - residualStacks: The residuals that the forward loop kept.
  /// - Returns: The cotangents of the forward loop's operands.
  func cotangents(_ context: PullbackContext, _ residualStacks: [Tensor]) -> [Tensor?] {
    func cotangent(_ result: Int) -> Tensor { context.cotangents[result] ?? .zeros(like: context.results[result]) }
    let sums = capturesWanted.map { context.sums[$0] ?? .zeros(like: context.operands[$0]) }
    let operands: [[Tensor]] = [
      captures.map { context.operands[$0] }, carries.map(cotangent), sums, sequences.map { context.operands[$0] },
      residualStacks, stacks.map(cotangent),
    ]
    var results = loop.apply(operands.flatMap { $0 })[...]
    var found = context.sums
    func add(_ cotangent: Tensor, to operand: Int) {
      found[operand] = found[operand].map { Elementwise.accumulate($0, cotangent) } ?? cotangent
    }
    for carry in carries { add(results.removeFirst(), to: forward.captureCount + carry) }
    for capture in capturesWanted { found[capture] = results.removeFirst() }
    for sequence in sequencesWanted { add(results.removeFirst(), to: sequence) }
    return found
  }
}

extension Scan {
  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    let hasCotangent = context.cotangents.map { $0 != nil }
    if let reverse, reverse.covers(isActive: context.isActive, hasCotangent: hasCotangent, of: self) {
      return reverse.cotangents(context, reverse.residuals.map { context.results[$0] })
    }
    let reverse = reversed(isActive: context.isActive, hasCotangent: hasCotangent)
    let results: [Tensor] =
      if reverse.residuals.allSatisfy({ $0 < context.results.count }) {
        context.results
      } else if let widen = context.widen {
        context.results + widen(reverse.forward)
      } else {
        // The loop has run without keeping what is needed now, so it runs once more.
        reverse.forward.apply(context.operands)
      }
    return reverse.cotangents(context, reverse.residuals.map { results[$0] })
  }

  package func keepingResiduals(for operands: [Tensor]) -> (any Operation)? {
    let isActive = operands.map { $0.tape != nil && $0.elementType.isFloatingPoint }
    guard isActive.contains(true) else { return nil }
    let hasCotangent = body.graph.outputTypes.map(\.elementType.isFloatingPoint)
    let reverse = reversed(isActive: isActive, hasCotangent: hasCotangent)
    var widened = reverse.forward
    widened.reverse = reverse
    return widened
  }

  /// The carries that depend on an operand that is differentiated, at some step.
  func activeCarries(_ isActive: [Bool]) -> Set<Int> {
    var active = Set((0..<carryCount).filter { isActive[captureCount + $0] })
    let graph = body.graph
    while true {
      var isReached = [Bool](repeating: false, count: graph.nodes.count)
      for (index, input) in graph.inputs.enumerated() {
        isReached[Int(input.node)] = carries.contains(index) ? active.contains(index - captureCount) : isActive[index]
      }
      for (index, node) in graph.nodes.enumerated() where !isReached[index] {
        isReached[index] = node.operands.contains { isReached[Int($0.node)] }
      }
      let leaving = (0..<carryCount).filter {
        isReached[Int(graph.outputs[$0].node)] && graph.type(of: graph.outputs[$0]).elementType.isFloatingPoint
      }
      if active.isSuperset(of: leaving) { return active }
      active.formUnion(leaving)
    }
  }
}
