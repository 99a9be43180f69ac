import ReelKernels
import Testing

/// int32, bool, comparisons, choices and conversions.
@Suite struct IntegerTests {
  static let corners: [Int32] = [.min, .min + 1, -65_536, -3, -2, -1, 0, 1, 2, 3, 7, 31, 46_341, .max - 1, .max]

  static let pairs: (a: [Int32], b: [Int32]) = {
    var samples = Samples(seed: 3)
    let a = corners.flatMap { [Int32](repeating: $0, count: corners.count) }
    let b = corners.flatMap { _ in corners }
    return (a + samples.ints(3_000), b + samples.ints(3_000))
  }()

  static func floored(_ a: Int32, _ b: Int32) -> Int32 {
    guard b != 0 else { return 0 }
    let remainder = a.remainderReportingOverflow(dividingBy: b).partialValue
    return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder
  }

  static func power(_ base: Int32, _ exponent: Int32) -> Int32 {
    if exponent < 0 { return base == 1 ? 1 : base == -1 ? (exponent & 1 == 1 ? -1 : 1) : 0 }
    var (result, square, rest) = (Int32(1), base, exponent)
    while rest > 0 {
      if rest & 1 == 1 { result = result &* square }
      square = square &* square
      rest >>= 1
    }
    return result
  }

  @Test(arguments: Kernels.all) func operationsOfTwo(_ kernels: Kernels) {
    let operations: [(reel_opcode, (Int32, Int32) -> Int32)] = [
      (REEL_OP_ADD, { $0 &+ $1 }), (REEL_OP_SUBTRACT, { $0 &- $1 }), (REEL_OP_MULTIPLY, { $0 &* $1 }),
      (REEL_OP_DIVIDE, { $1 == 0 ? 0 : $0.dividedReportingOverflow(by: $1).partialValue }),
      (REEL_OP_REMAINDER, Self.floored), (REEL_OP_POWER, Self.power), (REEL_OP_MAXIMUM, { max($0, $1) }),
      (REEL_OP_MINIMUM, { min($0, $1) }),
    ]
    let (a, b) = Self.pairs
    for (opcode, operation) in operations {
      #expect(kernels.apply(opcode, a, b, to: Int32.self) == zip(a, b).map(operation), "opcode \(opcode.rawValue)")
    }
  }

  @Test(arguments: Kernels.all) func operationsOfOne(_ kernels: Kernels) {
    let a = Self.pairs.a
    #expect(kernels.apply(REEL_OP_COPY, a, to: Int32.self) == a)
    #expect(kernels.apply(REEL_OP_NEGATE, a, to: Int32.self) == a.map { 0 &- $0 })
    #expect(kernels.apply(REEL_OP_ABS, a, to: Int32.self) == a.map { $0 < 0 ? 0 &- $0 : $0 })
    #expect(kernels.apply(REEL_OP_SIGN, a, to: Int32.self) == a.map { $0.signum() })
  }

  @Test(arguments: Kernels.all) func bools(_ kernels: Kernels) {
    var samples = Samples(seed: 4)
    let (a, b) = (samples.bools(1_000), samples.bools(1_000))
    #expect(kernels.apply(REEL_OP_COPY, a, to: UInt8.self) == a)
    #expect(kernels.apply(REEL_OP_NOT, a, to: UInt8.self) == a.map { 1 - $0 })
    #expect(kernels.apply(REEL_OP_AND, a, b, to: UInt8.self) == zip(a, b).map { $0 & $1 })
    #expect(kernels.apply(REEL_OP_OR, a, b, to: UInt8.self) == zip(a, b).map { $0 | $1 })
    #expect(kernels.apply(REEL_OP_XOR, a, b, to: UInt8.self) == zip(a, b).map { $0 ^ $1 })
    #expect(kernels.apply(REEL_OP_EQUAL, a, b, to: UInt8.self) == zip(a, b).map { $0 == $1 ? 1 : 0 })
    #expect(kernels.apply(REEL_OP_NOT_EQUAL, a, b, to: UInt8.self) == zip(a, b).map { $0 != $1 ? 1 : 0 })
  }

