extension OpenLoop {
  /// A carry that only adds up: `c' = c + g₁ + g₂ …`, with `c` used nowhere else.
  private struct Accumulator {
    let carry: Int
    let terms: [Value]
  }

  /// Takes the accumulators with products out of the loop: their terms are computed for all steps at once, and a sum of
  /// products over the steps is one product. Only in loops that a reverse sweep made, since the sum is reassociated.
  mutating func contractProducts() {
    guard isAdjoint else { return }
    while let accumulator = accumulators().first(where: { $0.terms.contains(where: isMadeOfProducts) }) {
      contract(accumulator)
    }
  }

  /// Takes out the accumulators without a product where the loop keeps no more bytes for that. Where it would, and the
  /// terms are all folded in one way, they are added up unfolded and folded once after the loop.
  ///
  /// The bytes kept are only known once the products have left.
  mutating func contractSums(on tape: Tape) {
    guard isAdjoint else { return }
    for carry in carries.indices.reversed() {
      guard let accumulator = accumulators().first(where: { $0.carry == carry }) else { continue }
      var contracted = self
      contracted.contract(accumulator)
      // Thousandths are the number of stacks, which does not count here.
      if contracted.sinking().price / 1000 <= sinking().price / 1000 {
        self = contracted
      } else {
        foldLater(accumulator, on: tape)
      }
    }
  }

  private func accumulators() -> [Accumulator] {
    let counts = useCounts()
    return carries.indices.compactMap { index in
      let carry = carries[index]
      if isFoldedLater(carry) { return nil }
      var terms: [Value] = []
      var value = carry.leaving
      while value != carry.inner {
        let node = node(value)
        guard counts[value] == 1, let sum = node.operation as? Elementwise, sum == .accumulate || sum == .add,
          type(of: node.operands[0]) == type(of: node.operands[1])
        else { return nil }
        let reaches = node.operands.map { ancestors(of: [$0])[Int(carry.inner.node)] }
        guard reaches[0] != reaches[1] else { return nil }
        terms.append(node.operands[reaches[0] ? 1 : 0])
        value = node.operands[reaches[0] ? 0 : 1]
      }
      return counts[value] == 1 && !terms.isEmpty ? Accumulator(carry: index, terms: terms) : nil
    }
  }

  private func isFoldedLater(_ carry: Carry) -> Bool {
    outcomes.contains { if case .folded(carry.inner, _, _) = $0 { true } else { false } }
  }

  private mutating func contract(_ accumulator: Accumulator) {
    let carry = carries.remove(at: accumulator.carry)
    let total = sum(of: accumulator.terms)
    outcomes = outcomes.map { outcome in
      if case .final(carry.inner) = outcome { .sum(total, initial: carry.initial) } else { outcome }
    }
    tidy()
  }

  private mutating func sum(of terms: [Value]) -> Value {
    terms.dropFirst().reduce(terms[0]) { append(Elementwise.accumulate, [$0, $1], for: terms[0]) }
  }

  /// `acc + fold(u)` as `fold(acc + u)`: element by element inside the loop, and one fold after it.
  private mutating func foldLater(_ accumulator: Accumulator, on tape: Tape) {
    let carry = carries[accumulator.carry]
    var terms: [Value] = []
    var queue = Array(accumulator.terms.reversed())
    while let term = queue.popLast() {
      let node = node(term)
      if let sum = node.operation as? Elementwise, sum == .accumulate || sum == .add,
        node.operands.allSatisfy({ self.type(of: $0) == self.type(of: term) })
      {
        queue += node.operands.reversed()
      } else {
        terms.append(term)
      }
    }
    func folded(_ term: Value) -> (fold: Reduction, operand: Value)? {
      var node = node(term)
      if node.operation is Reshape { node = self.node(node.operands[0]) }
      guard let fold = node.operation as? Reduction, fold.kind == .sum else { return nil }
      return (fold, node.operands[0])
    }
    let folds = terms.compactMap(folded)
    guard let first = folds.first, folds.count == terms.count else { return }
    let type = type(of: first.operand)
    guard
      folds.allSatisfy({ $0.fold.axes == first.fold.axes && self.type(of: $0.operand) == type })
    else { return }
    nodes.append(
      Node(operation: Input(type: type, name: ""), operands: [], results: [type], path: node(first.operand).path))
    let inner = Value(nodes.count - 1)
    let zeros = tape.value(of: .zeros(type.shape, elementType: type.elementType))
    carries[accumulator.carry] = Carry(inner: inner, initial: zeros, leaving: sum(of: [inner] + folds.map(\.operand)))
    outcomes = outcomes.map { outcome in
      if case .final(carry.inner) = outcome { .folded(inner, by: first.fold, initial: carry.initial) } else { outcome }
    }
    tidy()
  }
}
