extension OpenLoop {
  /// Takes products apart whose parts belong in different places, the opposite of ``mergeProducts()``, which only joins
  /// what belongs in one:
  ///
  /// - `[x, h]·W → x·W₁` before the loop, from which the accumulation of `h·W₂` starts, so that all bits stay;
  /// - `split(dz·Wᵀ) → dz·W₁ᵀ, dz·W₂ᵀ` where not all parts are wanted, or not in one place;
  /// - `[x, h]ᵀ·dz → xᵀ·dz, hᵀ·dz` after the loop, where the concatenation would be a copy for all steps.
  mutating func unmergeProducts() {
    while unmergeOne() {}
  }

  private mutating func unmergeOne() -> Bool {
    let levels = levels()
    let isInside = ancestors(of: carries.map(\.leaving))
    for (index, node) in nodes.enumerated() where levels[index] == .carried {
      guard let product = node.operation as? MatrixProduct, !product.descends, areMatrices(node.operands) else {
        continue
      }
      if levels[Int(node.operands[1].node)] == .invariant,
        unmergeOperand(of: index, product, levels) || unmergeResult(of: index, product)
      {
        return true
      }
      if !isInside[index] && product.transposesLeft && unmergeRows(of: index, product) { return true }
    }
    return false
  }

  private func areMatrices(_ values: [Value]) -> Bool { values.allSatisfy { type(of: $0).shape.rank == 2 } }

  /// The parts of a value that is a concatenation along its last axis.
  private func columns(of value: Value) -> [Value]? {
    (node(value).operation as? Concatenate)?.axis == -1 ? node(value).operands : nil
  }

  /// The part of a weight that columns of the left operand, or of the result, are multiplied by.
  private mutating func part(of weight: Value, _ range: Range<Int>, along axis: Int) -> Value {
    append(Slice(axis: axis, start: range.lowerBound, step: 1, count: range.count), [weight], for: weight)
  }

  // MARK: - Operands

  /// An accumulation runs over the columns in order, so what comes first can be done before the loop.
  private mutating func unmergeOperand(of index: Int, _ product: MatrixProduct, _ levels: [Level]) -> Bool {
    let (left, weight) = (nodes[index].operands[0], nodes[index].operands[1])
    guard !product.transposesLeft, let parts = columns(of: left) else { return false }
    let first = Array(parts.prefix { levels[Int($0.node)] < .carried })
    let rest = Array(parts.dropFirst(first.count))
    guard !first.isEmpty, !rest.isEmpty else { return false }
    let count = first.reduce(0) { $0 + type(of: $1).shape.last }
    let axis = product.transposesRight ? -1 : -2
    let early = append(
      product, [joined(first), part(of: weight, 0..<count, along: axis)], for: left)
    let late = part(of: weight, count..<type(of: left).shape.last, along: axis)
    replacements[Value(index)] = append(
      AddedProduct(product: product, placement: .prologue), [joined(rest), late, early], for: Value(index))
    tidy()
    return true
  }

  private mutating func joined(_ parts: [Value]) -> Value {
    parts.count == 1 ? parts[0] : append(Concatenate(axis: -1), parts, for: parts[0])
  }

  /// The rows of the result are those of the columns of the left operand.
  private mutating func unmergeRows(of index: Int, _ product: MatrixProduct) -> Bool {
    guard let parts = columns(of: nodes[index].operands[0]) else { return false }
    let right = nodes[index].operands[1]
    let rows = parts.map { append(product, [$0, right], for: Value(index)) }
    replacements[Value(index)] = append(Concatenate(axis: -2), rows, for: Value(index))
    tidy()
    return true
  }

  // MARK: - Results

  private mutating func unmergeResult(of index: Int, _ product: MatrixProduct) -> Bool {
    let users = users()[index]
    let slices = users.compactMap { nodes[$0].operation as? Slice }
    guard !slices.isEmpty, slices.count == users.count, slices.allSatisfy({ $0.axis == -1 && $0.step == 1 }),
      !(roots + carries.map(\.leaving)).contains(Value(index))
    else { return false }
    let places = Set(places(of: users).values)
    let covered = slices.reduce(0) { $0 + $1.count }
    guard places.count > 1 || covered < nodes[index].results[0].shape.last else { return false }
    let (left, weight) = (nodes[index].operands[0], nodes[index].operands[1])
    for (user, slice) in zip(users, slices) {
      let columns = part(
        of: weight, slice.start..<slice.start + slice.count, along: product.transposesRight ? -2 : -1)
      replacements[Value(user)] = append(product, [left, columns], for: Value(user))
    }
    tidy()
    return true
  }
}
