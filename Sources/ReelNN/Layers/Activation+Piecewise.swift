import Reel

// Functions put together of pieces of lines and parabolas. Derivatives at corners are Keras's.

extension Activation {
  /// x/6 + 1/2, kept between 0 and 1: Keras 3's form, which saturates at ±3 with derivative 0 there.
  public static let hardSigmoid = Activation("hardSigmoid") { x in
    let line = x / 6 + 0.5
    return select(x .<= -3, 0, select(x .>= 3, 1, line))
  }

  /// x · hardSigmoid(x), also called hard swish: Howard et al., "Searching for MobileNetV3" (2019).
  public static let hardSilu = Activation("hardSilu") { x in x * hardSigmoid(x) }

  /// x, kept between -1 and 1, with derivative 1 at both.
  public static let hardTanh = Activation("hardTanh") { x in select(x .< -1, -1, select(x .> 1, 1, x)) }

  /// 0 up to -1, (x + 1)² / 4 between -1 and 1, x from 1 on.
  public static let sparsePlus = Activation("sparsePlus") { x in
    let parabola = 0.25 * ((x + 1) * (x + 1))
    return select(x .<= -1, 0, select(x .>= 1, x, parabola))
  }

  /// (x + 1) / 2, kept between 0 and 1, with derivative 0 at ±1.
  public static let sparseSigmoid = Activation("sparseSigmoid") { x in
    let line = 0.5 * (x + 1)
    return select(x .<= -1, 0, select(x .>= 1, 1, line))
  }

  /// ``softShrink(threshold:)`` with a threshold of ½.
  public static let softShrink = softShrink(threshold: 0.5)

  /// x moved towards 0 by the threshold: 0 where |x| ≤ threshold, x - threshold above, x + threshold below.
  ///
  /// - Parameter threshold: 0 or more.
  public static func softShrink(threshold: Double) -> Activation {
    precondition(threshold >= 0, "softShrink needs a threshold of at least 0, not \(threshold)")
    return Activation("softShrink") { x in
      let threshold = Tensor(floatLiteral: threshold)
      return select(abs(x) .<= threshold, 0, x - threshold * sign(x))
    }
  }

  /// ``hardShrink(threshold:)`` with a threshold of ½.
  public static let hardShrink = hardShrink(threshold: 0.5)

  /// 0 where |x| ≤ threshold, x elsewhere.
  ///
  /// - Parameter threshold: 0 or more.
  public static func hardShrink(threshold: Double) -> Activation {
    precondition(threshold >= 0, "hardShrink needs a threshold of at least 0, not \(threshold)")
    return Activation("hardShrink") { x in select(abs(x) .<= Tensor(floatLiteral: threshold), 0, x) }
  }
}
