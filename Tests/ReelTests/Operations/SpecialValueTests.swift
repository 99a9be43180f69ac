import Reel
import ReelTestSupport
import Testing

private let infinity = Double.infinity
private let nan = Double.nan
private let largest = Double(Int32.max)
private let smallest = Double(Int32.min)

/// What an operation gives where arithmetic is special: zeros with a sign, infinities, NaN, ties, overflow.
struct SpecialValues: Sendable, CustomTestStringConvertible {
  let name: String
  let operands: [[Double]]
  let expected: [Double]
  /// Nil for both floating-point types.
  let elementType: ElementType?
  let apply: @Sendable ([Tensor]) -> Tensor

  init(
    _ name: String, _ operands: [Double]..., gives expected: [Double], in elementType: ElementType? = nil,
    _ apply: @escaping @Sendable ([Tensor]) -> Tensor
  ) {
    (self.name, self.operands, self.expected, self.elementType, self.apply) = (
      name, operands, expected, elementType, apply
    )
  }

  var testDescription: String { name }

  static let rounding: [SpecialValues] = [
    .init("sign", [-0.0, 0, infinity, -infinity, nan], gives: [-0.0, 0, 1, -1, nan]) { sign($0[0]) },
    .init("abs", [-0.0, -infinity, nan], gives: [0, infinity, nan]) { abs($0[0]) },
    .init("negate", [0, -0.0, infinity, nan], gives: [-0.0, 0, -infinity, nan]) { -$0[0] },
    .init("floor", [-0.5, -0.0, 0.5, infinity, nan], gives: [-1, -0.0, 0, infinity, nan]) { floor($0[0]) },
    .init("ceil", [-0.5, -0.0, 0.5, -infinity, nan], gives: [-0.0, -0.0, 1, -infinity, nan]) { ceil($0[0]) },
    .init("round, halves", [0.5, 1.5, 2.5, 3.5, -0.5, -1.5, -2.5], gives: [0, 2, 2, 4, -0.0, -2, -2]) { round($0[0]) },
    .init("round", [-0.0, 0.49999997, infinity, nan, 16_777_216], gives: [-0.0, 0, infinity, nan, 16_777_216]) {
      round($0[0].converted(to: .float32)).converted(to: $0[0].elementType)
    },
  ]

  static let functions: [SpecialValues] = [
    .init("exp", [-infinity, -1000, 0, 1000, infinity, nan], gives: [0, 0, 1, infinity, infinity, nan]) { exp($0[0]) },
    .init("expm1", [-infinity, -1000, 0, 1000, infinity, nan], gives: [-1, -1, 0, infinity, infinity, nan]) {
      expm1($0[0])
    },
    .init(
      "log", [0, -0.0, -1, -infinity, 1, infinity, nan], gives: [-infinity, -infinity, nan, nan, 0, infinity, nan]
    ) {
      log($0[0])
    },
    .init("log1p", [-1, -2, 0, infinity, nan], gives: [-infinity, nan, 0, infinity, nan]) { log1p($0[0]) },
    .init("sqrt", [0, -0.0, -1, infinity, nan], gives: [0, -0.0, nan, infinity, nan]) { sqrt($0[0]) },
    .init("rsqrt", [0, -1, 4, infinity, nan], gives: [infinity, nan, 0.5, 0, nan]) { rsqrt($0[0]) },
    .init("sin", [0, infinity, nan], gives: [0, nan, nan]) { sin($0[0]) },
    .init("cos", [0, infinity, nan], gives: [1, nan, nan]) { cos($0[0]) },
    .init("tanh", [-infinity, -1000, 0, 1000, infinity, nan], gives: [-1, -1, 0, 1, 1, nan]) { tanh($0[0]) },
    .init("sigmoid", [-infinity, 0, 1000, infinity, nan], gives: [0, 0.5, 1, 1, nan]) { sigmoid($0[0]) },
    .init("erf", [-infinity, -100, 0, 100, infinity, nan], gives: [-1, -1, 0, 1, 1, nan]) { erf($0[0]) },
    .init("1 - sigmoid far from 0", [-800, 800], gives: [1, 0]) { 1 - sigmoid($0[0]) },
  ]

