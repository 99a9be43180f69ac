internal import ReelKernels

extension Elementwise {
  static let negate = unary("negate", REEL_OP_NEGATE, on: .numeric, isCheap: true, reading: []) { g, _, _ in -g }
  static let abs = unary("abs", REEL_OP_ABS, on: .numeric, isCheap: true, reading: .operands) { g, x, _ in
    g * sign(x)
  }
  static let sign = unary("sign", REEL_OP_SIGN, on: .numeric, isCheap: true, reading: [], nil)
  static let floor = unary("floor", REEL_OP_FLOOR, isCheap: true, reading: [], nil)
  static let ceil = unary("ceil", REEL_OP_CEIL, isCheap: true, reading: [], nil)
  static let round = unary("round", REEL_OP_ROUND, isCheap: true, reading: [], nil)

  static let add = binary("add", REEL_OP_ADD, reading: [], { g, _, _, _ in g }, { g, _, _, _ in g })
  /// A sum that only a reverse sweep makes, where contributions to one cotangent meet: a compiler may reassociate it.
  static let accumulate = binary("accumulate", REEL_OP_ADD, reading: [], { g, _, _, _ in g }, { g, _, _, _ in g })
  static let subtract = binary("subtract", REEL_OP_SUBTRACT, reading: [], { g, _, _, _ in g }, { g, _, _, _ in -g })
  static let multiply = binary(
    "multiply", REEL_OP_MULTIPLY, reading: .operands, { g, _, b, _ in g * b }, { g, a, _, _ in g * a })
  static let divide = binary(
    "divide", REEL_OP_DIVIDE, reading: [.operands, .results], { g, _, b, _ in g / b }, { g, _, b, y in -g * y / b })

  static let power = binary(
    "power", REEL_OP_POWER, isCheap: false, reading: [.operands, .results],
    { g, a, b, _ in g * slopeOfPower(a, b) },
    // Where the base is 0 the slope in the exponent is 0 for every exponent that has a value.
    { g, a, _, y in g * y * Reel.select(a .== 0, 0, Reel.log(Reel.select(a .== 0, 1, a))) })

  static let maximum = binary(
    "maximum", REEL_OP_MAXIMUM, reading: .operands,
    { g, a, b, _ in Reel.select(a .>= b, g, 0) }, { g, a, b, _ in Reel.select(a .>= b, 0, g) })
  static let minimum = binary(
    "minimum", REEL_OP_MINIMUM, reading: .operands,
    { g, a, b, _ in Reel.select(a .<= b, g, 0) }, { g, a, b, _ in Reel.select(a .<= b, 0, g) })
  static let remainder = binary(
    "remainder", REEL_OP_REMAINDER, reading: .operands,
    { g, _, _, _ in g }, { g, a, b, _ in -g * Reel.floor(a / b) })
}

/// The slope `b·aᵇ⁻¹` of a power in its base. x⁰ is 1 everywhere, with slope 0, also where x⁻¹ is infinite. Elsewhere the slope
/// is 0 there by its formula, for it has a slope in the exponent.
private func slopeOfPower(_ a: Tensor, _ b: Tensor) -> Tensor {
  let (isZero, hasInverse) = (b .== 0, abs(1 / a) .< Tensor(floatLiteral: .infinity))
  let slope = b * power(select(isZero, select(hasInverse, a, 1), a), b - 1)
  return select(isZero, select(hasInverse, slope, 0), slope)
}

extension Tensor {
  /// The negative of each element.
  public static prefix func - (x: Tensor) -> Tensor { Elementwise.negate(x) }

  /// `left + right`, element by element with broadcasting.
  public static func + (left: Tensor, right: Tensor) -> Tensor { Elementwise.add(left, right) }

  /// `left - right`, element by element with broadcasting.
  public static func - (left: Tensor, right: Tensor) -> Tensor { Elementwise.subtract(left, right) }

  /// `left · right`, element by element with broadcasting. The matrix product is ``matmul(_:transposingSelf:transposingOther:)``.
  public static func * (left: Tensor, right: Tensor) -> Tensor { Elementwise.multiply(left, right) }

  /// `left / right`, element by element with broadcasting. `int32` is truncated towards zero, and division by 0 gives 0.
  public static func / (left: Tensor, right: Tensor) -> Tensor { Elementwise.divide(left, right) }

  /// Adds `right` in place of `left`.
  public static func += (left: inout Tensor, right: Tensor) { left = left + right }

  /// Subtracts `right` in place of `left`.
  public static func -= (left: inout Tensor, right: Tensor) { left = left - right }

  /// Multiplies `left` by `right` in place.
  public static func *= (left: inout Tensor, right: Tensor) { left = left * right }

  /// Divides `left` by `right` in place.
  public static func /= (left: inout Tensor, right: Tensor) { left = left / right }
}

/// The absolute value of each element. The derivative at 0 is taken to be 0.
public func abs(_ x: Tensor) -> Tensor { Elementwise.abs(x) }

/// -1, 0 or 1 by the sign of each element; NaN stays NaN. The derivative is 0.
public func sign(_ x: Tensor) -> Tensor { Elementwise.sign(x) }

/// The largest integer that is not above each element. The derivative is 0.
public func floor(_ x: Tensor) -> Tensor { Elementwise.floor(x) }

/// The smallest integer that is not below each element. The derivative is 0.
public func ceil(_ x: Tensor) -> Tensor { Elementwise.ceil(x) }

/// The nearest integer to each element, halves to the even one. The derivative is 0.
public func round(_ x: Tensor) -> Tensor { Elementwise.round(x) }

/// `base` to the power of `exponent`, element by element with broadcasting.
///
/// A negative base with an exponent that is no integer gives NaN. `int32` powers are exact modulo 2³².
public func power(_ base: Tensor, _ exponent: Tensor) -> Tensor { Elementwise.power(base, exponent) }

/// The larger of corresponding elements; NaN if either is. Where both are equal the derivative goes to `a`.
public func maximum(_ a: Tensor, _ b: Tensor) -> Tensor { Elementwise.maximum(a, b) }

/// The smaller of corresponding elements; NaN if either is. Where both are equal the derivative goes to `a`.
public func minimum(_ a: Tensor, _ b: Tensor) -> Tensor { Elementwise.minimum(a, b) }

/// `a - b · ⌊a / b⌋`, which has the sign of `b`, as Python's `%`.
public func remainder(_ a: Tensor, _ b: Tensor) -> Tensor { Elementwise.remainder(a, b) }
