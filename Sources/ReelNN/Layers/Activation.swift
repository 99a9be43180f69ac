import Reel

/// A named elementwise function, or one along the last axis, as an argument of layers.
public struct Activation: Sendable {
  /// The name in summaries.
  public let name: String
  private let function: @Sendable (Tensor) -> Tensor

  /// An activation of your own.
  public init(_ name: String, _ function: @escaping @Sendable (Tensor) -> Tensor) {
    self.name = name
    self.function = function
  }

  /// Applies the function.
  public func callAsFunction(_ x: Tensor) -> Tensor { function(x) }
}

extension Activation {
  /// x.
  public static let linear = Activation("linear") { $0 }

  /// The hyperbolic tangent.
  public static let tanh = Activation("tanh") { Reel.tanh($0) }

  /// 1 / (1 + e⁻ˣ).
  public static let sigmoid = Activation("sigmoid") { Reel.sigmoid($0) }

  /// max(x, 0), with derivative 0 at 0.
  public static let relu = Activation("relu") { select($0 .> 0, $0, 0) }

  /// x · σ(x), also called swish.
  public static let silu = Activation("silu") { $0 * Reel.sigmoid($0) }

  /// x / (1 + |x|).
  public static let softsign = Activation("softsign") { $0 / (1 + abs($0)) }

  /// x/6 + 1/2, kept between 0 and 1: Keras 3's form, which saturates at ±3.
  public static let hardSigmoid = Activation("hardSigmoid") { x in
    let line = x / 6 + 0.5
    return select(x .<= -3, 0, select(x .>= 3, 1, line))
  }

  /// eˣ / Σ eˣ along the last axis.
  public static let softmax = Activation("softmax") { Reel.softmax($0) }
}
