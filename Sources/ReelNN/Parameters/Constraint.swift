import Reel

/// What the value of a parameter has to satisfy, as a projection that an optimizer applies after each update: Keras's
/// constraints.
///
///     Dense(10, kernelConstraint: .maxNorm(3))
public struct Constraint: Sendable {
  /// The name in summaries.
  public let name: String
  private let projection: @Sendable (Tensor) -> Tensor

  /// A constraint of your own: from a value to one of the same type that satisfies it.
  public init(_ name: String, _ projection: @escaping @Sendable (_ w: Tensor) -> Tensor) {
    self.name = name
    self.projection = projection
  }

  /// The value that satisfies the constraint, of the type of `w`.
  public func callAsFunction(_ w: Tensor) -> Tensor { projection(w) }
}
