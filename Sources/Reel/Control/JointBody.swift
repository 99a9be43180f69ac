/// One step of a loop, forward and back, on one tape: the body, then the sweep from the cotangents of what it gives.
struct JointBody {
  let scan: Scan
  let nodes: [Node]
  /// The body's inputs and outputs on the joint tape.
  let inputs, outputs: [Value]
  /// Inputs: the cotangents of carries that leave, the sums so far, and the cotangents of slices.
  let carryCotangents, sums, stackCotangents: [Value]
  /// Outputs: cotangents of carries that enter, sums, cotangents of elements.
  let reverseOutputs: [Value]
  /// The carries and stacks that have a cotangent.
  let carries, stacks: [Int]
  /// The operands whose cotangents are found: captured values, and sequences.
  let capturesWanted, sequencesWanted: [Int]
  /// The carries that the sweep gives a cotangent to.
  let carriesReached: Set<Int>

  init(_ scan: Scan, isActive: [Bool], activeCarries: Set<Int>, carries: [Int], stacks: [Int]) {
    let graph = scan.body.graph
    let tape = Tape(.staged)
    defer { tape.close() }
    let x = graph.inputTypes.map { tape.input($0) }
    let active = x.indices.filter {
      x[$0].elementType.isFloatingPoint
        && (scan.carries.contains($0) ? activeCarries.contains($0 - scan.captureCount) : isActive[$0])
    }
    // The sweep starts from the sums so far, so that every addition to one is a step of a chain.
    let sumsSoFar = Dictionary(
      uniqueKeysWithValues: active.filter(scan.captures.contains).map { ($0, tape.input(x[$0].type)) })
    let recorded = Recording.$tape.withValue(tape) {
      // The step's own operations are no part of the reverse, which asks for them.
      let y = Recording.$path.withValue([]) { graph(x) }
      let given = (carries + stacks).map { (result: y[$0], cotangent: tape.input(y[$0].type)) }
      let seeds = given + active.compactMap { index in sumsSoFar[index].map { (x[index], $0) } }
      let found = tape.cotangents(of: active.map { x[$0] }, from: seeds, isDetached: false)
      return Recorded(y: y, given: given.map(\.cotangent), found: Dictionary(zip(active, found)) { $1 })
    }

    let found = recorded.found.compactMapValues { $0 }
    let captures = scan.captures.filter { capture in
      found[capture].map { tape.value(of: $0) != tape.value(of: sumsSoFar[capture]!) } ?? false
    }
    let sequences = scan.sequences.filter { found[$0] != nil }
    let entering = carries.map { found[scan.captureCount + $0] ?? .zeros(like: x[scan.captureCount + $0]) }
    let reverseOutputs = entering + captures.map { found[$0]! } + sequences.map { found[$0]! }

    self.scan = scan
    self.carries = carries
    self.stacks = stacks
    inputs = x.map(tape.value(of:))
    outputs = recorded.y.map(tape.value(of:))
    carryCotangents = recorded.given[..<carries.count].map(tape.value(of:))
    stackCotangents = recorded.given[carries.count...].map(tape.value(of:))
    sums = captures.map { tape.value(of: sumsSoFar[$0]!) }
    self.reverseOutputs = reverseOutputs.map(tape.value(of:))
    capturesWanted = captures
    sequencesWanted = sequences
    carriesReached = Set(scan.carries.filter { found[$0] != nil }.map { $0 - scan.captureCount })
    nodes = tape.state.withLock { $0.nodes }
  }

  private struct Recorded {
    let y: [Tensor]
    let given: [Tensor]
    let found: [Int: Tensor?]
  }
}
