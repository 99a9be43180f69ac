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
  private let kept: [Tensor.Elements?]
  private let firstKept: [Int]
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
    (nodes, kept, firstKept) = tape.state.withLock { ($0.nodes, $0.kept, $0.firstKept) }
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
    let rules = nodes[index].operation.pullbackRules
    if !rules.isEmpty { return step(index, by: rules) }
    if !isMarked, nodes[index].operation.isSelection, addSelection(index) { return }
    let node = nodes[index]
    let found = node.results.indices.map { takeCotangent(Value(index, $0)) }
    guard found.contains(where: { $0 != nil }) else { return }
    let isActive = node.operands.map(isActive)
    guard isActive.contains(true) else { return }
    let sums = node.operands.indices.map { place in
      node.operation.continuesSums && isActive[place] ? takeCotangent(node.operands[place]) : nil
    }
    let context = PullbackContext(
      operands: node.operands.map(tensor), results: node.results.indices.map { tensor(Value(index, $0)) },
      cotangents: found, isActive: isActive, sums: sums,
      widen: tape.kind == .eager ? nil : { [tape] in tape.widen(index, to: $0) })
    let given = Self.inReverse(of: node, isMarked) { node.operation.pullback(context) }
    for place in node.operands.indices where isActive[place] { pass(given[place], to: node.operands[place]) }
  }

  /// The same for an operation that has rules, without lists.
  private mutating func step(_ index: Int, by rules: [PullbackRule?]) {
    guard let cotangent = takeCotangent(Value(index)) else { return }
    let operands = nodes[index].operands
    let a = tensor(operands[0])
    let b = operands.count == 1 ? a : tensor(operands[operands.count - 1])
    let y = tensor(Value(index))
    func given(_ place: Int) -> Tensor? {
      guard place < operands.count, let rule = rules[place], isActive(operands[place]) else { return nil }
      return rule(cotangent, a, b, y)
    }
    let (first, second, third) = Self.inReverse(of: nodes[index], isMarked) { (given(0), given(1), given(2)) }
    pass(first, to: operands[0])
    if second != nil { pass(second, to: operands[1]) }
    if third != nil { pass(third, to: operands[2]) }
  }

  /// Whether the mark of what a sweep does is read: where something is recorded, or a profile is open.
  private var isMarked: Bool { !isDetached || RunLog.active != nil }

  /// Runs a part of the sweep in the layers of a node, with the mark of what a sweep records behind them.
  private static func inReverse<Result>(of node: Node, _ isMarked: Bool, _ body: () -> Result) -> Result {
    if !isMarked && node.path.isEmpty { return body() }
    return Recording.$path.withValue(isMarked ? node.path + [Recording.reverseMark] : node.path, operation: body)
  }

  private func isActive(_ operand: Value) -> Bool {
    reaches(operand) && type(of: operand).elementType.isFloatingPoint
  }

  private mutating func pass(_ cotangent: Tensor?, to operand: Value) {
    guard let cotangent else { return }
    let shape = type(of: operand).shape
    if isMarked {
      Self.inReverse(of: nodes[Int(operand.node)], true) { add(cotangent.unbroadcasted(to: shape), to: operand) }
    } else {
      add(cotangent.unbroadcasted(to: shape), to: operand)
    }
  }

  private mutating func takeCotangent(_ value: Value) -> Tensor? {
    if value.result > 0 { return furtherCotangents.removeValue(forKey: value) }
    return cotangents[Int(value.node) - oldest].take()
  }

  private mutating func setCotangent(_ cotangent: Tensor, of value: Value) {
    if value.result > 0 {
      furtherCotangents[value] = cotangent
    } else {
      cotangents[Int(value.node) - oldest] = cotangent
    }
  }

  private mutating func add(_ cotangent: Tensor, to value: Value) {
    var known = takeCotangent(value)
    if !isMarked, known?.type == cotangent.type, let addend = cotangent.concreteStorage,
      let sum = known.takeElementsHeldOnce()
    {
      Elementwise.accumulate(addend, into: sum)
      setCotangent(Tensor(sum), of: value)
    } else {
      setCotangent(known.map { Elementwise.accumulate($0, cotangent) } ?? cotangent, of: value)
    }
  }

  /// Adds the cotangent of a part where the part lies, in place of padding it with zeros first. False if that cannot be.
  private mutating func addSelection(_ index: Int) -> Bool {
    let operand = nodes[index].operands[0]
    let type = type(of: operand)
    guard isActive(operand), let part = nodes[index].operation.alias(of: View(base: 0, type)) else { return false }
    guard let cotangent = takeCotangent(Value(index)) else { return true }
    var known = takeCotangent(operand)
    guard let addend = cotangent.concreteStorage, known.map({ $0.concreteStorage != nil }) ?? true else {
      if let known { setCotangent(known, of: operand) }
      setCotangent(cotangent, of: Value(index))
      return false
    }
    var sum = known.takeElementsHeldOnce()
    if sum == nil {
      sum = Storage(type)
      if let known = known?.concreteStorage { sum!.copy(from: known) } else { Kernels.fill(sum!, with: 0) }
    }
    Elementwise.accumulate(addend, into: part, of: sum!)
    setCotangent(Tensor(sum!), of: operand)
    return true
  }

  private func tensor(_ value: Value) -> Tensor {
    let type = type(of: value)
    guard tape.kind == .eager else { return Tensor(tape, value, type) }
    let elements = kept[firstKept[Int(value.node)] + Int(value.result)]
    if isDetached, let elements { return Tensor(elements, type) }
    return Tensor(tape, value, type, elements)
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

extension Tensor {
  /// The elements of a tensor that is recorded nowhere, so that nobody differentiates what is done with them.
  fileprivate var concreteStorage: Storage? {
    if case .concrete = content { storage } else { nil }
  }
}

extension Tensor? {
  /// Takes the elements of a concrete tensor to write over them, if nobody else holds them; else takes nothing.
  fileprivate mutating func takeElementsHeldOnce() -> Storage? {
    guard var storage = self?.concreteStorage else { return nil }
    self = nil
    if storage.isHeldOnce() { return storage }
    self = Tensor(storage)
    return nil
  }
}
