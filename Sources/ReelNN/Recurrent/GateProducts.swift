import Reel

/// The products of a cell with weights that hold its gates side by side: one product for all gates, or one for each, with a
/// dropout mask of its own (Keras's `implementation` 2 and 1). Without dropout both give the same bits.
struct GateProducts: Sendable {
  /// The number of gates side by side.
  let gates: Int
  /// What is dropped from the operand.
  let dropout: VariationalDropout
  /// Whether each gate has a product of its own.
  let isSeparate: Bool

  /// `x [batch, features]` times `weights [features, gates·units]`: `[batch, gates·units]`.
  ///
  /// - Parameter product: What stands for the matrix product, such as a convolution.
  func callAsFunction(
    _ x: Tensor, _ weights: Tensor, _ product: (Tensor, Tensor) -> Tensor = { $0.matmul($1) }
  ) -> Tensor {
    guard isSeparate else { return product(dropout(x), weights) }
    let units = weights.shape.last / gates
    let products = (0..<gates).map { gate in
      product(dropout(x, mask: gate), weights.sliced(gate * units..<(gate + 1) * units, along: -1))
    }
    return concatenated(products, along: -1)
  }
}

extension GateProducts {
  /// The products with the input and with the state. With recurrent dropout each gate has its masks, as in Keras.
  static func pair(
    gates: Int, dropout: Double, recurrentDropout: Double, implementation: Int
  ) -> (input: GateProducts, recurrent: GateProducts) {
    precondition(implementation == 1 || implementation == 2, "implementation \(implementation), which is not 1 or 2")
    let isSeparate = implementation == 1 || recurrentDropout > 0
    return (
      GateProducts(gates: gates, dropout: VariationalDropout(dropout), isSeparate: isSeparate),
      GateProducts(gates: gates, dropout: VariationalDropout(recurrentDropout), isSeparate: isSeparate)
    )
  }
}
