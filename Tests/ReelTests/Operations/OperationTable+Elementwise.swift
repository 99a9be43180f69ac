import Foundation
import Reel
import ReelTestSupport

extension OperationTable {
  /// Shapes of one operand: a plain one, a scalar, no elements, and more than a vector register holds.
  private static let shapes: [Shape] = [[2, 3], [], [2, 0], [37]]

  private static func unary(
    _ name: String, on interval: ClosedRange<Double> = -2...2, isDifferentiable: Bool = true,
    _ apply: @escaping @Sendable (Tensor) -> Tensor, _ reference: @escaping @Sendable (Double) -> Double
  ) -> [Row] {
    shapes.map { shape in
      Row(name, [.real(shape, interval, isDifferentiable: isDifferentiable)]) {
        apply($0[0])
      } reference: {
        Numbers.elementwise { reference($0[0]) }($0)
      }
    }
  }

  private static func integer(
    _ name: String, _ apply: @escaping @Sendable (Tensor) -> Tensor,
    _ reference: @escaping @Sendable (Double) -> Double
  ) -> Row {
    Row(name, [.int([3, 6])], gives: .int32) {
      apply($0[0])
    } reference: {
      Numbers.elementwise { reference($0[0]) }($0)
    }
  }

  static let unary: [Row] = [
    unary("negate", { -$0 }, { -$0 }),
    unary("abs", abs, { Swift.abs($0) }),
    unary("sign", isDifferentiable: false, sign, { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }),
    unary("floor", isDifferentiable: false, floor, { $0.rounded(.down) }),
    unary("ceil", isDifferentiable: false, ceil, { $0.rounded(.up) }),
    unary("round", isDifferentiable: false, round, { $0.rounded(.toNearestOrEven) }),
    unary("exp", exp, { Foundation.exp($0) }),
    unary("expm1", expm1, { Foundation.expm1($0) }),
    unary("log", on: 0.2...4, log, { Foundation.log($0) }),
    unary("log1p", on: -0.8...3, log1p, { Foundation.log1p($0) }),
    unary("sqrt", on: 0.2...4, sqrt, { $0.squareRoot() }),
    unary("rsqrt", on: 0.2...4, rsqrt, { 1 / $0.squareRoot() }),
    unary("sin", on: -4...4, sin, { Foundation.sin($0) }),
    unary("cos", on: -4...4, cos, { Foundation.cos($0) }),
    unary("tanh", tanh, { Foundation.tanh($0) }),
    unary("sigmoid", on: -4...4, sigmoid, { 1 / (1 + Foundation.exp(-$0)) }),
    unary("erf", erf, { Foundation.erf($0) }),
    [
      integer("negate", { -$0 }, { -$0 }),
      integer("abs", abs, { Swift.abs($0) }),
      integer("sign", sign, { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }),
    ],
  ].flatMap { $0 }

  /// Shapes of two operands that broadcast in every way.
  private static let pairs: [(Shape, Shape)] = [
    ([2, 3], [2, 3]), ([2, 3], [3]), ([3], [2, 3]), ([2, 1], [1, 3]), ([], [2, 3]), ([2, 3], []), ([4, 1, 3], [2, 1]),
    ([0, 3], [3]), ([], []), ([37], [37]),
  ]

  typealias Binary = @Sendable (Tensor, Tensor) -> Tensor
  typealias Scalars = @Sendable (Double, Double) -> Double

  private static func binary(
    _ name: String, on left: ClosedRange<Double> = -2...2, and right: ClosedRange<Double> = -2...2,
    _ apply: @escaping Binary, _ reference: @escaping Scalars
  ) -> [Row] {
    pairs.map { shapes in
      Row(name, [.real(shapes.0, left), .real(shapes.1, right)]) {
        apply($0[0], $0[1])
      } reference: {
        Numbers.elementwise { reference($0[0], $0[1]) }($0)
      }
    }
  }

  private static func integers(
    _ name: String, gives type: ElementType = .int32, _ apply: @escaping Binary, _ reference: @escaping Scalars
  ) -> Row {
    Row(name, [.int([12, 9]), .int([9])], gives: type) {
      apply($0[0], $0[1])
    } reference: {
      Numbers.elementwise { reference($0[0], $0[1]) }($0)
    }
  }

  @Sendable private static func floorRemainder(_ a: Double, _ b: Double) -> Double {
    b == 0 ? 0 : a - b * (a / b).rounded(.down)
  }

