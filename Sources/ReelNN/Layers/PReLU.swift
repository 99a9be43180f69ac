import Reel

/// x above 0, α · x below, where the slopes α are trained; the derivative at 0 is 0. Keras's `PReLU`.
///
/// `[batch, ...]` → the same shape. Parameter: `alpha`, of the shape of the input without its batch axis, with extent 1 for
/// shared axes.
///
/// He et al., "Delving deep into rectifiers" (2015).
public struct PReLU: Layer, NamedLayer {
  /// The axes whose elements have one slope together.
  public let sharedAxes: [Int]
  /// The slopes below 0.
  public let alpha: Parameter

  package var layerName: String { "prelu" }

  /// - Parameters:
  ///   - alphaInitializer: Zeros by default.
  ///   - alphaRegularizer: The penalty on the slopes; none by default.
  ///   - alphaConstraint: What an optimizer makes of the slopes after each update; nothing by default.
  ///   - sharedAxes: Axes of the input whose elements have one slope together, where axis 0 is the batch; negative ones
  ///     count from the end. `[1]` gives sequences `[batch, time, features]` one slope a feature. None by default.
  public init(
    alphaInitializer: Initializer = .zeros, alphaRegularizer: Regularizer? = nil, alphaConstraint: Constraint? = nil,
    sharedAxes: [Int] = []
  ) {
    self.sharedAxes = sharedAxes
    alpha = Parameter(alphaInitializer, regularizer: alphaRegularizer, constraint: alphaConstraint)
  }

  /// Applies the layer, element by element.
  public func callAsFunction(_ x: Tensor) -> Tensor { inOwnScope(passingMaskOf: x) { applied(to: x) } }

  private func applied(to x: Tensor) -> Tensor {
    let shared = sharedAxes.map { $0 < 0 ? $0 + x.rank : $0 }
    guard x.rank >= 2, shared.allSatisfy((1..<x.rank).contains) else {
      TensorError(
        operation: defaultName, operands: [TensorType(x.shape, x.elementType)],
        problem: x.rank < 2 ? "input of shape \(x.shape)" : "shared axes \(sharedAxes)",
        expected: x.rank < 2 ? "[batch, ...]" : "axes of the input behind the batch"
      ).report()
      return x
    }
    let slopes = alpha(Shape((1..<x.rank).map { shared.contains($0) ? 1 : x.shape[$0] }))
    return maximum(0, x) - slopes * maximum(0, -x)
  }
}
