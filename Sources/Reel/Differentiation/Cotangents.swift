/// The reverse sweep: walks a tape backwards from some results to some leaves, and gives the cotangents of the leaves.
///
/// The adjoint operations are ordinary operations on tensors of the tape, so that they are appended to the same tape and
/// can be differentiated again. A sweep whose result nobody can differentiate again works on detached tensors instead,
/// so that nothing more is recorded and memory is let go as it walks.
struct CotangentSweep {
  private let tape: Tape
  private let isDetached: Bool
  /// Cotangents found so far, by result.
  private var cotangents: [Value: Tensor] = [:]
  /// Of each node from the oldest leaf on: whether a leaf reaches it.
  private var isReached: [Bool]
  private let oldest: Int

  /// - Parameters:
  ///   - tape: The tape.
  ///   - leaves: Results to find the cotangents of.
  ///   - isDetached: Whether the adjoint computation is recorded nowhere.
  init(_ tape: Tape, to leaves: [Value], isDetached: Bool) {
    self.tape = tape
    self.isDetached = isDetached
    let oldest = leaves.map { Int($0.node) }.min() ?? tape.count
    let nodes = tape.state.withLock { $0.nodes[oldest...] }
    var isReached = [Bool](repeating: false, count: nodes.count)
    for leaf in leaves { isReached[Int(leaf.node) - oldest] = true }
    for (index, node) in nodes.enumerated() where !isReached[index] {
      isReached[index] = node.operands.contains { $0.node >= oldest && isReached[Int($0.node) - oldest] }
    }
    self.oldest = oldest
    self.isReached = isReached
  }

  private func reaches(_ value: Value) -> Bool { value.node >= oldest && isReached[Int(value.node) - oldest] }

  /// The cotangents of the leaves, given those of some results; nil where nothing depends on a leaf.
  mutating func run(from seeds: [(result: Value, cotangent: Tensor)], to leaves: [Value]) -> [Tensor?] {
    for (result, cotangent) in seeds where reaches(result) { add(cotangent, to: result) }
    let stops = Set(leaves.map(\.node))
    var index = seeds.map { Int($0.result.node) }.max() ?? -1
    while index >= oldest {
      if isReached[index - oldest], !stops.contains(Int32(index)) { step(index) }
      index -= 1
    }
    return leaves.map { cotangents[$0] }
  }

  /// Passes the cotangents of one node's results on to its operands.
  private mutating func step(_ index: Int) {
    let node = tape.node(index)
    let results = node.results.indices.map { Value(index, $0) }
    let found = results.map { cotangents.removeValue(forKey: $0) }
    guard found.contains(where: { $0 != nil }) else { return }
    let isActive = node.operands.map { reaches($0) && type(of: $0).elementType.isFloatingPoint }
    guard isActive.contains(true) else { return }
    let given = Recording.$path.withValue(node.path) {
      node.operation.pullback(
        PullbackContext(
          operands: node.operands.map(tensor), results: results.map(tensor), cotangents: found, isActive: isActive,
          widen: tape.kind == .eager ? nil : { [tape] in tape.widen(index, to: $0) }))
    }
    for (operand, cotangent) in zip(node.operands, given) where reaches(operand) {
      guard let cotangent, type(of: operand).elementType.isFloatingPoint else { continue }
      add(cotangent.unbroadcasted(to: type(of: operand).shape), to: operand)
    }
  }

  private mutating func add(_ cotangent: Tensor, to value: Value) {
    cotangents[value] = cotangents[value].map { Elementwise.accumulate($0, cotangent) } ?? cotangent
  }

  private func tensor(_ value: Value) -> Tensor {
    let tensor = tape.tensor(value)
    return isDetached ? tensor.detached : tensor
  }

  private func type(of value: Value) -> TensorType {
    tape.state.withLock { $0.nodes[Int(value.node)].results[Int(value.result)] }
  }
}

extension Tape {
  /// The cotangents of some tensors of this tape, given those of others; nil where nothing depends on them.
  func cotangents(of leaves: [Tensor], from seeds: [(result: Tensor, cotangent: Tensor)], isDetached: Bool) -> [Tensor?] {
    let leaves = leaves.map(value(of:))
    let seeds = seeds.filter { $0.result.tape === self }.map { (value(of: $0.result), $0.cotangent) }
    var sweep = CotangentSweep(self, to: leaves, isDetached: isDetached)
    return sweep.run(from: seeds, to: leaves)
  }
}
