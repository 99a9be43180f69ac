extension Loop {
  /// The loop with what it may keep. The step is recorded once: blocks and the steps that are left over use the same
  /// values from outside, so that sums over all steps are sums of the same numbers in the same order.
  func checkpointed(
    _ elements: [Tensor], from carry: [Tensor], _ length: Int, _ unroll: Unroll
  ) -> ([Tensor], [Tensor]) {
    let (body, captured, outputCount, hasFailed) = recorded(elements, from: carry, step)
    if hasFailed { return (carry, Array(repeating: .placeholder(like: carry.first), count: outputCount)) }
    let blocks = checkpoints(scan(body, captured, carry, length))
    let loop = Loop(
      carryPaths: carryPaths, isReversed: isReversed, memory: memory, keepsLastOnly: keepsLastOnly
    ) { state, element in
      let results = body(captured + state + element)
      return (Array(results[..<carry.count]), Array(results[carry.count...]))
    }
    return loop.divided(elements, from: carry, length, blocks[...], unroll)
  }

  /// The loop over blocks within blocks of steps. A block keeps nothing but the state before it: it is a loop that is
  /// computed once more in the reverse sweep. The steps left over come last, and their reverse first, so they are kept.
  private func divided(
    _ elements: [Tensor], from carry: [Tensor], _ length: Int, _ blocks: ArraySlice<Int>, _ unroll: Unroll
  ) -> ([Tensor], [Tensor]) {
    guard let block = blocks.first else { return laidOut(elements, from: carry, length, unroll) }
    let inner = blocks.dropFirst()
    if block >= length { return divided(elements, from: carry, length, inner, unroll) }
    return blocked(elements, from: carry, length, block, isUnrolled: unroll == .full) {
      carry, elements, count, isRest in
      if isRest { return divided(elements, from: carry, count, inner, unroll) }
      let results = rematerialized {
        let (carry, stacks) = divided(elements, from: carry, count, inner, unroll)
        return Pair(carry, stacks)
      }
      return (results.first, results.second)
    }
  }

  /// The lengths of the blocks between whose states steps are computed again, from the outermost on.
  private func checkpoints(_ scan: Scan) -> [Int] {
    switch memory {
    case .unlimited: return []
    case .checkpoints(let steps):
      if steps >= 1 { return [steps] }
      TensorError(
        operation: "scan", problem: "a checkpoint every \(steps) steps", expected: "a number of steps of at least 1"
      ).report()
      return []
    case .atMost(let bytes):
      let plan = CheckpointPlan(
        length: scan.length, stepBytes: scan.bytesPerStep,
        carryBytes: scan.body.graph.inputTypes[scan.carries].reduce(0) { $0 + $1.byteCount })
      if let blocks = plan.blocks(within: bytes) { return blocks }
      TensorError(
        operation: "scan", problem: "\(bytes) bytes for the reverse of a loop of \(scan.length) steps",
        expected: "at least \(plan.leastBytes) bytes"
      ).report()
      return []
    }
  }
}
