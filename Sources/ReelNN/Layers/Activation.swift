import Reel

/// A named elementwise function, or one along an axis, as an argument of layers, and as a layer without parameters.
///
///     Dense(10, activation: .relu)
///     Sequential {
///       Dense(10)
///       Activation.gelu(approximate: true)
///     }
///
/// The functions are those of `keras.activations`, with its constants and with its derivatives where a function has a
/// corner. Value and derivatives of every order are finite for finite x of any size, but where the value itself is too
/// large for the element type, as that of ``exponential`` may be. NaN stays NaN.
public struct Activation: Layer, Sendable {
  /// The name in summaries.
  public let name: String
  private let function: @Sendable (Tensor) -> Tensor

  /// An activation of your own.
  public init(_ name: String, _ function: @escaping @Sendable (Tensor) -> Tensor) {
    self.name = name
    self.function = function
  }

  /// Applies the function; a mask passes through.
  public func callAsFunction(_ x: Tensor) -> Tensor { function(x).withMask(x.mask) }
}

// MARK: - Smooth functions

extension Activation {
  /// x.
  public static let linear = Activation("linear") { $0 }

  /// eˣ.
  public static let exponential = Activation("exponential") { exp($0) }

  /// The hyperbolic tangent.
  public static let tanh = Activation("tanh") { Reel.tanh($0) }

  /// x - tanh(x).
  public static let tanhShrink = Activation("tanhShrink") { $0 - Reel.tanh($0) }

  /// x / (1 + |x|).
  public static let softsign = Activation("softsign") { $0 / (1 + abs($0)) }

  /// 1 / (1 + e⁻ˣ).
  public static let sigmoid = Activation("sigmoid") { Reel.sigmoid($0) }

  /// log(1 / (1 + e⁻ˣ)).
  public static let logSigmoid = Activation("logSigmoid") { -logOnePlusExp(-$0) }

  /// log(1 + eˣ).
  public static let softplus = Activation("softplus") { logOnePlusExp($0) }

  /// x · σ(x), also called swish: Elfwing, Uchibe and Doya, "Sigmoid-weighted linear units" (2017).
  public static let silu = Activation("silu") { $0 * Reel.sigmoid($0) }

  /// x · tanh(log(1 + eˣ)): Misra, "Mish: a self regularized non-monotonic activation function" (2019).
  public static let mish = Activation("mish") { $0 * Reel.tanh(logOnePlusExp($0)) }

  /// x · Φ(x), where Φ is the normal distribution: ½ · x · (1 + erf(x/√2)).
  ///
  /// Hendrycks and Gimpel, "Gaussian error linear units" (2016).
  public static let gelu = gelu(approximate: false)

  /// As ``gelu``, or its approximation ½ · x · (1 + tanh(√(2/π) · (x + 0.044715·x³))).
  public static func gelu(approximate: Bool) -> Activation {
    Activation("gelu") { x in
      if !approximate { return 0.5 * x * (1 + erf(x * Tensor(floatLiteral: 0.5.squareRoot()))) }
      // From here on the tangent is 1 in any element type, and the cube must not overflow.
      let bounded = maximum(minimum(x, 16), -16)
      let inner = bounded * (1 + 0.044715 * (bounded * bounded))
      return 0.5 * x * (1 + Reel.tanh(inner * Tensor(floatLiteral: (2 / Double.pi).squareRoot())))
    }
  }

  /// (x + √(x² + 4)) / 2: Barron, "Squareplus: a softplus-like algebraic rectifier" (2021).
  public static let squareplus = squareplus(b: 4)

  /// (x + √(x² + b)) / 2.
  ///
  /// - Parameter b: How far the curve is from the corner: √b / 2 at 0. More than 0.
  public static func squareplus(b: Double) -> Activation {
    precondition(b > 0, "squareplus needs b > 0, not \(b)")
    return Activation("squareplus") { x in
      // With the sign that adds, for the other one cancels: (|x| + √(x² + b)) / 2, times b/4 of its inverse for x ≤ 0. The
      // root of a square that would overflow is the number itself.
      let size = -negatedSize(x)
      let bounded = minimum(size, 0x1p40)
      let larger = 0.5 * (size + (size - bounded) + sqrt(bounded * bounded + Tensor(floatLiteral: b)))
      return select(x .> 0, larger, Tensor(floatLiteral: b / 4) / larger)
    }
  }
}

/// log(1 + eˣ) = max(0, x) + log(1 + e^-|x|), in which nothing overflows, with derivatives of every order at 0 too.
func logOnePlusExp(_ x: Tensor) -> Tensor { maximum(0, x) + log1p(exp(negatedSize(x))) }

/// -|x|, with derivative 1 at 0 in place of `abs`'s 0: a formula for x ≤ 0 keeps all its derivatives there.
private func negatedSize(_ x: Tensor) -> Tensor { minimum(x, -x) }
