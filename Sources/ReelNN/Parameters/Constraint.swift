import Reel

/// What the value of a parameter has to satisfy, as a projection that an optimizer applies after each update: Keras's
/// constraints.
///
///     Dense(10, kernelConstraint: .maxNorm(3))
///
/// Norms are ‖w‖ = √Σw² over some axes. Over axis 0 of the kernel of a ``Dense`` it is the norm of all that goes into one
/// unit.
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

extension Constraint {
  /// max(w, 0). Keras's `NonNeg`.
  public static let nonNegative = Constraint("nonNegative") { maximum(0, $0) }

  /// Norms of 1: w / ‖w‖. What is 0 stays 0.
  ///
  /// - Parameter axes: The axes that a norm is over; axis 0 by default.
  public static func unitNorm(along axes: [Int] = [0]) -> Constraint {
    Constraint("unitNorm") { w in w / (norm(of: w, along: axes) + epsilon) }
  }

  /// Norms of at most a bound: w · min(‖w‖, bound) / ‖w‖.
  ///
  /// Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting" (2014).
  ///
  /// - Parameters:
  ///   - bound: The largest norm; 2 by default.
  ///   - axes: The axes that a norm is over; axis 0 by default.
  public static func maxNorm(_ bound: Double = 2, along axes: [Int] = [0]) -> Constraint {
    precondition(bound >= 0, "a norm is at most 0 or more, not \(bound)")
    return Constraint("maxNorm") { w in
      let norm = norm(of: w, along: axes)
      return w * (minimum(norm, Tensor(floatLiteral: bound)) / (norm + epsilon))
    }
  }

  /// Norms between two bounds: w · d / ‖w‖, where d = rate · clip(‖w‖, min, max) + (1 - rate) · ‖w‖. What is 0 stays 0.
  ///
  /// - Parameters:
  ///   - min: The smallest norm; 0 by default.
  ///   - max: The largest norm; 1 by default.
  ///   - rate: How much of the way to the bounds one update goes, from 0 to 1; 1, all of it, by default.
  ///   - axes: The axes that a norm is over; axis 0 by default.
  public static func minMaxNorm(
    min: Double = 0, max: Double = 1, rate: Double = 1, along axes: [Int] = [0]
  ) -> Constraint {
    precondition(0 <= min && min <= max, "norms between \(min) and \(max)")
    precondition((0...1).contains(rate), "a rate is between 0 and 1, not \(rate)")
    return Constraint("minMaxNorm") { w in
      let norm = norm(of: w, along: axes)
      let clipped = minimum(maximum(norm, Tensor(floatLiteral: min)), Tensor(floatLiteral: max))
      let wanted = Tensor(floatLiteral: rate) * clipped + Tensor(floatLiteral: 1 - rate) * norm
      return w * (wanted / (norm + epsilon))
    }
  }

  /// What keeps a norm of 0 from dividing: Keras's.
  private static var epsilon: Tensor { 1e-7 }

  private static func norm(of w: Tensor, along axes: [Int]) -> Tensor {
    sqrt((w * w).sum(along: axes, keepDims: true))
  }
}
