extension OpenLoop {
  /// The carries of which a loop of their own would free a product: they do not wait for the others, the product waits
  /// for none but them, and none of them waits for the product. Nil if there is no such product.
  private func carriesToDistribute() -> Set<Int>? {
    guard carries.count > 1 else { return nil }
    let levels = levels()
    let dependence = dependence()
    for (index, node) in nodes.enumerated() where node.operation.isProduct && levels[index] == .carried {
      let awaited = carriesAwaited(by: index, dependence)
      let awaiting = carries.indices.filter { dependence.ancestors[$0][index] }
      // A product that waits for no carry is kept in the loop by something else, and another loop would not free it.
      if !awaited.isEmpty && !awaiting.isEmpty && awaited.isDisjoint(with: awaiting) { return awaited }
    }
    return nil
  }

  /// Records the loop, as two loops if that frees a product: in the second loop it depends on elements of a sequence, and
  /// leaves. Two layers in one body become two loops that way.
  ///
  /// - Returns: The values of its results on the tape; nil for those that nothing depends on.
  func distributed(on tape: Tape) -> [Value?] {
    guard let first = carriesToDistribute() else { return close(on: tape) }
    let levels = levels()
    let own = carries.indices.filter(first.contains).map { carries[$0] }
    var isFirst = ancestors(of: own.map(\.leaving))
    for carry in own { isFirst[Int(carry.inner.node)] = true }

    var (early, late) = (self, self)
    early.carries = own
    late.carries = carries.indices.filter { !first.contains($0) }.map { carries[$0] }
    let isEarly = outcomes.map { outcome in
      switch outcome {
      case .final(let inner): own.contains { $0.inner == inner }
      case .stack(let value), .sum(let value, _): levels[Int(value.node)] == .carried && isFirst[Int(value.node)]
      case .unused, .outside: false
      }
    }
    for index in outcomes.indices {
      if isEarly[index] { late.outcomes[index] = .unused } else { early.outcomes[index] = .unused }
    }
    let crossing = valuesRead(by: late, from: isFirst, levels)
    early.outcomes += crossing.map { .stack($0) }
    early.tidy()
    let earlyResults = early.finish(on: tape)
    for (value, stack) in zip(crossing, earlyResults.dropFirst(outcomes.count)) {
      late.sequences.append(Port(inner: isInput(value) ? value : late.cut(value), outer: stack!))
    }
    late.tidy()
    let lateResults = late.finish(on: tape)
    return outcomes.indices.map { isEarly[$0] ? earlyResults[$0] : lateResults[$0] }
  }

  /// The values of the first loop that the second one reads.
  private func valuesRead(by late: OpenLoop, from isFirst: [Bool], _ levels: [Level]) -> [Value] {
    var read = Set(late.carries.map(\.leaving) + late.roots)
    for (index, node) in nodes.enumerated() where !isFirst[index] { read.formUnion(node.operands) }
    return read.filter { isFirst[Int($0.node)] && levels[Int($0.node)] == .carried }
      .sorted { ($0.node, $0.result) < ($1.node, $1.result) }
  }

  /// Takes out of a loop what can leave it, once its products are where they belong, and records it.
  func finish(on tape: Tape) -> [Value?] {
    var loop = self
    loop.hoist(on: tape)
    loop.contractSums()
    return loop.distributed(on: tape)
  }
}
