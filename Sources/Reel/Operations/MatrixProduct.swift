/// The product of matrices in the last two axes, `[..., m, k] · [..., k, n] → [..., m, n]`; leading axes broadcast.
package struct MatrixProduct: Operation {
  /// Whether the left operand is given as `[..., k, m]`.
  let transposesLeft: Bool
  /// Whether the right operand is given as `[..., n, k]`.
  let transposesRight: Bool
  /// Whether it accumulates over k from the last one to the first: the order in which a reverse sweep meets the steps.
  let descends: Bool

  init(transposesLeft: Bool, transposesRight: Bool, descends: Bool = false) {
    (self.transposesLeft, self.transposesRight, self.descends) = (transposesLeft, transposesRight, descends)
  }

  package var name: String { "matmul" }
  package var pullbackReads: PullbackReads { .operands }
  package var attributes: String {
    [
      transposesLeft ? "transposing left" : "", transposesRight ? "transposing right" : "",
      descends ? "descending" : "",
    ]
    .filter { !$0.isEmpty }.joined(separator: ", ")
  }
  package var isCheap: Bool { false }

  package func resultTypes(of operands: [TensorType]) throws(TensorError) -> [TensorType] {
    let (left, right) = (operands[0], operands[1])
    func fail(_ problem: String, _ expected: String) -> TensorError {
      TensorError(operation: name, operands: operands, problem: problem, expected: expected)
    }
    guard left.elementType == right.elementType, left.elementType.isFloatingPoint else {
      throw fail("operands of types \(left.elementType) and \(right.elementType)", "one floating-point element type")
    }
    guard left.shape.rank >= 2, right.shape.rank >= 2 else {
      throw fail("an operand with fewer than two axes", "[..., rows, columns] on both sides")
    }
    let (rows, inner) = transposesLeft ? (left.shape[-1], left.shape[-2]) : (left.shape[-2], left.shape[-1])
    let (innerRight, columns) =
      transposesRight ? (right.shape[-1], right.shape[-2]) : (right.shape[-2], right.shape[-1])
    guard inner == innerRight else {
      throw fail(
        "the last axis of the left operand is \(inner), the matching axis of the right one \(innerRight)",
        "extents that agree")
    }
    guard let batch = left.shape[..<(left.shape.rank - 2)].broadcast(with: right.shape[..<(right.shape.rank - 2)])
    else {
      throw fail("leading axes that do not broadcast", "leading axes that agree or are 1")
    }
    return [TensorType(Shape(batch.extents + [rows, columns]), left.elementType)]
  }

  package func run(_ operands: [Storage], into results: [Storage]) {
    Kernels.product(
      operands[0], operands[1], transposesLeft: transposesLeft, transposesRight: transposesRight, descends: descends,
      into: results[0])
  }

  package func lower(_ operands: [View], into results: [View], _ lowering: inout Lowering) -> Bool {
    lowering.product(self, operands[0], operands[1], into: results[0])
    return true
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    context.cotangents(leftCotangent, rightCotangent)
  }

  // C = A·B:  dA = dC·Bᵀ, dB = Aᵀ·dC; where an operand is given transposed, so is its cotangent.
  private func leftCotangent(_ context: PullbackContext) -> Tensor {
    let (b, g) = (context.b, context.cotangent)
    return transposesLeft
      ? b.matmul(g, transposingSelf: transposesRight, transposingOther: true)
      : g.matmul(b, transposingOther: !transposesRight)
  }

  private func rightCotangent(_ context: PullbackContext) -> Tensor {
    let (a, g) = (context.a, context.cotangent)
    return transposesRight
      ? g.matmul(a, transposingSelf: true, transposingOther: transposesLeft)
      : a.matmul(g, transposingSelf: !transposesLeft)
  }

  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] {
    // One weight for all: the batch axis joins the rows, and it stays one product.
    if isBatched == [true, false], !transposesLeft, operands[0].rank == 3, operands[1].rank == 2 {
      let extents = operands[0].shape.extents
      let product = self(operands[0].reshaped(to: [extents[0] * extents[1], extents[2]]), operands[1])
      return [product.reshaped(to: [extents[0], extents[1], product.shape[-1]])]
    }
    return apply(Elementwise.aligned(operands, isBatched: isBatched))
  }
}

extension MatrixProduct: ReadableOperation {
  package static let names = ["matmul"]

  package init(reading text: inout OperationText) throws(GraphSyntaxError) {
    try text.expect(operands: 2)
    self.init(transposing: &text)
  }

  /// The words for what is transposed and in which order, which other products have too.
  init(transposing text: inout OperationText) {
    transposesLeft = text.flag("transposing left")
    transposesRight = text.flag("transposing right")
    descends = text.flag("descending")
  }
}

extension Tensor {
  /// The matrix product over the last two axes: `[..., m, k] · [..., k, n] → [..., m, n]`.
  ///
  /// Leading axes broadcast. Each element accumulates over k in order with fused multiply-add, so the bits do not depend
  /// on the machine.
  ///
  /// - Parameters:
  ///   - other: The right operand.
  ///   - transposingSelf: Whether this tensor is `[..., k, m]`.
  ///   - transposingOther: Whether `other` is `[..., n, k]`.
  public func matmul(_ other: Tensor, transposingSelf: Bool = false, transposingOther: Bool = false) -> Tensor {
    MatrixProduct(transposesLeft: transposingSelf, transposesRight: transposingOther)(self, other)
  }
}
