// Folds over axes.

extension Pass {
  static let reductionRules: [RewriteRule] = [
    RewriteRule(Reduction.self) { reduction, site in
      let shape = site.shape(of: site.x)
      // a fold over no axes → x
      if reduction.axes.isEmpty { return site.x }
      guard reduction.axes.allSatisfy({ shape[$0] == 1 }) else { return site.ofReshape(reduction) }
      switch reduction.kind {
      // the index of the only element → 0
      case .argMax, .argMin: return site.filled(0)
      // the sum of one element → x + 0 reshaped: a sum starts at 0, which makes 0 of -0
      case .sum where site.result.elementType.isFloatingPoint:
        return site.reshape(site.emit(Elementwise.add, site.x, site.filled(0, scalar(of: site))), to: site.result.shape)
      // any other fold of one element → reshape
      default: return site.reshape(site.x, to: site.result.shape)
      }
    },
    RewriteRule(Reshape.self) { reshape, site in
      guard site.rewriter.isUsedOnce(site.x), let (reduction, operands) = site.producer(of: site.x, Reduction.self)
      else { return nil }
      // reshape (fold x), which drops or adds the folded axes → fold x, with or without keepDims
      let other = Reduction(kind: reduction.kind, axes: reduction.axes, keepsDims: !reduction.keepsDims)
      let types = try? other.resultTypes(of: [site.type(of: operands[0])])
      return types == site.types ? site.emit(other, operands) : nil
    },
  ]

  private static func scalar(of site: RewriteSite) -> TensorType { TensorType(.scalar, site.result.elementType) }
}

extension RewriteSite {
  /// fold (reshape x) → fold x, where the axes folded are whole axes of x and the others stay: the same elements are
  /// folded in the same order.
  fileprivate func ofReshape(_ reduction: Reduction) -> Value? {
    guard !reduction.kind.givesIndex, let (reshape, operands) = producer(of: x, Reshape.self) else { return nil }
    let (to, from) = (reshape.shape.extents, shape(of: operands[0]).extents)
    guard let groups = Self.groups(from, to), to.count != from.count else { return nil }
    var axes: [Int] = []
    for group in groups {
      let folded = group.to.filter { reduction.axes.contains($0 - to.count) }
      if folded.isEmpty { continue }
      guard folded.count == group.to.count else { return nil }
      axes += group.from.map { $0 - from.count }
    }
    guard let first = axes.first, let last = axes.last, last - first == axes.count - 1 else { return nil }
    return self.reshape(
      emit(Reduction(kind: reduction.kind, axes: axes, keepsDims: false), operands[0]), to: result.shape)
  }

  /// The finest division of two shapes of the same elements into ranges of axes that hold the same number of elements.
  private static func groups(_ from: [Int], _ to: [Int]) -> [(from: Range<Int>, to: Range<Int>)]? {
    if from.contains(0) { return nil }
    var groups: [(from: Range<Int>, to: Range<Int>)] = []
    var (i, j) = (0, 0)
    while i < from.count || j < to.count {
      let (startFrom, startTo) = (i, j)
      var (left, right) = (1, 1)
      repeat {
        if left <= right && i < from.count {
          left *= from[i]
          i += 1
        } else if j < to.count {
          right *= to[j]
          j += 1
        } else {
          left *= from[i]
          i += 1
        }
      } while left != right
      groups.append((startFrom..<i, startTo..<j))
    }
    return groups
  }
}
