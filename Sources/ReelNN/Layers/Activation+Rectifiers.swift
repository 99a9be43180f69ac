import Reel

// Functions that are x above a corner. Derivatives at corners are Keras's.

extension Activation {
  /// max(x, 0), with derivative 0 at 0.
  public static let relu = Activation("relu") { maximum(0, $0) }

  /// min(max(x, 0), 6), with derivative 0 at 0 and at 6.
  public static let relu6 = relu(maxValue: 6)

  /// `maxValue` from there on, x between the threshold and it, negativeSlope · (x - threshold) up to the threshold. The
  /// derivative at `maxValue` is 0 and that at the threshold is `negativeSlope`.
  ///
  /// - Parameters:
  ///   - negativeSlope: The slope up to the threshold; 0 by default.
  ///   - maxValue: The largest value; none by default.
  ///   - threshold: Where x begins; 0 by default. Elsewhere than at 0 the function jumps.
  public static func relu(
    negativeSlope: Double = 0, maxValue: Double? = nil, threshold: Double = 0
  ) -> Activation {
    Activation("relu") { x in
      let corner = Tensor(floatLiteral: threshold)
      let below = negativeSlope == 0 ? 0 : Tensor(floatLiteral: negativeSlope) * (x - corner)
      let rectified = select(x .<= corner, below, x)
      guard let maxValue else { return rectified }
      let top = Tensor(floatLiteral: maxValue)
      return select(x .>= top, top, rectified)
    }
  }

  /// x above 0, x/5 up to 0. The layer ``LeakyReLU`` has another slope by default.
  public static let leakyReLU = leakyReLU(negativeSlope: 0.2)

  /// x above 0, negativeSlope · x up to 0.
  ///
  /// Maas, Hannun and Ng, "Rectifier nonlinearities improve neural network acoustic models" (2013).
  public static func leakyReLU(negativeSlope: Double) -> Activation {
    Activation("leakyReLU") { x in select(x .> 0, x, Tensor(floatLiteral: negativeSlope) * x) }
  }

  /// x above the threshold, and a fixed number, with derivative 0, up to it.
  ///
  /// - Parameters:
  ///   - threshold: Where x begins.
  ///   - defaultValue: The number up to there.
  public static func threshold(_ threshold: Double, defaultValue: Double) -> Activation {
    Activation("threshold") { x in
      select(x .<= Tensor(floatLiteral: threshold), Tensor(floatLiteral: defaultValue), x)
    }
  }

  /// x above 0, eˣ - 1 up to 0.
  public static let elu = elu(alpha: 1)

  /// x above 0, α · (eˣ - 1) up to 0; the derivative at 0 is α.
  ///
  /// Clevert, Unterthiner and Hochreiter, "Fast and accurate deep network learning by exponential linear units" (2015).
  public static func elu(alpha: Double) -> Activation {
    Activation("elu") { x in select(x .> 0, x, Tensor(floatLiteral: alpha) * expm1(minimum(x, 0))) }
  }

  /// λ · x from 0 on, λ·α · (eˣ - 1) below, with λ = 1.0507009873554805 and α = 1.6732632423543772. The derivative at 0 is λ.
  ///
  /// Klambauer et al., "Self-normalizing neural networks" (2017). It goes with ``Initializer/lecunNormal``.
  public static let selu = Activation("selu") { x in
    1.0507009873554805 * select(x .>= 0, x, 1.6732632423543772 * expm1(minimum(x, 0)))
  }

  /// x above 0, eˣ - 1 up to 0.
  public static let celu = celu(alpha: 1)

  /// max(x, 0) + min(α · (e^(x/α) - 1), 0).
  ///
  /// Barron, "Continuously differentiable exponential linear units" (2017). The derivative at exactly 0 is 2, for both terms
  /// give theirs, as in Keras; that of the function is 1.
  ///
  /// - Parameter alpha: α, more than 0.
  public static func celu(alpha: Double) -> Activation {
    precondition(alpha > 0, "celu needs alpha > 0, not \(alpha)")
    return Activation("celu") { x in
      let alpha = Tensor(floatLiteral: alpha)
      return maximum(x, 0) + alpha * expm1(minimum(x, 0) / alpha)
    }
  }
}