  static let arithmetic: [SpecialValues] = [
    .init("divide", [1, -1, 0, infinity], [0, 0, 0, infinity], gives: [infinity, -infinity, nan, nan]) {
      $0[0] / $0[1]
    },
    .init("maximum", [nan, 1, infinity, -infinity, nan], [1, nan, 2, 0, nan], gives: [nan, nan, infinity, 0, nan]) {
      maximum($0[0], $0[1])
    },
    .init("minimum", [nan, 1, infinity, -infinity, nan], [1, nan, 2, 0, nan], gives: [nan, nan, 2, -infinity, nan]) {
      minimum($0[0], $0[1])
    },
    .init("remainder has the sign of b", [5, -5, 5, -5, 6], [3, 3, -3, -3, 3], gives: [2, 1, -1, -2, 0]) {
      remainder($0[0], $0[1])
    },
    .init("remainder", [1, nan, infinity, 1], [0, 1, 2, nan], gives: [nan, nan, nan, nan]) { remainder($0[0], $0[1]) },
    .init("power, exponent 0", [0, -1, infinity, -infinity, nan], [0, 0, 0, 0, 0], gives: [1, 1, 1, 1, 1]) {
      power($0[0], $0[1])
    },
    .init("power, base 0", [0, 0, 0, 0], [1, 2.5, -1, infinity], gives: [0, 0, infinity, 0]) { power($0[0], $0[1]) },
    .init("power, negative base", [-2, -2, -2, -8, -1], [3, 2, -1, 0.5, 1e9], gives: [-8, 4, -0.5, nan, 1]) {
      power($0[0], $0[1])
    },
    .init("power", [2, 0.5, infinity, 1, nan], [infinity, infinity, -1, nan, 1], gives: [infinity, 0, 0, 1, nan]) {
      power($0[0], $0[1])
    },
    .init("equal", [nan, 0, infinity], [nan, -0.0, infinity], gives: [0, 1, 1]) { $0[0] .== $0[1] },
    .init("notEqual", [nan, 0, infinity], [nan, -0.0, infinity], gives: [1, 0, 0]) { $0[0] .!= $0[1] },
    .init("less", [nan, 1, -infinity], [1, nan, infinity], gives: [0, 0, 1]) { $0[0] .< $0[1] },
    .init("lessEqual", [nan, 1, nan, -0.0], [1, nan, nan, 0], gives: [0, 0, 0, 1]) { $0[0] .<= $0[1] },
    .init("greaterEqual", [nan, 1, nan, -0.0], [1, nan, nan, 0], gives: [0, 0, 0, 1]) { $0[0] .>= $0[1] },
    .init("select", [1, nan], [nan, 2], gives: [1, 2]) { select($0[0] .< 1.5, $0[0], $0[1]) },
  ]

  static let integers: [SpecialValues] = [
    .init("add wraps", [largest, smallest], [1, -1], gives: [smallest, largest], in: .int32) { $0[0] + $0[1] },
    .init("multiply wraps", [65536, smallest], [65536, -1], gives: [0, smallest], in: .int32) { $0[0] * $0[1] },
    .init("negate wraps", [smallest], gives: [smallest], in: .int32) { -$0[0] },
    .init("abs wraps", [smallest], gives: [smallest], in: .int32) { abs($0[0]) },
    .init(
      "divide truncates, by 0 gives 0", [7, -7, 7, -7, 5, 0, smallest], [2, 2, -2, -2, 0, 0, -1],
      gives: [3, -3, -3, 3, 0, 0, smallest], in: .int32
    ) { $0[0] / $0[1] },
    .init(
      "remainder has the sign of b", [7, -7, 7, -7, 5, smallest], [3, 3, -3, -3, 0, -1], gives: [1, 2, -2, -1, 0, 0],
      in: .int32
    ) { remainder($0[0], $0[1]) },
    .init(
      "power modulo 2³²", [2, 2, 3, -3, 10, 0], [30, 32, 21, 3, 10, 0],
      gives: [1_073_741_824, 0, 1_870_418_611, -27, 1_410_065_408, 1],
      in: .int32
    ) { power($0[0], $0[1]) },
    .init("power, negative exponent", [2, 1, -1, -1], [-1, -5, -3, -4], gives: [0, 1, -1, 1], in: .int32) {
      power($0[0], $0[1])
    },
  ]

