extension OpenLoop {
  /// Joins products of one left operand, `a·w₁, a·w₂ → split(a·[w₁ w₂])`, and in loops that a reverse sweep made sums of
  /// products with weights, `a₁·w₁ᵀ + a₂·w₂ᵀ → [a₁ a₂]·[w₁ w₂]ᵀ`.
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
    let place: PlaceInLoop
  }

  private mutating func mergeOneGroup() -> Bool {
    var groups: [Group: [Int]] = [:]
    for (index, place) in mergeableProducts().sorted(by: { $0.key < $1.key }) {
      let product = nodes[index].operation as! MatrixProduct
      groups[Group(left: nodes[index].operands[0], product: product, place: place), default: []].append(index)
    }
    let mergeable = groups.filter { $1.count > 1 && !feedEachOther($1) }
    guard let (group, indices) = mergeable.min(by: { $0.value[0] < $1.value[0] }) else { return false }
    let order = inOrderOfStack(indices.map { nodes[$0].operands[1] })
    let members = indices.sorted {
      order.firstIndex(of: nodes[$0].operands[1])! < order.firstIndex(of: nodes[$1].operands[1])!
    }
    let origin = Value(members[0])
    let right = append(
      Concatenate(axis: group.product.transposesRight ? -2 : -1), members.map { nodes[$0].operands[1] }, for: origin)
    let joined = append(group.product, [group.left, right], for: origin)
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

  private func feedEachOther(_ products: [Int]) -> Bool {
    let read = ancestors(of: products.flatMap { nodes[$0].operands })
    return products.contains { read[$0] }
  }

  // MARK: - Sums

  private mutating func mergeOneSum() -> Bool {
    let places = mergeableProducts()
    let levels = levels()
    let counts = useCounts()
    for index in nodes.indices.reversed() where isSum(Value(index)) {
      // Only the last sum of a chain, which is no term of another.
      if counts[Value(index)] == 1, users()[index].contains(where: { isSum(Value($0)) }) { continue }
      let terms = self.terms(of: Value(index), counts)
      var groups: [PlaceInLoop: [Value]] = [:]
      for term in terms where counts[term] == 1 {
        guard let place = places[Int(term.node)], let product = node(term).operation as? MatrixProduct,
          !product.transposesLeft, levels[Int(node(term).operands[1].node)] == .invariant
        else { continue }
        groups[place, default: []].append(term)
      }
      guard let members = groups.values.filter({ $0.count > 1 }).min(by: { $0[0].node < $1[0].node }) else { continue }
      let product = node(members[0]).operation as! MatrixProduct
      let alike = members.filter { node($0).operation as? MatrixProduct == product }
      guard alike.count > 1 else { continue }
      merge(alike, of: terms, into: Value(index), product)
      return true
    }
    return false
  }

  private mutating func merge(_ members: [Value], of terms: [Value], into sum: Value, _ product: MatrixProduct) {
    let order = inOrderOfStack(members.map { node($0).operands[0] })
    let members = members.sorted {
      order.firstIndex(of: node($0).operands[0])! < order.firstIndex(of: node($1).operands[0])!
    }
    let left = append(Concatenate(axis: -1), members.map { node($0).operands[0] }, for: sum)
    let right = append(
      Concatenate(axis: product.transposesRight ? -1 : -2), members.map { node($0).operands[1] }, for: sum)
    let joined = append(product, [left, right], for: sum)
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

  // MARK: - What can be joined

  /// The places of the products of matrices that may be joined: with an operand that is the same at every step, or that
  /// the loop writes for a product after it, where the joined operands are one stack.
  private func mergeableProducts() -> [Int: PlaceInLoop] {
    let products = nodes.indices.filter { index in
      nodes[index].operation is MatrixProduct && nodes[index].operands.allSatisfy { type(of: $0).shape.rank == 2 }
    }
    if products.count < 2 { return [:] }
    let levels = levels()
    return places(of: products).filter { index, place in
      let right = nodes[index].operands[1]
      let level = levels[Int(right.node)]
      return level == .invariant || place.isAfter && level == .carried && !isInput(right)
    }
  }

  /// Values in the order in which a concatenation has them already, or in that of the body. The stacks of values that are
  /// joined twice in one order are parts of one stack.
  private func inOrderOfStack(_ values: [Value]) -> [Value] {
    for node in nodes where node.operation is Concatenate && Set(node.operands).isSuperset(of: values) {
      return values.sorted { node.operands.firstIndex(of: $0)! < node.operands.firstIndex(of: $1)! }
    }
    return values.sorted { ($0.node, $0.result) < ($1.node, $1.result) }
  }
}
