import Reel

// Derivatives of a row in the other ways: forward, forward and reverse together, of third order, in batches of batches.
extension OperationRow {
  /// Forward mode: its Jacobian, computed column by column in one batch, is that of reverse mode, computed row by row;
  /// compiled it is the same, and operands without a derivative give none.
  package func forwardFailure() throws -> String? {
    let x = samples(.float64)
    let floating = operands.indices.filter { x[$0].elementType.isFloatingPoint }
    guard apply(x).elementType.isFloatingPoint, !floating.isEmpty else { return nil }
    let all = floating.map { x[$0] }
    for operand in floating where !operands[operand].isDifferentiable {
      let directions = floating.map { $0 == operand ? Tensor.ones(like: x[$0]) : .zeros(like: x[$0]) }
      let moved = jvp(at: all, along: directions) { result($0, at: floating, x) }
      if let element = moved.numbers.first(where: { $0 != 0 }) { return "operand \(operand) moves it by \(element)" }
    }
    guard !active.isEmpty else { return nil }
    let at = active.map { x[$0] }
    let (y, columns) = valueWithJacobian(at: at, mode: .forward) { result($0, at: active, x) }
    if let failure = bitDifference(y, apply(x), "the value beside the Jacobian") { return failure }
    let rows = jacobian(at: at, mode: .reverse) { result($0, at: active, x) }
    for (index, (columns, rows)) in zip(columns, rows).enumerated() {
      let failure = difference(columns, rows, relative: 1e-12, absolute: 1e-12, "Jacobian by operand \(index)")
      if let failure { return failure }
    }
    let directions = directions(at)
    let (value, moved) = valueWithDerivative(at: at, along: directions) { result($0, at: active, x) }
    if let failure = bitDifference(value, apply(x), "the value beside the derivative") { return failure }
    let staged = try compiled { (at: [Tensor], v: [Tensor]) in
      jvp(at: at, along: v) { result($0, at: active, x) }
    }(at, directions)
    return difference(staged, moved, relative: 1e-12, absolute: 1e-12, "compiled derivative")
  }

  /// Both modes together: the derivative of the gradient along a direction is the gradient of the derivative along it, and
  /// that of the gradient's projection on it.
  package func mixedFailure() throws -> String? {
    guard !active.isEmpty, apply(samples(.float64)).elementType.isFloatingPoint else { return nil }
    let x = samples(.float64)
    let at = active.map { x[$0] }
    let v = directions(at)
    let twice = gradient(at: at) { at in
      zip(gradient(at: at) { loss($0, at: active, x) }, v).reduce(Tensor(0.0)) { $0 + ($1.0 * $1.1).sum() }
    }
    let over = gradient(at: at) { at in jvp(at: at, along: v) { loss($0, at: active, x) } }
    let under = { (at: [Tensor]) in jvp(at: at, along: v) { at in gradient(at: at) { loss($0, at: active, x) } } }
    let ways = [
      ("reverse over forward", over), ("forward over reverse", under(at)),
      ("forward over reverse, compiled,", try compiled(under)(at)),
    ]
    for (name, found) in ways {
      for (index, (found, expected)) in zip(found, twice).enumerated() {
        let failure = difference(found, expected, relative: 1e-10, absolute: 1e-10, "\(name) by operand \(index)")
        if let failure { return failure }
      }
    }
    // Forward over forward along one line is the second derivative on it.
    let line = jvp(at: at, along: v) { at in jvp(at: at, along: v) { loss($0, at: active, x) } }
    let product = zip(twice, v).reduce(Tensor(0.0)) { $0 + ($1.0 * $1.1).sum() }
    return difference(line, product, relative: 1e-10, absolute: 1e-10, "forward over forward")
  }

  /// Third derivatives: the gradient of a projection of the gradient of a projection of the gradient is that of central
  /// differences.
  package func thirdOrderFailure() -> String? {
    guard !active.isEmpty else { return nil }
    let x = samples(.float64)
    let at = active.map { x[$0] }
    let projection = { (parts: [Tensor]) in
      zip(gradient(at: parts) { gradientProjection($0, x) }, directions(parts))
        .reduce(Tensor(0.0)) { $0 + ($1.0 * $1.1).sum() }
    }
    let found = gradient(at: at) { projection($0) }
    return NumericDerivative(step: step, of: projection)
      .difference(found, at: at, relative: 1e-6, absolute: 1e-6, "third derivative")
  }

  /// Batching rules of what batching rules made: a batch of batches gives what two loops give.
  package func nestedBatchingFailure() throws -> String? {
    let (inner, outer) = (7, 5)
    let everything = (1 << operands.count) - 1
    for choice in 1..<(1 << operands.count) where !operands.isEmpty {
      for other in Set([choice, everything, everything & ~choice]).subtracting([0]) {
        let isInner = operands.indices.map { choice >> $0 & 1 == 1 }
        let isOuter = operands.indices.map { other >> $0 & 1 == 1 }
        let failure = try nestedBatchingFailure(isInner, inner, isOuter, outer)
        if let failure { return "\(isInner) in \(isOuter): \(failure)" }
      }
    }
    return nil
  }

  private func nestedBatchingFailure(
    _ isInner: [Bool], _ inner: Int, _ isOuter: [Bool], _ outer: Int
  ) throws -> String? {
    var generator = SplitMix(seed: 9)
    // For each operand a grid of samples, of which shared indices are the same.
    let grid = operands.indices.map { operand in
      let samples = (0..<inner * outer).map { _ in operands[operand].sample(.float64, &generator) }
      return { (i: Int, o: Int) in samples[(isOuter[operand] ? o : 0) * inner + (isInner[operand] ? i : 0)] }
    }
    let arguments = operands.indices.map { operand in
      let batches = (0..<outer).map { o in
        isInner[operand] ? stacked((0..<inner).map { grid[operand]($0, o) }) : grid[operand](0, o)
      }
      return isOuter[operand] ? stacked(batches) : batches[0]
    }
    let types = zip(types(.float64), isInner).map { type, isInner in
      isInner ? TensorType(Shape([inner] + type.shape.extents), type.elementType) : type
    }
    let graph = try graph(.float64)
    let batched = try Graph(tracing: types) { x in
      let (results, areBatched) = graph.vectorized(x, isBatched: isInner, count: inner)
      return areBatched[0] ? results : results.map { $0.broadcasted(to: Shape([inner] + $0.shape.extents)) }
    }
    let (results, areBatched) = batched.vectorized(arguments, isBatched: isOuter, count: outer)
    let found = areBatched[0] ? results[0] : results[0].broadcasted(to: Shape([outer] + results[0].shape.extents))
    let expected = stacked(
      (0..<outer).map { o in stacked((0..<inner).map { i in apply(grid.map { $0(i, o) }) }) })
    return difference(
      found.converted(to: .float64), expected.converted(to: .float64), relative: 1e-13, absolute: 1e-13, "batches")
  }

  private func result(_ parts: [Tensor], at positions: [Int], _ x: [Tensor]) -> Tensor {
    var operands = x
    for (position, part) in zip(positions, parts) { operands[position] = part }
    return apply(operands)
  }

  private func directions(_ x: [Tensor]) -> [Tensor] {
    x.enumerated().map { index, x in
      Tensor(NumericDerivative.weights(x.count, seed: UInt64(index) + 41), shape: x.shape).converted(to: x.elementType)
    }
  }
}
