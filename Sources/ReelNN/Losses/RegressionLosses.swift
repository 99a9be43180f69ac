import Reel

// Losses of numbers: predictions and truth `[..., features]`, one number for each of `[...]`.

extension Loss {
  /// A loss that is the mean over the last axis of a function of each prediction and its truth.
  static func elementwise(_ name: String, _ term: @escaping @Sendable (Tensor, Tensor) -> Tensor) -> Loss {
    Loss(name) { predicted, expected in
      guard let (predicted, expected) = matched(predicted, expected) else { return .zeros([]) }
      return term(predicted, expected).mean(along: [-1])
    }
  }

  /// The mean over the last axis of (p - y)². Keras's `MeanSquaredError`.
  public static let meanSquaredError = elementwise("meanSquaredError") { predicted, expected in
    let difference = predicted - expected
    return difference * difference
  }

  /// The mean over the last axis of |p - y|. Keras's `MeanAbsoluteError`.
  public static let meanAbsoluteError = elementwise("meanAbsoluteError") { abs($0 - $1) }

  /// The mean over the last axis of 100·|p - y| / max(|y|, 10⁻⁷). Keras's `MeanAbsolutePercentageError`.
  public static let meanAbsolutePercentageError = elementwise("meanAbsolutePercentageError") { predicted, expected in
    100 * abs(predicted - expected) / maximum(abs(expected), 1e-7)
  }

  /// The mean over the last axis of (log(p + 1) - log(y + 1))², where p and y are at least 10⁻⁷. Keras's
  /// `MeanSquaredLogarithmicError`.
  public static let meanSquaredLogarithmicError = elementwise("meanSquaredLogarithmicError") { predicted, expected in
    let difference = log1p(maximum(predicted, 1e-7)) - log1p(maximum(expected, 1e-7))
    return difference * difference
  }

  /// The mean over the last axis of e²/2 where |e| ≤ δ, and δ·|e| - δ²/2 elsewhere, for e = p - y: a square near 0 and
  /// a line farther out. Huber, "Robust estimation of a location parameter" (1964); Keras's `Huber`.
  ///
  /// - Parameter delta: δ, above 0; 1 by default.
  public static func huber(delta: Double = 1) -> Loss {
    precondition(delta > 0, "Loss.huber: delta > 0")
    return elementwise("huber") { predicted, expected in
      let error = predicted - expected
      let size = abs(error)
      let line = .constant(delta) * size - .constant(0.5 * delta * delta)
      return select(size .<= .constant(delta), 0.5 * error * error, line)
    }
  }

  /// The mean over the last axis of log cosh(p - y): about e²/2 near 0 and |e| - log 2 farther out. Keras's `LogCosh`.
  public static let logCosh = elementwise("logCosh") { predicted, expected in
    let error = predicted - expected
    // log cosh e = e + log(1 + e⁻²ᵉ) - log 2, without overflow on either side.
    return error + logOnePlusExp(-2 * error) - 0.6931471805599453
  }

  /// The mean over the last axis of p - y·log(p + 10⁻⁷): the negative log likelihood of counts y under rates p, but for a
  /// constant. Keras's `Poisson`.
  public static let poisson = elementwise("poisson") { $0 - $1 * log($0 + 1e-7) }

  /// -Σ p·y / (‖p‖·‖y‖) along an axis: -1 for vectors of one direction, 1 for opposite ones. Keras's `CosineSimilarity`.
  ///
  /// Norms are taken to be at least 10⁻⁶.
  ///
  /// - Parameter axis: The axis of the vectors; the last one by default.
  public static func cosineSimilarity(along axis: Int = -1) -> Loss {
    Loss("cosineSimilarity") { predicted, expected in
      guard let (predicted, expected) = matched(predicted, expected) else { return .zeros([]) }
      return -cosine(predicted, expected, along: axis)
    }
  }
}

/// The cosine of the angles between vectors along an axis.
func cosine(_ a: Tensor, _ b: Tensor, along axis: Int) -> Tensor {
  func unit(_ x: Tensor) -> Tensor { x * rsqrt(maximum((x * x).sum(along: [axis], keepDims: true), 1e-12)) }
  return (unit(a) * unit(b)).sum(along: [axis])
}
