internal import ReelKernels

extension Elementwise {
  static let equal = comparison("equal", REEL_OP_EQUAL, on: .any)
  static let notEqual = comparison("notEqual", REEL_OP_NOT_EQUAL, on: .any)
  static let less = comparison("less", REEL_OP_LESS)
  static let lessEqual = comparison("lessEqual", REEL_OP_LESS_EQUAL)
  static let greater = comparison("greater", REEL_OP_GREATER)
  static let greaterEqual = comparison("greaterEqual", REEL_OP_GREATER_EQUAL)

  static let and = binary("and", REEL_OP_AND, on: .bool, reading: [])
  static let or = binary("or", REEL_OP_OR, on: .bool, reading: [])
  static let xor = binary("xor", REEL_OP_XOR, on: .bool, reading: [])
  static let not = unary("not", REEL_OP_NOT, on: .bool, isCheap: true, reading: [], nil)

  static let select = Elementwise(
    row: Row(
      "select", REEL_OP_SELECT, .mask, .same, isCheap: true, reading: .operands,
      [
        nil,
        { g, mask, _, _ in Reel.select(mask, g, 0) },
        { g, mask, _, _ in Reel.select(mask, 0, g) },
      ]))
}

// The operators of the standard library's SIMD types, with the same meaning.
extension Tensor {
  /// Where corresponding elements are equal. NaN equals nothing.
  public static func .== (left: Tensor, right: Tensor) -> Tensor { Elementwise.equal(left, right) }

  /// Where corresponding elements differ.
  public static func .!= (left: Tensor, right: Tensor) -> Tensor { Elementwise.notEqual(left, right) }

  /// Where `left` is below `right`.
  public static func .< (left: Tensor, right: Tensor) -> Tensor { Elementwise.less(left, right) }

  /// Where `left` is not above `right`.
  public static func .<= (left: Tensor, right: Tensor) -> Tensor { Elementwise.lessEqual(left, right) }

  /// Where `left` is above `right`.
  public static func .> (left: Tensor, right: Tensor) -> Tensor { Elementwise.greater(left, right) }

  /// Where `left` is not below `right`.
  public static func .>= (left: Tensor, right: Tensor) -> Tensor { Elementwise.greaterEqual(left, right) }

  /// Where both masks are true.
  public static func .& (left: Tensor, right: Tensor) -> Tensor { Elementwise.and(left, right) }

  /// Where either mask is true.
  public static func .| (left: Tensor, right: Tensor) -> Tensor { Elementwise.or(left, right) }

  /// Where exactly one of the masks is true.
  public static func .^ (left: Tensor, right: Tensor) -> Tensor { Elementwise.xor(left, right) }

  /// Where the mask is false.
  public static prefix func .! (mask: Tensor) -> Tensor { Elementwise.not(mask) }
}

/// `a` where the mask is true and `b` where it is false, with broadcasting.
///
/// Only the chosen operand has a derivative at an element, so that `select(x .> 0, log(x), 0)` has value 0 and slope
/// NaN at 0 through `log`: guard the operand inside too, `log(select(x .> 0, x, 1))`.
///
/// - Parameters:
///   - mask: A `bool` tensor.
///   - a: Values where the mask is true.
///   - b: Values where the mask is false, of the element type of `a`; of two literals both have the default type.
public func select(_ mask: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor {
  let (a, b) = (a.adopting(b.elementType), b.adopting(a.elementType))
  return Elementwise.select.apply([mask, a, b])[0]
}
