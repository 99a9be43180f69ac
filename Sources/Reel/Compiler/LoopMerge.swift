extension OpenLoop {
  /// Where a product belongs: before the loop, after it, or inside with the carries that it waits for and that wait for
  /// it. Products of one class may become one; joined across classes, one of them would keep the others where it is.
  private struct ProductClass: Hashable {
    let level: Int
    let isInside: Bool
    let waitsFor, isAwaitedBy: Set<Int>
  }

  /// Joins products of one left operand with weights, `a·w₁, a·w₂ → split(a·[w₁ w₂])`, and in loops that a reverse sweep
  /// made sums of products with weights, `a₁·w₁ᵀ + a₂·w₂ᵀ → [a₁ a₂]·[w₁ w₂]ᵀ`.
  ///
  /// The first keeps all bits. The second adds up in another order.
  mutating func mergeProducts() {
    while mergeOneGroup() {}
    while isAdjoint && mergeOneSum() {}
  }

  // MARK: - One left operand

  private struct Group: Hashable {
    let left: Value
    let product: MatrixProduct
    let productClass: ProductClass
  }

  private mutating func mergeOneGroup() -> Bool {
    let classes = productClasses()
    var groups: [Group: [Int]] = [:]
    for (index, productClass) in classes.sorted(by: { $0.key < $1.key }) {
      let product = nodes[index].operation as! MatrixProduct
      groups[Group(left: nodes[index].operands[0], product: product, productClass: productClass), default: []]
        .append(index)
    }
    guard let (group, members) = groups.filter({ $0.value.count > 1 }).min(by: { $0.value[0] < $1.value[0] }) else {
      return false
    }
    let origin = Value(members[0])
    let weights = append(
      Concatenate(axis: group.product.transposesRight ? -2 : -1), members.map { nodes[$0].operands[1] }, for: origin)
    let joined = append(group.product, [group.left, weights], for: origin)
    var start = 0
    for member in members {
      let count = type(of: Value(member)).shape.last
      replacements[Value(member)] = append(
        Slice(axis: -1, start: start, step: 1, count: count), [joined], for: Value(member))
      start += count
    }
    tidy()
    return true
  }

  // MARK: - Sums

  private mutating func mergeOneSum() -> Bool {
    let classes = productClasses()
    let counts = useCounts()
    for index in nodes.indices.reversed() where isSum(Value(index)) {
      // Only the last sum of a chain, which is no term of another.
      if counts[Value(index)] == 1, users()[index].contains(where: { isSum(Value($0)) }) { continue }
      let terms = self.terms(of: Value(index), counts)
      var groups: [ProductClass: [Value]] = [:]
      for term in terms where counts[term] == 1 {
        guard let productClass = classes[Int(term.node)], let product = node(term).operation as? MatrixProduct,
          !product.transposesLeft
        else { continue }
        groups[productClass, default: []].append(term)
      }
      guard let members = groups.values.filter({ $0.count > 1 }).min(by: { $0[0].node < $1[0].node }) else { continue }
      let transposesRight = (node(members[0]).operation as! MatrixProduct).transposesRight
      let alike = members.filter { (node($0).operation as! MatrixProduct).transposesRight == transposesRight }
      guard alike.count > 1 else { continue }
      merge(alike, of: terms, into: Value(index), transposesRight: transposesRight)
      return true
    }
    return false
  }

  private mutating func merge(_ members: [Value], of terms: [Value], into sum: Value, transposesRight: Bool) {
    let left = append(Concatenate(axis: -1), members.map { node($0).operands[0] }, for: sum)
    let right = append(
      Concatenate(axis: transposesRight ? -1 : -2), members.map { node($0).operands[1] }, for: sum)
    let joined = append(
      MatrixProduct(transposesLeft: false, transposesRight: transposesRight), [left, right], for: sum)
    let rest = terms.filter { !members.contains($0) }
    replacements[sum] = rest.reduce(joined) { append(Elementwise.accumulate, [$0, $1], for: sum) }
    tidy()
  }

  /// Whether a value is a sum of two values of its own type that the reverse sweep made.
  private func isSum(_ value: Value) -> Bool {
    let node = node(value)
    return (node.operation as? Elementwise) == .accumulate
      && node.operands.allSatisfy { type(of: $0) == node.results[0] }
  }

  private func terms(of sum: Value, _ counts: [Value: Int]) -> [Value] {
    var terms: [Value] = []
    var queue = [sum]
    while let value = queue.popLast() {
      if value == sum || isSum(value) && counts[value] == 1 {
        queue += node(value).operands.reversed()
      } else {
        terms.append(value)
      }
    }
    return terms
  }

  // MARK: - Classes

  /// The class of each product of matrices whose right operand is the same at every step.
  private func productClasses() -> [Int: ProductClass] {
    let products = nodes.indices.filter { index in
      nodes[index].operation is MatrixProduct && nodes[index].operands.allSatisfy { type(of: $0).shape.rank == 2 }
    }
    if products.count < 2 { return [:] }
    let levels = levels()
    let isInside = ancestors(of: carries.map(\.leaving))
    let reach = carries.map { ancestors(of: [$0.leaving]) }
    let waits = closure(reach)
    var classes: [Int: ProductClass] = [:]
    for index in products where levels[Int(nodes[index].operands[1].node)] == .invariant {
      let read = ancestors(of: [Value(index)])
      let direct = carries.indices.filter { read[Int(carries[$0].inner.node)] }
      let awaited = carries.indices.filter { reach[$0][index] }
      classes[index] = ProductClass(
        level: levels[index].rawValue, isInside: isInside[index],
        waitsFor: Set(direct).union(direct.flatMap { waits[$0] }),
        isAwaitedBy: Set(
          carries.indices.filter { carry in awaited.contains { $0 == carry || waits[carry].contains($0) } }))
    }
    return classes
  }

  /// For each carry the carries that it waits for, at whatever step.
  private func closure(_ reach: [[Bool]]) -> [Set<Int>] {
    var waits = carries.indices.map { carry in
      Set(carries.indices.filter { reach[carry][Int(carries[$0].inner.node)] })
    }
    while true {
      let next = waits.map { $0.union($0.flatMap { waits[$0] }) }
      if next == waits { return waits }
      waits = next
    }
  }
}
