/// The reverse sweep: walks a tape backwards from some results to some leaves, and gives the cotangents of the leaves.
///
/// The adjoint operations are ordinary operations on tensors of the tape, so that they are appended to the same tape and
/// can be differentiated again. A sweep whose result nobody can differentiate again works on detached tensors instead,
/// so that nothing more is recorded and memory is let go as it walks.
struct CotangentSweep {
  private let tape: Tape
  private let isDetached: Bool
  /// The tape as it was when the sweep began, which is all that it walks.
  private let nodes: [Node]
  private let storages: [Storage]
  private let firstStorage: [Int]
  /// Cotangents found so far: of first results by node, of others by value.
  private var cotangents: [Tensor?]
  private var furtherCotangents: [Value: Tensor] = [:]
  /// Of each node from the oldest leaf on: whether a leaf reaches it.
  private let isReached: [Bool]
  private let oldest: Int

  /// - Parameters:
  ///   - tape: The tape.
  ///   - leaves: Results to find the cotangents of.
  ///   - isDetached: Whether the adjoint computation is recorded nowhere.
  init(_ tape: Tape, to leaves: [Value], isDetached: Bool) {
    self.tape = tape
    self.isDetached = isDetached
    (nodes, storages, firstStorage) = tape.state.withLock { ($0.nodes, $0.storages, $0.firstStorage) }
    let oldest = leaves.map { Int($0.node) }.min() ?? nodes.count
    var isReached = [Bool](repeating: false, count: nodes.count - oldest)
    for leaf in leaves { isReached[Int(leaf.node) - oldest] = true }
    for index in isReached.indices where !isReached[index] {
      isReached[index] = nodes[oldest + index].operands.contains {
        $0.node >= oldest && isReached[Int($0.node) - oldest]
      }
    }
    self.oldest = oldest
    self.isReached = isReached
    cotangents = Array(repeating: nil, count: isReached.count)
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
    return leaves.map { $0.result == 0 ? cotangents[Int($0.node) - oldest] : furtherCotangents[$0] }
  }

  /// Passes the cotangents of one node's results on to its operands.
  private mutating func step(_ index: Int) {
    let node = nodes[index]
    let found = node.results.indices.map { takeCotangent(Value(index, $0)) }
    guard found.contains(where: { $0 != nil }) else { return }
    let isActive = node.operands.map { reaches($0) && type(of: $0).elementType.isFloatingPoint }
    guard isActive.contains(true) else { return }
    let sums = node.operands.indices.map { place in
      node.operation.continuesSums && isActive[place] ? takeCotangent(node.operands[place]) : nil
    }
    let context = PullbackContext(
      operands: node.operands.map(tensor), results: node.results.indices.map { tensor(Value(index, $0)) },
      cotangents: found, isActive: isActive, sums: sums,
      widen: tape.kind == .eager ? nil : { [tape] in tape.widen(index, to: $0) })
    // Where nothing is recorded, nobody but a profile reads the mark.
    let isMarked = !isDetached || RunLog.active != nil
    let given = Self.inReverse(of: node, isMarked) { node.operation.pullback(context) }
    for index in node.operands.indices where isActive[index] {
      guard let cotangent = given[index] else { continue }
      let operand = node.operands[index]
      let shape = type(of: operand).shape
      if isMarked {
        Self.inReverse(of: nodes[Int(operand.node)], true) { add(cotangent.unbroadcasted(to: shape), to: operand) }
      } else {
        add(cotangent.unbroadcasted(to: shape), to: operand)
      }
    }
  }

  /// Runs a part of the sweep in the layers of a node, with the mark of what a sweep records behind them.
  private static func inReverse<Result>(of node: Node, _ isMarked: Bool, _ body: () -> Result) -> Result {
    if !isMarked && node.path.isEmpty { return body() }
    return Recording.$path.withValue(isMarked ? node.path + [Recording.reverseMark] : node.path, operation: body)
  }

  private mutating func takeCotangent(_ value: Value) -> Tensor? {
    if value.result > 0 { return furtherCotangents.removeValue(forKey: value) }
    defer { cotangents[Int(value.node) - oldest] = nil }
    return cotangents[Int(value.node) - oldest]
  }

  private mutating func add(_ cotangent: Tensor, to value: Value) {
    guard value.result == 0 else {
      furtherCotangents[value] = furtherCotangents[value].map { Elementwise.accumulate($0, cotangent) } ?? cotangent
      return
    }
    let place = Int(value.node) - oldest
    cotangents[place] = cotangents[place].map { Elementwise.accumulate($0, cotangent) } ?? cotangent
  }

  private func tensor(_ value: Value) -> Tensor {
    let type = type(of: value)
    guard tape.kind == .eager else { return Tensor(tape, value, type, nil) }
    let storage = storages[firstStorage[Int(value.node)] + Int(value.result)]
    return isDetached ? Tensor(storage) : Tensor(tape, value, type, storage)
  }

  private func type(of value: Value) -> TensorType { nodes[Int(value.node)].results[Int(value.result)] }
}

extension Tape {
  /// The cotangents of some tensors of this tape, given those of others; nil where nothing depends on them.
  func cotangents(of leaves: [Tensor], from seeds: [(result: Tensor, cotangent: Tensor)], isDetached: Bool) -> [Tensor?]
  {
    let leaves = leaves.map(value(of:))
    let seeds = seeds.filter { $0.result.tape === self }.map { (value(of: $0.result), $0.cotangent) }
    var sweep = CotangentSweep(self, to: leaves, isDetached: isDetached)
    return sweep.run(from: seeds, to: leaves)
  }
}
