// What repeats elements. Elementwise operations, and products along their leading axes, broadcast by themselves.

extension Pass {
  static let broadcastRules: [RewriteRule] = [
    RewriteRule(Broadcast.self) { broadcast, site in
      // x broadcast to its own shape → x
      if site.shape(of: site.x) == broadcast.shape { return site.x }
      // broadcast (broadcast x) → broadcast x
      if let (_, operands) = site.producer(of: site.x, Broadcast.self) { return site.emit(broadcast, operands) }
      // broadcast that only adds axes of extent 1 → reshape
      if site.shape(of: site.x).count == broadcast.shape.count { return site.reshape(site.x, to: broadcast.shape) }
      // broadcast (reshape x), which adds leading axes of extent 1 → broadcast x
      if let x = site.withoutLeadingOnes(site.x) { return site.emit(broadcast, x) }
      return nil
    },
    RewriteRule(Elementwise.self) { $1.withoutBroadcasts($0) },
    RewriteRule(Convert.self) { $1.withoutBroadcasts($0) },
    RewriteRule(MatrixProduct.self) { product, site in
      // broadcast x · y → x · y, where only leading axes are repeated and the result keeps its type
      for index in site.operands.indices {
        guard let (_, sources) = site.producer(of: site.operands[index], Broadcast.self) else { continue }
        var operands = site.operands
        operands[index] = sources[0]
        let shape = site.shape(of: sources[0])
        guard shape.rank >= 2, shape.extents.suffix(2) == site.shape(of: site.operands[index]).extents.suffix(2),
          (try? product.resultTypes(of: operands.map(site.type(of:)))) == site.types
        else { continue }
        return site.emit(product, operands)
      }
      return nil
    },
  ]
}

extension RewriteSite {
  /// f(broadcast x, y) → f(x, y), where the result keeps its type;
  /// f(broadcast x, broadcast y) → broadcast f(x, y), where that is smaller.
  /// A constant that repeats one element is a scalar that is broadcast.
  fileprivate func withoutBroadcasts(_ operation: some Operation) -> Value? {
    var sources = operands
    for (index, operand) in operands.enumerated() {
      if let source = broadcastSource(of: operand) { sources[index] = source }
    }
    guard sources != operands, let joint = jointShape(sources) else { return nil }
    if joint == result.shape { return emit(operation, sources) }
    if joint.count < result.shape.count { return broadcast(emit(operation, sources), to: result.shape) }
    var reduced = operands
    for index in operands.indices where sources[index] != operands[index] {
      var candidate = reduced
      candidate[index] = sources[index]
      if jointShape(candidate) == result.shape { reduced = candidate }
    }
    return reduced == operands ? nil : emit(operation, reduced)
  }

  /// What an operand repeats.
  private func broadcastSource(of operand: Value) -> Value? {
    if let (_, operands) = producer(of: operand, Broadcast.self) { return operands[0] }
    if let scalar = rewriter.scalar(repeatedBy: operand) { return scalar == operand ? nil : scalar }
    return withoutLeadingOnes(operand)
  }

  /// The operand of a reshape that adds leading axes of extent 1.
  fileprivate func withoutLeadingOnes(_ value: Value) -> Value? {
    guard let (reshape, operands) = producer(of: value, Reshape.self) else { return nil }
    let (to, from) = (reshape.shape.extents, shape(of: operands[0]).extents)
    guard to.count > from.count, Array(to.suffix(from.count)) == from else { return nil }
    return operands[0]
  }

  private func jointShape(_ values: [Value]) -> Shape? {
    values.dropFirst().reduce(shape(of: values[0])) { (joint: Shape?, value) in
      joint?.broadcast(with: shape(of: value))
    }
  }
}