  static let arithmetic: [Row] = [
    binary("add", { $0 + $1 }, { $0 + $1 }),
    binary("subtract", { $0 - $1 }, { $0 - $1 }),
    binary("multiply", { $0 * $1 }, { $0 * $1 }),
    binary("divide", on: -2...2, and: 0.5...2, { $0 / $1 }, { $0 / $1 }),
    binary("power", on: 0.3...2, and: -2...2, power, { Foundation.pow($0, $1) }),
    binary("maximum", maximum, { Swift.max($0, $1) }),
    binary("minimum", minimum, { Swift.min($0, $1) }),
    binary("remainder", on: -4...4, and: 0.5...2, remainder, floorRemainder),
    [
      integers("add", { $0 + $1 }, { $0 + $1 }),
      integers("subtract", { $0 - $1 }, { $0 - $1 }),
      integers("multiply", { $0 * $1 }, { $0 * $1 }),
      integers("divide", { $0 / $1 }, { $1 == 0 ? 0 : ($0 / $1).rounded(.towardZero) }),
      integers("maximum", maximum, { Swift.max($0, $1) }),
      integers("minimum", minimum, { Swift.min($0, $1) }),
      integers("remainder", remainder, floorRemainder),
      Row("power", [.int([3, 3]), .int([3], of: [0, 1, 5])], gives: .int32) {
        power($0[0], $0[1])
      } reference: {
        Numbers.elementwise { Foundation.pow($0[0], $0[1]) }($0)
      },
      // The cotangents of x from both factors meet in the sweep.
      Row("accumulate", [.real([2, 3])]) { x in
        gradient(at: x[0]) { (sin($0) * $0).sum() }
      } reference: {
        Numbers.elementwise { Foundation.cos($0[0]) * $0[0] + Foundation.sin($0[0]) }($0)
      },
    ],
  ].flatMap { $0 }

  private static func comparison(
    _ name: String, _ apply: @escaping Binary, _ reference: @escaping @Sendable (Double, Double) -> Bool
  ) -> [Row] {
    let halves: [Double] = [-1, -0.5, 0, 0.5, 1]
    let pairs: [(Shape, Shape)] = [([4, 6], [4, 6]), ([4, 6], [6]), ([], [6]), ([0], []), ([4, 1], [6])]
    let real = pairs.map { shapes in
      let operands = [shapes.0, shapes.1].map { Row.Operand.real($0, of: halves, isDifferentiable: false) }
      return Row(name, operands, gives: .bool) {
        apply($0[0], $0[1])
      } reference: {
        Numbers.elementwise { reference($0[0], $0[1]) ? 1 : 0 }($0)
      }
    }
    return real + [integers(name, gives: .bool, apply) { reference($0, $1) ? 1 : 0 }]
  }

  private static func logic(_ name: String, _ apply: @escaping Binary, _ reference: @escaping Scalars) -> [Row] {
    [([8], [8]), ([2, 4], [4]), ([], [4])].map { (left: Shape, right: Shape) in
      Row(name, [.bool(left), .bool(right)], gives: .bool) {
        apply($0[0], $0[1])
      } reference: {
        Numbers.elementwise { reference($0[0], $0[1]) }($0)
      }
    }
  }

  private static let choices: [([Row.Operand], ElementType?)] = [
    ([.bool([4, 6]), .real([4, 6]), .real([4, 6])], nil), ([.bool([4, 1]), .real([6]), .real([4, 6])], nil),
    ([.bool([8]), .real([]), .real([2, 8])], nil), ([.bool([8]), .int([8]), .int([])], .int32),
    ([.bool([8]), .bool([8]), .bool([2, 8])], .bool), ([.bool([0]), .real([0]), .real([])], nil),
  ]

  static let masks: [Row] =
    [
      comparison("equal", { $0 .== $1 }, { $0 == $1 }),
      comparison("notEqual", { $0 .!= $1 }, { $0 != $1 }),
      comparison("less", { $0 .< $1 }, { $0 < $1 }),
      comparison("lessEqual", { $0 .<= $1 }, { $0 <= $1 }),
      comparison("greater", { $0 .> $1 }, { $0 > $1 }),
      comparison("greaterEqual", { $0 .>= $1 }, { $0 >= $1 }),
      logic("equal", { $0 .== $1 }, { $0 == $1 ? 1 : 0 }),
      logic("notEqual", { $0 .!= $1 }, { $0 == $1 ? 0 : 1 }),
      logic("and", { $0 .& $1 }, { $0 * $1 }),
      logic("or", { $0 .| $1 }, { Swift.max($0, $1) }),
      logic("xor", { $0 .^ $1 }, { $0 == $1 ? 0 : 1 }),
      [
        Row("not", [.bool([3, 4])], gives: .bool) {
          .!$0[0]
        } reference: {
          Numbers.elementwise { 1 - $0[0] }($0)
        }
      ],
      choices.map { operands, type in
        Row("select", operands, gives: type) {
          select($0[0], $0[1], $0[2])
        } reference: {
          Numbers.elementwise { $0[0] == 1 ? $0[1] : $0[2] }($0)
        }
      },
    ].flatMap { $0 }
}
