internal import ReelKernels

extension Elementwise {
  static let exp = unary("exp", REEL_OP_EXP, reading: .results) { g, _, y in g * y }
  static let expm1 = unary("expm1", REEL_OP_EXPM1, reading: .results) { g, _, y in g * (y + 1) }
  static let log = unary("log", REEL_OP_LOG, reading: .operands) { g, x, _ in g / x }
  static let log1p = unary("log1p", REEL_OP_LOG1P, reading: .operands) { g, x, _ in g / (x + 1) }
  static let sqrt = unary("sqrt", REEL_OP_SQRT, reading: .results) { g, _, y in g / (y + y) }
  static let rsqrt = unary("rsqrt", REEL_OP_RSQRT, reading: [.operands, .results]) { g, x, y in g * (-0.5 * y / x) }
  static let sin = unary("sin", REEL_OP_SIN, reading: .operands) { g, x, _ in g * Reel.cos(x) }
  static let cos = unary("cos", REEL_OP_COS, reading: .operands) { g, x, _ in -g * Reel.sin(x) }
  static let tanh = unary("tanh", REEL_OP_TANH, reading: .results) { g, _, y in g * (1 - y * y) }
  static let sigmoid = unary("sigmoid", REEL_OP_SIGMOID, reading: .results) { g, _, y in g * (y * (1 - y)) }
  // 2/√π · exp(-x²)
  static let erf = unary("erf", REEL_OP_ERF, reading: .operands) { g, x, _ in
    g * (1.1283791670955126 * Reel.exp(-(x * x)))
  }
}

/// eˣ of each element.
public func exp(_ x: Tensor) -> Tensor { Elementwise.exp(x) }

/// eˣ - 1 of each element, precise near 0.
public func expm1(_ x: Tensor) -> Tensor { Elementwise.expm1(x) }

/// The natural logarithm of each element: -∞ at 0, NaN below.
public func log(_ x: Tensor) -> Tensor { Elementwise.log(x) }

/// The natural logarithm of 1 + x of each element, precise near 0.
public func log1p(_ x: Tensor) -> Tensor { Elementwise.log1p(x) }

/// The square root of each element; NaN below 0.
public func sqrt(_ x: Tensor) -> Tensor { Elementwise.sqrt(x) }

/// 1 / √x of each element.
public func rsqrt(_ x: Tensor) -> Tensor { Elementwise.rsqrt(x) }

/// The sine of each element, in radians.
public func sin(_ x: Tensor) -> Tensor { Elementwise.sin(x) }

/// The cosine of each element, in radians.
public func cos(_ x: Tensor) -> Tensor { Elementwise.cos(x) }

/// The hyperbolic tangent of each element.
public func tanh(_ x: Tensor) -> Tensor { Elementwise.tanh(x) }

/// The logistic function of each element: σ(x) = 1 / (1 + e⁻ˣ).
public func sigmoid(_ x: Tensor) -> Tensor { Elementwise.sigmoid(x) }

/// The error function of each element: 2/√π · ∫₀ˣ exp(-t²) dt.
public func erf(_ x: Tensor) -> Tensor { Elementwise.erf(x) }
