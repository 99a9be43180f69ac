import Reel

// What can be wrong with a row of the operation table. Every check answers with a description of the failure, nil if
// there is none, so that a test can also hold the checks themselves to finding what is wrong.
extension OperationRow {
  /// Types of results: those of the type rule, eager and staged, are those of the plain code.
  package func typeFailure() throws -> String? {
    let withOperation = try programWithOperation()
    if program != .none, !withOperation.nodes.contains(where: { $0.operation.name == name }) {
      return "the row records no operation '\(name)':\n\(withOperation)"
    }
    for floating in [ElementType.float32, .float64] {
      let graph = try graph(floating)
      let x = samples(floating)
      let expected = TensorType(Shape(reference(x.map(Numbers.init)).shape), resultType ?? floating)
      let y = apply(x)
      let found = [("eager", TensorType(y.shape, y.elementType)), ("staged", graph.outputTypes[0])]
      for (mode, type) in found where type != expected { return "\(mode) result of type \(type), not \(expected)" }
      if y.numbers.count != expected.shape.count { return "\(y.numbers.count) elements of type \(expected)" }
    }
    return nil
  }

  /// Values: those of the plain code.
  package func valueFailure() -> String? {
    for (floating, tolerance) in [(ElementType.float64, 2e-14), (.float32, 4e-6)] {
      let x = samples(floating)
      let expected = reference(x.map(Numbers.init))
      let failure = difference(
        apply(x).converted(to: .float64), Tensor(expected.elements, shape: Shape(expected.shape)), relative: tolerance,
        absolute: tolerance, "\(floating) value")
      if let failure { return failure }
    }
    return nil
  }

  /// Gradients: those of central differences, and zero exactly where the operation has no derivative.
  package func gradientFailure() -> String? {
    let x = samples(.float64)
    let floating = operands.indices.filter { x[$0].elementType.isFloatingPoint }
    let all = gradient(at: floating.map { x[$0] }) { loss($0, at: floating, x) }
    for (operand, gradient) in zip(floating, all) where !operands[operand].isDifferentiable {
      if let element = gradient.numbers.first(where: { $0 != 0 }) {
        return "operand \(operand) has a derivative \(element)"
      }
    }
    guard !active.isEmpty else { return nil }
    let at = active.map { x[$0] }
    let found = gradient(at: at) { loss($0, at: active, x) }
    if found.contains(where: { $0.count > 0 }), apply(x).count > 0,
      found.allSatisfy({ $0.numbers.allSatisfy { abs($0) < 1e-6 } })
    {
      return "the gradient is zero"
    }
    return NumericDerivative(step: step) { loss($0, at: active, x) }.difference(found, at: at)
  }

  /// Second derivatives: the gradient of a projection of the gradient is that of central differences.
  package func secondOrderFailure() -> String? {
    guard !active.isEmpty else { return nil }
    let x = samples(.float64)
    let at = active.map { x[$0] }
    let projection = { (parts: [Tensor]) in gradientProjection(parts, x) }
    let found = gradient(at: at) { projection($0) }
    return NumericDerivative(step: step, of: projection)
      .difference(found, at: at, relative: 1e-6, absolute: 1e-7, "second derivative")
  }

  /// Batching rules: every choice of batched operands gives what a loop over the batch gives, for the operation and for
  /// its pullback.
  package func batchingFailure() throws -> String? {
    let count = 7
    let x = samples(.float64)
    if operands.contains(where: { $0.shape.extents.contains(count) }) {
      return "an operand has the extent of the batch"
    }
    var graphs = [("value", try graph(.float64))]
    if !active.isEmpty {
      let gradients = try Graph(tracing: types(.float64)) { x in
        gradient(at: active.map { x[$0] }) { loss($0, at: active, x) }
      }
      graphs.append(("gradient", gradients))
    }
    for (what, graph) in graphs {
      for choice in 1..<(1 << x.count) where !x.isEmpty {
        let isBatched = x.indices.map { choice >> $0 & 1 == 1 }
        if let failure = batchingFailure(of: graph, isBatched, count) { return "\(what), \(isBatched): \(failure)" }
      }
    }
    return nil
  }

