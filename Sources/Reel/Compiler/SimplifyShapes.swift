// Views and permutations: reshape, transpose, and what copies nothing.

extension Pass {
  static let shapeRules: [RewriteRule] = [
    // identity x → x
    RewriteRule(Identity.self) { $1.x },
    // stopGradient x → x: nobody differentiates a compiled graph again
    RewriteRule(StopGradient.self) { $1.x },
    RewriteRule(Reshape.self) { reshape, site in
      // x reshaped to its own shape → x
      if site.shape(of: site.x) == reshape.shape { return site.x }
      // reshape (reshape x) → reshape x: squeezed and expanded again is a case
      if let (_, operands) = site.producer(of: site.x, Reshape.self) { return site.emit(reshape, operands) }
      // reshape (broadcast x), x of one element → broadcast x
      if let (_, operands) = site.producer(of: site.x, Broadcast.self), site.shape(of: operands[0]).count == 1 {
        return site.broadcast(site.reshape(operands[0], to: .scalar), to: reshape.shape)
      }
      return nil
    },
    RewriteRule(Transpose.self) { transpose, site in
      let shape = site.shape(of: site.x)
      let order = transpose.order(of: shape.rank)
      // transpose that moves only axes of extent 1 → reshape
      let moved = order.filter { shape[$0] != 1 }
      if zip(moved, moved.dropFirst()).allSatisfy({ $0 < $1 }) || shape.count == 0 {
        return site.reshape(site.x, to: site.result.shape)
      }
      // transpose (transpose x) → transpose x, or x
      if let (inner, operands) = site.producer(of: site.x, Transpose.self) {
        let first = inner.order(of: shape.rank)
        return site.emit(Transpose(order: order.map { first[$0] }), operands)
      }
      // transpose (broadcast x), x of one element → broadcast x
      if let (_, operands) = site.producer(of: site.x, Broadcast.self), site.shape(of: operands[0]).count == 1 {
        return site.broadcast(site.reshape(operands[0], to: .scalar), to: site.result.shape)
      }
      // (a · b)ᵀ → bᵀ · aᵀ
      if transpose.swapsMatrices(of: shape.rank), site.rewriter.isUsedOnce(site.x),
        let (product, operands) = site.producer(of: site.x, MatrixProduct.self)
      {
        let swapped = MatrixProduct(
          transposesLeft: !product.transposesRight, transposesRight: !product.transposesLeft, descends: product.descends
        )
        return site.emit(swapped, operands[1], operands[0])
      }
      return nil
    },
    RewriteRule(MatrixProduct.self) { product, site in
      site.withoutTransposes(product).map { site.emit($0, $1) }
    },
    RewriteRule(AddedProduct.self) { added, site in
      // a product that starts from 0 → the product
      if added.placement == .prologue, let start = site.number(site.operands[2]), start == 0, start.sign == .plus {
        return site.emit(added.product, site.x, site.y)
      }
      return site.withoutTransposes(added.product).map {
        site.emit(AddedProduct(product: $0, placement: added.placement), $1)
      }
    },
  ]
}

extension Transpose {
  /// The axis of the operand for each axis of the result, from the front; leading axes beyond the permutation stay.
  func order(of rank: Int) -> [Int] {
    Array(0..<rank - permutation.count) + permutation.reversed().map { $0 + rank }
  }

  /// Whether it exchanges the last two axes and moves no other.
  fileprivate func swapsMatrices(of rank: Int) -> Bool {
    rank >= 2 && order(of: rank) == Array(0..<rank - 2) + [rank - 1, rank - 2]
  }
}

extension RewriteSite {
  /// aᵀ · b → a · b with a given transposed, and the same on the right: the product, and its operands.
  fileprivate func withoutTransposes(_ product: MatrixProduct) -> (product: MatrixProduct, operands: [Value])? {
    var flags = [product.transposesLeft, product.transposesRight]
    var operands = operands
    for index in flags.indices {
      guard let (transpose, sources) = producer(of: operands[index], Transpose.self),
        transpose.swapsMatrices(of: shape(of: operands[index]).rank)
      else { continue }
      flags[index].toggle()
      operands[index] = sources[0]
    }
    if operands == self.operands { return nil }
    return (
      MatrixProduct(transposesLeft: flags[0], transposesRight: flags[1], descends: product.descends), operands
    )
  }
}
