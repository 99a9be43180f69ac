/// Computes values of a loop's body outside of the loop: once if they do not depend on the step, and else for all steps
/// at once, stacked along a leading axis, by the batching rules of the operations.
struct AllSteps {
  /// A value outside the loop, stacked if it depends on the step.
  typealias Result = (tensor: Tensor, isStacked: Bool)

  let loop: OpenLoop
  let tape: Tape
  private var known: [Value: Result] = [:]
  private(set) var parts: [Value: OpenLoop.Part] = [:]

  /// - Parameters:
  ///   - loop: A tidy loop.
  ///   - tape: The tape around it.
  init(_ loop: OpenLoop, on tape: Tape) {
    self.loop = loop
    self.tape = tape
    for port in loop.captures { known[port.inner] = (tape.tensor(port.outer), false) }
    for port in loop.sequences { known[port.inner] = (tape.tensor(port.outer), true) }
  }

  /// Says what a value is outside the loop.
  mutating func know(_ value: Value, stacked: Tensor) { known[value] = (stacked, true) }

  /// Says that a value is a part of one that is known.
  mutating func know(_ value: Value, as part: OpenLoop.Part) {
    known[value] = (part.slice(self(part.whole).tensor), true)
    parts[value] = part
  }

  func isKnown(_ value: Value) -> Bool { known[value] != nil }

  /// A value outside the loop, from what is known.
  mutating func callAsFunction(_ value: Value) -> Result {
    if let known = known[value] { return known }
    for index in unknownAncestors(of: value) { compute(index) }
    return known[value]!
  }

  /// A value for all steps, repeated if it does not depend on them.
  mutating func stacked(_ value: Value) -> Tensor {
    let (tensor, isStacked) = self(value)
    return isStacked ? tensor : tensor.repeated(loop.length)
  }

  private func unknownAncestors(of value: Value) -> [Int] {
    var found: Set<Int> = [Int(value.node)]
    var queue = [Int(value.node)]
    while let index = queue.popLast() {
      for operand in loop.nodes[index].operands where known[operand] == nil {
        if found.insert(Int(operand.node)).inserted { queue.append(Int(operand.node)) }
      }
    }
    return found.sorted()
  }

  private mutating func compute(_ index: Int) {
    let node = loop.nodes[index]
    let operands = node.operands.map { known[$0]! }
    let isStacked = operands.contains { $0.isStacked }
    let results = Recording.$path.withValue(node.path) {
      isStacked
        ? node.operation.vectorized(operands.map(\.tensor), isBatched: operands.map(\.isStacked), count: loop.length)
        : node.operation.apply(operands.map(\.tensor))
    }
    for (result, tensor) in results.enumerated() {
      let value = Value(index, result)
      if known[value] == nil { known[value] = (tensor, isStacked) }
    }
  }
}
