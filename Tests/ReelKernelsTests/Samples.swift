/// A small generator (SplitMix64): the same numbers in every run.
struct Samples: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

  mutating func bool() -> Bool { next() & 1 == 1 }

  mutating func reals<T: KernelReal>(_ count: Int, in range: ClosedRange<Double> = -1...1) -> [T] {
    (0..<count).map { _ in T(Double.random(in: range, using: &self)) }
  }

  /// Any bit patterns: all sizes, infinities and NaN.
  mutating func patterns<T: KernelReal>(_ count: Int) -> [T] { (0..<count).map { _ in T(pattern: next()) } }

  mutating func ints(_ count: Int) -> [Int32] {
    (0..<count).map { _ in Int32(truncatingIfNeeded: next()) >> Int32(next() % 32) }
  }

  mutating func bools(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(next() & 1) } }
}

/// float32 and float64.
protocol KernelReal: KernelElement, BinaryFloatingPoint {
  init(pattern: UInt64)

  /// All sizes with both signs, evenly over the bit patterns, and dense where functions bend.
  static var sampled: [Self] { get }
}

extension KernelReal {
  /// Values where functions have their corners.
  static var special: [Self] {
    let magnitudes: [Self] = [
      0, .leastNonzeroMagnitude, .leastNormalMagnitude, .leastNormalMagnitude.nextDown, 0x1p-30, 0.25, 0.5, 1, 1.5, 2,
      2.5,
      3, 10, 87, 88.5, 89, 103.5, 104, 700, 709.5, 710, 745, 746, 1000, 8_388_607.5, 16_777_216, 2_147_483_648, 1e9,
      1e20, .greatestFiniteMagnitude, .infinity, .nan,
    ]
    return magnitudes + magnitudes.map { -$0 } + [Self(1).nextUp, Self(1).nextDown, Self(0.5).nextDown]
  }
}

extension Float: KernelReal {
  init(pattern: UInt64) { self.init(bitPattern: UInt32(truncatingIfNeeded: pattern)) }

  static var sampled: [Float] {
    let everywhere = stride(from: UInt32(0), to: .max - 90_000, by: 80_021).map { Float(bitPattern: $0) }
    let dense = stride(from: Float(-12), to: 12, by: 0.00231).map { $0 }
    return special + everywhere + dense
  }
}

extension Double: KernelReal {
  init(pattern: UInt64) { self.init(bitPattern: pattern) }

  static var sampled: [Double] {
    var samples = Samples(seed: 11)
    let wide: [Double] = samples.reals(6_000, in: -750...750)
    let dense: [Double] = samples.reals(12_000, in: -6...6)
    return special + samples.patterns(12_000) + wide + dense
  }
}

#if arch(x86_64) && !os(Windows) && !os(macOS)
/// Where there is a wider type, the reference for float64 is computed in it.
typealias Wide = Float80
/// What the reference itself may be off by, in units of the last place of a float64.
let wideError = 0.01
#else
typealias Wide = Double
let wideError = 1.0
#endif

/// How far a result is from the exact value, in units of its last place; infinite where not even the kind is right.
func distance<T: KernelReal>(_ result: T, from exact: Wide) -> Double {
  let rounded = T(exact)
  if rounded.isNaN || result.isNaN { return rounded.isNaN && result.isNaN ? 0 : .infinity }
  if exact == 0 { return result == 0 && result.sign == exact.sign ? 0 : .infinity }
  if rounded.isInfinite || result.isInfinite {
    if result == rounded { return 0 }
    // The largest numbers and infinity are neighbours.
    return Swift.abs(result) >= .greatestFiniteMagnitude && Swift.abs(rounded) >= .greatestFiniteMagnitude
      && result.sign == rounded.sign ? 1 : .infinity
  }
  return Double(Swift.abs(Wide(result) - exact) / Wide(rounded == 0 ? T.leastNonzeroMagnitude : rounded.ulp))
}