  static let folds: [SpecialValues] = [
    .init("max", [1, nan, 3], gives: [nan]) { $0[0].max() }, .init("min", [1, nan, 3], gives: [nan]) { $0[0].min() },
    .init("max of infinities", [-infinity, -infinity], gives: [-infinity]) { $0[0].max() },
    .init("argMax, the first NaN", [5, nan, 7, nan], gives: [1]) { $0[0].argMax() },
    .init("argMin, the first NaN", [5, 1, nan, nan], gives: [2]) { $0[0].argMin() },
    .init("argMax, the first of equal ones", [1, 3, 3, 0, 3], gives: [1]) { $0[0].argMax() },
    .init("argMin, the first of equal ones", [1, 0, 3, 0], gives: [1]) { $0[0].argMin() },
    .init("argMax of -∞", [-infinity, -infinity], gives: [0]) { $0[0].argMax() },
    .init("sum", [infinity, -infinity], gives: [nan]) { $0[0].sum() },
    .init("sum of nothing", [], gives: [0]) { $0[0].sum() },
    .init("product of nothing", [], gives: [1]) { $0[0].product() },
    .init("mean of nothing", [], gives: [nan]) { $0[0].mean() },
    .init(
      "float to int truncates and saturates", [1.9, -1.9, 1e20, -1e20, infinity, -infinity, nan, 0.5],
      gives: [1, -1, largest, smallest, largest, smallest, 0, 0]
    ) { $0[0].converted(to: .int32) },
    .init("to bool", [0, -0.0, 0.25, nan, -infinity], gives: [0, 0, 1, 1, 1]) { $0[0].converted(to: .bool) },
    .init("float64 to float32", [1e300, -1e300, 1e-300], gives: [infinity, -infinity, 0], in: .float64) {
      $0[0].converted(to: .float32)
    },
  ]
}

@Suite struct SpecialValueTests {
  static let rows =
    SpecialValues.rounding + SpecialValues.functions + SpecialValues.arithmetic + SpecialValues.integers
    + SpecialValues.folds

  @Test(arguments: rows)
  func specialValuesAreAsDocumented(row: SpecialValues) throws {
    for elementType in row.elementType.map({ [$0] }) ?? [.float32, .float64] {
      // Repeated, the numbers also meet the vector code.
      for copies in row.expected.count == row.operands[0].count ? [1, 19] : [1] {
        let operands = row.operands.map { operand in
          Tensor((0..<copies).flatMap { _ in operand }).converted(to: elementType)
        }
        let expected = Tensor((0..<copies).flatMap { _ in row.expected })
        let found = row.apply(operands)
        expectSameBits(
          found.reshaped(to: [found.count]).converted(to: .float64), expected, "\(row.name) of \(elementType)")
        expectSameBits(try compiled { (x: [Tensor]) in row.apply(x) }(operands), found, "compiled \(row.name)")
      }
    }
  }

  /// Slopes at points where a choice was made, which the documentation of each function names.
  static let slopes: [(String, [Double], [Double], @Sendable (Tensor) -> Tensor)] = [
    ("abs", [0, 2, -2], [0, 1, -1], { abs($0) }), ("sign", [0, 2], [0, 0], { sign($0) }),
    ("floor", [0, 0.5], [0, 0], { floor($0) }), ("round", [0.5, 2], [0, 0], { round($0) }),
    ("x²", [0, -3], [0, -6], { power($0, 2) }), ("x¹", [0, -3], [1, 1], { power($0, 1) }),
    ("x⁰", [0, 2, -1], [0, 0, 0], { power($0, 0) }), ("√x by power", [0, 4], [.infinity, 0.25], { power($0, 0.5) }),
    ("0ˣ", [0, 1, 2.5], [0, 0, 0], { power(0, $0) }), ("2ˣ", [0], [0.6931471805599453], { power(2, $0) }),
    ("maximum, the first of equal ones", [1, 2, 0], [1, 1, 0], { maximum($0, [1, 1, 1]) }),
    ("maximum, the second of equal ones", [1, 2, 0], [0, 1, 0], { maximum([1, 1, 1], $0) }),
    ("minimum, the first of equal ones", [1, 2, 0], [1, 0, 1], { minimum($0, [1, 1, 1]) }),
    ("minimum, the second of equal ones", [1, 2, 0], [0, 0, 1], { minimum([1, 1, 1], $0) }),
    ("max shares", [3, 1, 3, 3], [1.0 / 3, 0, 1.0 / 3, 1.0 / 3], { $0.max() }),
    ("min shares", [3, 1, 1, 3], [0, 0.5, 0.5, 0], { $0.min() }),
    ("product with a zero", [2, 0, 3], [0, 6, 0], { $0.product() }),
    ("product with two", [0, 5, 0], [0, 0, 0], { $0.product() }),
    ("select, unguarded", [0, 1], [.nan, 1], { select($0 .> 0, log($0), 0) }),
    ("select, guarded", [0, 1], [0, 1], { select($0 .> 0, log(select($0 .> 0, $0, 1)), 0) }),
    ("sqrt", [0], [.infinity], { sqrt($0) }),
  ]

  @Test func slopesAreAsDocumented() {
    for (name, at, expected, function) in Self.slopes {
      for elementType in [ElementType.float32, .float64] {
        let x = Tensor(at).converted(to: elementType)
        let found = ElementType.withDefault(elementType) { gradient(at: x) { function($0).sum() } }
        expectClose(found.converted(to: .float64), Tensor(expected), relative: 1e-6, absolute: 0, "slope of \(name)")
      }
    }
  }
}