  @Test(arguments: Kernels.all) func comparisons(_ kernels: Kernels) {
    compare(kernels, Self.pairs.a, Self.pairs.b)
    let floats = Float.special
    compare(kernels, floats.flatMap { [Float](repeating: $0, count: floats.count) }, floats.flatMap { _ in floats })
    let doubles = Double.special
    compare(
      kernels, doubles.flatMap { [Double](repeating: $0, count: doubles.count) }, doubles.flatMap { _ in doubles })
  }

  private func compare<T: KernelElement & Comparable>(_ kernels: Kernels, _ a: [T], _ b: [T]) {
    let comparisons: [(reel_opcode, (T, T) -> Bool)] = [
      (REEL_OP_EQUAL, ==), (REEL_OP_NOT_EQUAL, !=), (REEL_OP_LESS, <), (REEL_OP_LESS_EQUAL, <=), (REEL_OP_GREATER, >),
      (REEL_OP_GREATER_EQUAL, >=),
    ]
    for (opcode, comparison) in comparisons {
      let expected = zip(a, b).map { comparison($0, $1) ? UInt8(1) : 0 }
      #expect(kernels.apply(opcode, a, b, to: UInt8.self) == expected, "opcode \(opcode.rawValue)")
    }
  }

  @Test(arguments: Kernels.all) func choices(_ kernels: Kernels) {
    choose(kernels, { $0.ints($1) })
    choose(kernels, { $0.bools($1) })
    choose(kernels, { (samples, count) -> [Float] in samples.patterns(count) })
    choose(kernels, { (samples, count) -> [Double] in samples.patterns(count) })
  }

  private func choose<T: KernelElement>(_ kernels: Kernels, _ make: (inout Samples, Int) -> [T]) {
    var samples = Samples(seed: 8)
    let (a, b, condition) = (make(&samples, 533), make(&samples, 533), samples.bools(533))
    let chosen = kernels.select(condition, a, b)
    let expected = condition.indices.map { condition[$0] == 1 ? a[$0] : b[$0] }
    #expect(chosen.map(\.bits) == expected.map(\.bits))
  }

  @Test(arguments: Kernels.all) func conversions(_ kernels: Kernels) {
    let (floats, doubles, ints) = (Float.sampled, Double.sampled, Self.pairs.a)
    var samples = Samples(seed: 9)
    let bools = samples.bools(777)
    convert(kernels, floats) { (x: Float) in Double(x) }
    convert(kernels, floats, Self.saturated)
    convert(kernels, floats) { (x: Float) in UInt8(x != 0 ? 1 : 0) }
    convert(kernels, doubles) { (x: Double) in Float(x) }
    convert(kernels, doubles, Self.saturated)
    convert(kernels, doubles) { (x: Double) in UInt8(x != 0 ? 1 : 0) }
    convert(kernels, ints) { (x: Int32) in Float(x) }
    convert(kernels, ints) { (x: Int32) in Double(x) }
    convert(kernels, ints) { (x: Int32) in UInt8(x != 0 ? 1 : 0) }
    convert(kernels, bools) { (x: UInt8) in Float(x) }
    convert(kernels, bools) { (x: UInt8) in Double(x) }
    convert(kernels, bools) { (x: UInt8) in Int32(x) }
    convert(kernels, floats) { (x: Float) in x }
    convert(kernels, doubles) { (x: Double) in x }
    convert(kernels, ints) { (x: Int32) in x }
    convert(kernels, bools) { (x: UInt8) in x }
  }

  private static func saturated<T: KernelReal>(_ x: T) -> Int32 {
    x.isNaN ? 0 : Int32(clamping: Int64(exactly: x.rounded(.towardZero)) ?? (x < 0 ? .min : .max))
  }

  private func convert<A: KernelElement, B: KernelElement>(_ kernels: Kernels, _ a: [A], _ conversion: (A) -> B) {
    let converted = kernels.apply(REEL_OP_CONVERT, a, to: B.self)
    #expect(converted.map(\.bits) == a.map { conversion($0).bits }, "\(A.self) to \(B.self)")
  }
}
