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

  /// Takes out the accumulators without a product: those that fold rows, without which threads can take some rows of the
  /// loop each, and those for which the loop keeps no more bytes.
  ///
  /// The bytes kept are only known once the products have left.
  mutating func contractSums() {
    guard isAdjoint else { return }
    for carry in carries.indices.reversed() {
      guard let accumulator = accumulators().first(where: { $0.carry == carry }) else { continue }
      var contracted = self
      contracted.contract(accumulator)
      // Thousandths are the number of stacks, which does not count here.
      if accumulator.terms.contains(where: isFold) || contracted.sinking().price / 1000 <= sinking().price / 1000 {
        self = contracted
      }
    }
  }

  /// Whether a value is a sum over some axes.
  private func isFold(_ value: Value) -> Bool {
    let node = node(value)
    if node.operation is Reshape || (node.operation as? Elementwise) == .accumulate {
      return node.operands.contains(where: isFold)
    }
    return (node.operation as? Reduction)?.kind == .sum
  }

  private func accumulators() -> [Accumulator] {
    let counts = useCounts()
    return carries.indices.compactMap { index in
      let carry = carries[index]
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

  private mutating func contract(_ accumulator: Accumulator) {
    let carry = carries.remove(at: accumulator.carry)
    let total = sum(of: accumulator.terms.reversed())
    outcomes = outcomes.map { outcome in
      if case .final(carry.inner) = outcome { .sum(total, initial: carry.initial) } else { outcome }
    }
    tidy()
  }

  private mutating func sum(of terms: [Value]) -> Value {
    terms.dropFirst().reduce(terms[0]) { append(Elementwise.accumulate, [$0, $1], for: terms[0]) }
  }
}