  private func batchingFailure(of graph: Graph, _ isBatched: [Bool], _ count: Int) -> String? {
    var generator = SplitMix(seed: 5)
    let slices = (0..<count).map { _ in operands.map { $0.sample(.float64, &generator) } }
    let arguments = isBatched.indices.map { index in
      isBatched[index] ? stacked(slices.map { $0[index] }) : slices[0][index]
    }
    let (found, areBatched) = graph.vectorized(arguments, isBatched: isBatched, count: count)
    let expected = slices.map { slice in
      graph(isBatched.indices.map { isBatched[$0] ? slice[$0] : slices[0][$0] })
    }
    for index in found.indices {
      let loop = areBatched[index] ? stacked(expected.map { $0[index] }) : expected[0][index]
      if found[index].elementType != loop.elementType { return "element type \(found[index].elementType)" }
      let failure = difference(found[index], loop, relative: 1e-13, absolute: 1e-13, "batch of output \(index)")
      if let failure { return failure }
    }
    return nil
  }

  /// Compiled code: the bits of eager code, also where operands lie in memory in another order or with gaps, and its
  /// gradients.
  package func compiledFailure() throws -> String? {
    let layouts: [(String, hide: (Tensor) -> Tensor, show: (Tensor) -> Tensor)] = [
      ("compiled", { $0 }, { $0 }),
      ("compiled on transposed operands", { $0.transposed() }, { $0.transposed() }),
      (
        "compiled on operands with gaps", { $0.rank == 0 ? $0 : $0.padded(before: 2, after: 1, along: -1) },
        { $0.rank == 0 ? $0 : $0.sliced(2..<$0.shape.last - 1, along: -1) }
      ),
    ]
    for floating in [ElementType.float32, .float64] {
      let x = samples(floating)
      let eager = apply(x)
      for (what, hide, show) in layouts {
        let staged = try compiled { (x: [Tensor]) in apply(x.map(show)) }(x.map(hide))
        if let failure = bitDifference(staged, eager, "\(what), \(floating),") { return failure }
      }
    }
    guard !active.isEmpty else { return nil }
    let x = samples(.float64)
    let gradients = { (x: [Tensor]) in gradient(at: active.map { x[$0] }) { loss($0, at: active, x) } }
    for (index, (staged, eager)) in try zip(compiled(gradients)(x), gradients(x)).enumerated() {
      let failure = difference(staged, eager, relative: 1e-13, absolute: 1e-13, "compiled gradient \(index)")
      if let failure { return failure }
    }
    return nil
  }

  /// `float32`: near `float64` for the same numbers, values and gradients.
  package func precisionFailure() -> String? {
    let (single, double) = (samples(.float32), samples(.float64))
    let failure = difference(
      apply(single).converted(to: .float64), apply(double).converted(to: .float64), relative: 4e-6, absolute: 4e-6,
      "float32 value")
    if failure != nil || active.isEmpty { return failure }
    let found = gradient(at: active.map { single[$0] }) { loss($0, at: active, single) }
    let expected = gradient(at: active.map { double[$0] }) { loss($0, at: active, double) }
    for (index, (found, expected)) in zip(found, expected).enumerated() {
      let failure = difference(
        found.converted(to: .float64), expected, relative: 2e-5, absolute: 2e-5, "float32 gradient \(index)")
      if let failure { return failure }
    }
    return nil
  }

  /// A weighted sum of the result, with some operands exchanged.
  func loss(_ parts: [Tensor], at positions: [Int], _ x: [Tensor]) -> Tensor {
    var operands = x
    for (position, part) in zip(positions, parts) { operands[position] = part }
    let y = apply(operands)
    let floating = resultType?.isFloatingPoint == false ? y.converted(to: .float64) : y
    let weights = Tensor(NumericDerivative.weights(y.count, seed: 3), shape: y.shape)
    return (floating * weights.converted(to: floating.elementType)).sum()
  }

  func gradientProjection(_ parts: [Tensor], _ x: [Tensor]) -> Tensor {
    let gradients = gradient(at: parts) { loss($0, at: active, x) }
    return gradients.enumerated().reduce(Tensor(0.0)) { sum, next in
      let weights = NumericDerivative.weights(next.element.count, seed: UInt64(next.offset) + 23)
      return sum + (next.element * Tensor(weights, shape: next.element.shape)).sum()
    }
  }
}
