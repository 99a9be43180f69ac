import Reel

/// The hyperbolic tangent with a pullback that is wrong on purpose.
package struct FaultyTanh: Operation {
  /// What is wrong.
  package enum Fault: Hashable, Sendable, CaseIterable {
    /// The derivative is 1 - y instead of 1 - y².
    case missesSquare
    /// The derivative is right, but that of the derivative is 0.
    case missesSecondOrder
    /// There is no derivative.
    case isSilent
  }

  let fault: Fault

  private static let right: any Operation = {
    // The recorded operation is the way to the kernel.
    try! Graph(tracing: [TensorType([1], .float64)]) { [tanh($0[0])] }.nodes.last!.operation
  }()

  package var name: String { "faultyTanh" }
  package func resultTypes(of operands: [TensorType]) -> [TensorType] { operands }
  package func run(_ operands: [Storage], into results: [Storage]) { Self.right.run(operands, into: results) }
  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] { apply(operands) }

  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    let (g, y) = (context.cotangent, context.results[0])
    switch fault {
    case .missesSquare: return [g * (1 - y)]
    case .missesSecondOrder: return [g * stopGradient(1 - y * y)]
    case .isSilent: return [nil]
    }
  }
}

/// The hyperbolic tangent of each element, with a pullback that is wrong on purpose.
package func faultyTanh(_ x: Tensor, _ fault: FaultyTanh.Fault = .missesSquare) -> Tensor {
  FaultyTanh(fault: fault)(x)
}
