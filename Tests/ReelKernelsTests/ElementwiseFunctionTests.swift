import Foundation
import ReelKernels
import Testing

/// Every function of one or two floating-point operands against the scalar functions of the platform.
@Suite struct ElementwiseFunctionTests {
  struct Function: CustomTestStringConvertible, Sendable {
    let opcode: reel_opcode
    let name: String
    let limit: Double
    let exact: @Sendable (Wide) -> Wide

    var testDescription: String { name }
  }

  static let functions = [
    Function(opcode: REEL_OP_COPY, name: "copy", limit: 0) { $0 },
    Function(opcode: REEL_OP_NEGATE, name: "negate", limit: 0) { -$0 },
    Function(opcode: REEL_OP_ABS, name: "abs", limit: 0) { abs($0) },
    Function(opcode: REEL_OP_SIGN, name: "sign", limit: 0) { $0 > 0 ? 1 : $0 < 0 ? -1 : $0 },
    Function(opcode: REEL_OP_EXP, name: "exp", limit: 2) { exp($0) },
    Function(opcode: REEL_OP_EXPM1, name: "expm1", limit: 2) { expm1($0) },
    Function(opcode: REEL_OP_LOG, name: "log", limit: 2) { log($0) },
    Function(opcode: REEL_OP_LOG1P, name: "log1p", limit: 2) { log1p($0) },
    Function(opcode: REEL_OP_SQRT, name: "sqrt", limit: 0.5) { $0.squareRoot() },
    Function(opcode: REEL_OP_RSQRT, name: "rsqrt", limit: 1.5) { 1 / $0.squareRoot() },
    Function(opcode: REEL_OP_SIN, name: "sin", limit: 2) { sin($0) },
    Function(opcode: REEL_OP_COS, name: "cos", limit: 2) { cos($0) },
    Function(opcode: REEL_OP_TANH, name: "tanh", limit: 2) { tanh($0) },
    Function(opcode: REEL_OP_SIGMOID, name: "sigmoid", limit: 2) {
      $0 < 0 ? exp($0) / (1 + exp($0)) : 1 / (1 + exp(-$0))
    },
    Function(opcode: REEL_OP_ERF, name: "erf", limit: 2) { erf($0) },
    Function(opcode: REEL_OP_FLOOR, name: "floor", limit: 0) { $0.rounded(.down) },
    Function(opcode: REEL_OP_CEIL, name: "ceil", limit: 0) { $0.rounded(.up) },
    Function(opcode: REEL_OP_ROUND, name: "round", limit: 0) { $0.rounded(.toNearestOrEven) },
  ]

  struct FunctionOfTwo: Sendable {
    let opcode: reel_opcode
    let name: String
    let limit: Double
    let exact: @Sendable (Wide, Wide) -> Wide
  }

  static let functionsOfTwo = [
    FunctionOfTwo(opcode: REEL_OP_POWER, name: "power", limit: 2) { pow($0, $1) },
    FunctionOfTwo(opcode: REEL_OP_MAXIMUM, name: "maximum", limit: 0) {
      $0.isNaN || $1.isNaN ? .nan : $0 > $1 ? $0 : $1
    },
    FunctionOfTwo(opcode: REEL_OP_MINIMUM, name: "minimum", limit: 0) {
      $0.isNaN || $1.isNaN ? .nan : $0 < $1 ? $0 : $1
    },
  ]

  @Test(arguments: functions) func float32(_ function: Function) {
    expectClose(function, Float.sampled, slack: 0)
  }

  @Test(arguments: functions) func float64(_ function: Function) {
    expectClose(function, Double.sampled, slack: wideError)
  }

  @Test func functionsOfTwoFloat32() { functionsOfTwo(Float.self) }

  @Test func functionsOfTwoFloat64() { functionsOfTwo(Double.self) }

  /// The operations that the processor rounds itself: not a bit may differ.
  @Test func arithmeticFloat32() { arithmetic(Float.self) }

  @Test func arithmeticFloat64() { arithmetic(Double.self) }

  @Test func remainderFloat32() { remainder(Float.self) { fmodf($0, $1) } }

  @Test func remainderFloat64() { remainder(Double.self) { fmod($0, $1) } }

  private func expectClose<T: KernelReal>(_ function: Function, _ x: [T], slack: Double) {
    let results = Kernels.best.apply(function.opcode, x, to: T.self)
    var worst = (distance: 0.0, at: T.zero)
    for (x, result) in zip(x, results) {
      let error = distance(result, from: function.exact(Wide(x)))
      if error > worst.distance { worst = (error, x) }
    }
    #expect(worst.distance <= function.limit + slack, "\(function.name) at \(worst.at)")
  }

  private func functionsOfTwo<T: KernelReal>(_: T.Type) {
    let (a, b) = pairs(T.self)
    for function in Self.functionsOfTwo {
      let results = Kernels.best.apply(function.opcode, a, b, to: T.self)
      var worst = (distance: 0.0, a: T.zero, b: T.zero)
      for i in a.indices {
        let error = distance(results[i], from: function.exact(Wide(a[i]), Wide(b[i])))
        if error > worst.distance { worst = (error, a[i], b[i]) }
      }
      #expect(worst.distance <= function.limit + wideError, "\(function.name) of \(worst.a) and \(worst.b)")
    }
  }

  private func arithmetic<T: KernelReal>(_: T.Type) {
    let (a, b) = pairs(T.self)
    let operations: [(opcode: reel_opcode, exact: (T, T) -> T)] = [
      (REEL_OP_ADD, { $0 + $1 }), (REEL_OP_SUBTRACT, { $0 - $1 }), (REEL_OP_MULTIPLY, { $0 * $1 }),
      (REEL_OP_DIVIDE, { $0 / $1 }),
    ]
    for operation in operations {
      let results = Kernels.best.apply(operation.opcode, a, b, to: T.self)
      #expect(a.indices.allSatisfy { results[$0].bits == operation.exact(a[$0], b[$0]).bits })
    }
  }

  private func remainder<T: KernelReal>(_: T.Type, truncated: (T, T) -> T) {
    let (a, b) = pairs(T.self)
    let results = Kernels.best.apply(REEL_OP_REMAINDER, a, b, to: T.self)
    for i in a.indices {
      var expected = truncated(a[i], b[i])
      if expected == 0 {
        expected = T(signOf: b[i], magnitudeOf: 0)
      } else if (expected < 0) != (b[i] < 0) {
        expected += b[i]
      }
      guard results[i].bits != expected.bits else { continue }
      Issue.record("\(a[i]) modulo \(b[i]): \(results[i]), not \(expected)")
    }
  }

  /// All pairs of special values, any bit patterns, and moderate numbers, some of them whole.
  private func pairs<T: KernelReal>(_: T.Type) -> (a: [T], b: [T]) {
    var samples = Samples(seed: 5)
    var a: [T] = []
    var b: [T] = []
    for x in T.special {
      a += [T](repeating: x, count: T.special.count)
      b += T.special
    }
    a += samples.patterns(4_000) + samples.reals(4_000, in: 0...20) + samples.reals(4_000, in: -9...9)
    b += samples.patterns(4_000) + samples.reals(4_000, in: -20...20)
    b += samples.reals(4_000, in: -9...9).map { (value: T) in value.rounded() }
    return (a, b)
  }
}
