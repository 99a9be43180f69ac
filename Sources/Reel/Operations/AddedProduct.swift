/// A matrix product and a sum in one: what the compiler makes of `left · right + addend`.
///
/// Where the sum was written after the product, the addend is added once, after the accumulation over k: the bits are
/// those of the two operations. Where one product was taken apart, `[x, h] · W = x·W₁ + h·W₂`, the first part is what the
/// accumulation of the second one starts from: the bits are those of the one product.
package struct AddedProduct: Operation {
  enum Placement: String, Hashable, Sendable {
    /// Added after the accumulation.
    case epilogue
    /// Where the accumulation starts; it has the shape of the result.
    case prologue
  }

  let product: MatrixProduct
  let placement: Placement

  package var name: String { "matmulAdd" }
  package var attributes: String {
    [product.attributes, placement.rawValue].filter { !$0.isEmpty }.joined(separator: ", ")
  }
  package var isCheap: Bool { false }

  package func resultTypes(of operands: [TensorType]) throws(TensorError) -> [TensorType] {
    let result = try product.resultTypes(of: Array(operands[..<2]))[0]
    let addend = operands[2]
    let fits =
      placement == .prologue
      ? addend.shape == result.shape : addend.shape.broadcast(with: result.shape) == result.shape
    guard addend.elementType == result.elementType, fits else {
      throw TensorError(
        operation: name, operands: operands, problem: "an addend of type \(addend) for a product of type \(result)",
        expected: placement == .prologue ? "the type of the product" : "a type that broadcasts to that of the product")
    }
    return [result]
  }

  package func run(_ operands: [Storage], into results: [Storage]) {
    if placement == .epilogue {
      product.run(Array(operands[..<2]), into: results)
      Kernels.elementwise(Elementwise.add.row.opcode, [results[0], operands[2]], into: results[0])
    } else {
      results[0].copy(from: operands[2])
      Kernels.product(
        operands[0], operands[1], transposesLeft: product.transposesLeft, transposesRight: product.transposesRight,
        descends: product.descends, accumulates: true, into: results[0])
    }
  }

  package func lower(_ operands: [View], into results: [View], _ lowering: inout Lowering) -> Bool {
    if placement == .epilogue {
      lowering.product(product, operands[0], operands[1], addend: operands[2], into: results[0])
    } else {
      if operands[2] != results[0] { lowering.copy(operands[2], into: results[0]) }
      lowering.product(product, operands[0], operands[1], accumulates: true, into: results[0])
    }
    return true
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    let factors = PullbackContext(
      operands: Array(context.operands[..<2]), results: context.results, cotangents: context.cotangents,
      isActive: Array(context.isActive[..<2]), sums: [nil, nil], widen: nil)
    return product.pullback(factors) + [context.cotangent]
  }

  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] {
    let addend = operands[2]
    guard isBatched[0] || isBatched[1] else {
      let aligned = Elementwise.aligned([product(operands[0], operands[1]), addend], isBatched: [false, true])
      return [Elementwise.add(aligned[0], aligned[1])]
    }
    let separate = product.vectorized(Array(operands[..<2]), isBatched: Array(isBatched[..<2]), count: count)[0]
    let aligned = Elementwise.aligned([separate, addend], isBatched: [true, isBatched[2]])
    guard placement == .prologue, isBatched == [true, false, true], !product.transposesLeft, operands[0].rank == 3,
      operands[1].rank == 2
    else {
      return placement == .epilogue
        ? [Elementwise.add(aligned[0], aligned[1])] : batchedPrologue(operands, isBatched, count)
    }
    let extents = operands[0].shape.extents
    let rows = self.apply([
      operands[0].reshaped(to: [extents[0] * extents[1], extents[2]]), operands[1],
      addend.reshaped(to: [extents[0] * extents[1], addend.shape[-1]]),
    ])[0]
    return [rows.reshaped(to: addend.shape)]
  }

  /// Every operand gets the batch axis, so that each accumulation starts from its own addend.
  private func batchedPrologue(_ operands: [Tensor], _ isBatched: [Bool], _ count: Int) -> [Tensor] {
    let repeated = zip(operands, isBatched).map { $1 ? $0 : $0.repeated(count) }
    return apply(Elementwise.aligned(repeated, isBatched: [true, true, true]))
  }
}

extension AddedProduct: ReadableOperation {
  package static let names = ["matmulAdd"]

  package init(reading text: inout OperationText) throws(GraphSyntaxError) {
    try text.expect(operands: 3)
    product = MatrixProduct(transposing: &text)
    placement = text.flag(Placement.prologue.rawValue) ? .prologue : .epilogue
    if placement == .epilogue { _ = text.flag(Placement.epilogue.rawValue) }
  }
}
