// Sums that only a reverse sweep makes. They may be reassociated, so that the cotangent of what was taken apart is put
// together again instead of added up in pieces padded with zeros.

extension Pass {
  static let reverseSumRules: [RewriteRule] = [
    RewriteRule(.accumulate) { site in
      // Only the whole of a sum is looked at, so that every term is looked at once.
      site.rewriter.replaysInnerSum ? nil : site.withJoinedParts()
    }
  ]
}

extension RewriteSite {
  /// unslice a + unslice b + … → concatenate a, b, …, for parts of one axis that do not overlap, with zeros in the gaps;
  /// terms at the same place are added first.
  fileprivate func withJoinedParts() -> Value? {
    var terms = terms()
    var places: [Unslice: [Int]] = [:]
    for (index, term) in terms.enumerated() {
      // A term without the batch axis that others have is broadcast.
      guard type(of: term) == result, let (unslice, _) = producer(of: term, Unslice.self), unslice.step == 1 else {
        continue
      }
      let axis = Unslice(axis: unslice.axis, start: 0, step: 1, extent: unslice.extent)
      places[axis, default: []].append(index)
    }
    var dropped = Set<Int>()
    for (whole, indices) in places where indices.count > 1 {
      let pieces = pieces(of: indices.map { terms[$0] }, along: whole)
      guard pieces.used.count > 1 else { continue }
      terms[indices[pieces.used[0]]] = assembled(pieces.parts, whole)
      dropped.formUnion(pieces.used.dropFirst().map { indices[$0] })
    }
    if dropped.isEmpty { return nil }
    let rest = terms.indices.filter { !dropped.contains($0) }.map { terms[$0] }
    return rest.dropFirst().reduce(rest[0]) { emit(Elementwise.accumulate, $0, $1) }
  }

  /// What is added up, from left to right, through sums that are used nowhere else.
  private func terms() -> [Value] {
    var terms: [Value] = []
    var pending = Array(operands.reversed())
    while let value = pending.popLast() {
      if rewriter.isPartOfSum(value), type(of: value) == result, let parts = self.operands(of: value, .accumulate) {
        pending.append(contentsOf: parts.reversed())
      } else {
        terms.append(value)
      }
    }
    return terms
  }

  private struct Piece {
    let start: Int
    let value: Value
    let end: Int
  }

  /// The pieces that go into one concatenation, in order, and which of the terms they are made of.
  private func pieces(of terms: [Value], along whole: Unslice) -> (parts: [Piece], used: [Int]) {
    let placed = terms.enumerated().map { index, term in
      let (unslice, operands) = producer(of: term, Unslice.self)!
      let count = shape(of: operands[0])[whole.axis]
      return (index: index, piece: Piece(start: unslice.start, value: operands[0], end: unslice.start + count))
    }.sorted { ($0.piece.start, $0.index) < ($1.piece.start, $1.index) }
    var parts: [Piece] = []
    var used: [Int] = []
    for (index, piece) in placed {
      if let last = parts.last, last.start == piece.start, last.end == piece.end {
        let sum = emit(Elementwise.accumulate, last.value, piece.value)
        parts[parts.count - 1] = Piece(start: last.start, value: sum, end: last.end)
      } else if piece.start >= parts.last?.end ?? 0 {
        parts.append(piece)
      } else {
        continue
      }
      used.append(index)
    }
    return (parts, used.sorted())
  }

  /// Pieces side by side, padded to the whole axis.
  private func assembled(_ pieces: [Piece], _ whole: Unslice) -> Value {
    var parts: [Value] = []
    var end = pieces[0].start
    for piece in pieces {
      if piece.start > end {
        let type = type(of: piece.value)
        let gap = type.shape.replacing(whole.axis + type.shape.rank, with: piece.start - end)
        parts.append(filled(0, TensorType(gap, type.elementType)))
      }
      parts.append(piece.value)
      end = piece.end
    }
    let joined = parts.count == 1 ? parts[0] : emit(Concatenate(axis: whole.axis), parts)
    return emit(Unslice(axis: whole.axis, start: pieces[0].start, step: 1, extent: whole.extent), joined)
  }
}
