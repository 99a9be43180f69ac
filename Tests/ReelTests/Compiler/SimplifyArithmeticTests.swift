import Reel
import Testing

@Suite struct SimplifyArithmeticTests {
  let f = TensorType([2, 3])
  let i = TensorType([2, 3], .int32)
  let b = TensorType([2, 3], .bool)

  /// One function of one operand, and what is left of it.
  private func expect(
    _ type: TensorType, _ lines: [String], sourceLocation: SourceLocation = #_sourceLocation,
    _ function: (Tensor) -> Tensor
  ) throws {
    try expectSimplified([type], to: lines, sourceLocation: sourceLocation) { [function($0[0])] }
  }

  @Test func whatChangesNothingGoes() throws {
    let gone = ["return %0"]
    try expect(f, gone) { -(-$0) }
    try expect(f, gone) { $0 * 1 }
    try expect(f, gone) { 1 * $0 }
    try expect(f, gone) { $0 / 1 }
    try expect(f, gone) { $0 - 0 }
    try expect(f, gone) { $0 + Tensor(-0.0 as Float) }
    try expect(f, gone) { maximum($0, $0) }
    try expect(f, gone) { select(true, $0, $0 * 2) }
    try expect(f, gone) { select(false, $0 * 2, $0) }
    try expect(f, gone) { select($0 .> 0, $0, $0) }
    try expect(f, gone) { $0 * Tensor.ones([2, 3]) }
    try expect(f, gone) { stopGradient($0) }
    try expect(i, gone) { $0 + 0 }
    try expect(i, gone) { $0 * 1 / 1 - 0 }
    try expect(b, gone) { .!(.!$0) }
    try expect(b, gone) { ($0 .& true) .| false .^ false }
    try expect(b, gone) { ($0 .& $0) .| $0 }
  }

  @Test func whatChangesBitsStays() throws {
    // -0 + 0 is 0.
    try expect(f, ["%1: f32[] = constant {value=0.0}", "%2: f32[2,3] = add %0 %1", "return %2"]) { $0 + 0 }
    try expect(f, ["%1: f32[] = constant {value=0.0}", "%2: f32[2,3] = subtract %1 %0", "return %2"]) { 0 - $0 }
    try expect(f, ["%1: f32[] = constant {value=-0.0}", "%2: f32[2,3] = subtract %0 %1", "return %2"]) {
      $0 - Tensor(-0.0 as Float)
    }
    // ∞ · 0 is NaN.
    try expect(f, ["%1: f32[] = constant {value=0.0}", "%2: f32[2,3] = multiply %0 %1", "return %2"]) { $0 * 0 }
    // NaN equals nothing.
    try expect(f, ["%1: bool[2,3] = equal %0 %0", "return %1"]) { $0 .== $0 }
    try expect(f, ["%1: f32[2,3] = subtract %0 %0", "return %1"]) { $0 - $0 }
  }

  @Test func signsMoveIntoSums() throws {
    try expectSimplified([f, f], to: ["%2: f32[2,3] = subtract %0 %1", "return %2"]) { [$0[0] + -$0[1]] }
    try expectSimplified([f, f], to: ["%2: f32[2,3] = subtract %1 %0", "return %2"]) { [-$0[0] + $0[1]] }
    try expectSimplified([f, f], to: ["%2: f32[2,3] = add %0 %1", "return %2"]) { [$0[0] - -$0[1]] }
    try expect(f, ["%1: f32[2,3] = negate %0", "return %1"]) { $0 * -1 }
    try expect(f, ["%1: f32[2,3] = abs %0", "return %1"]) { abs(abs(-$0)) }
  }

  @Test func masks() throws {
    try expect(b, ["%1: bool[2,3] = not %0", "return %1"]) { $0 .^ true }
    try expectSimplified([b, f, f], to: ["%3: f32[2,3] = select %0 %2 %1", "return %3"]) {
      [select(.!$0[0], $0[1], $0[2])]
    }
    try expect(i, ["%1: bool[2,3] = constant {values=[true, true, true, true, true, true]}", "return %1"]) { $0 .== $0 }
    try expect(b, ["%1: bool[2,3] = constant {values=[false, false, false, false, false, false]}", "return %1"]) {
      $0 .& false
    }
  }

  @Test func conversionsThatLoseNothing() throws {
    try expect(f, ["return %0"]) { $0.converted(to: .float64).converted(to: .float32) }
    try expect(i, ["%1: f32[2,3] = convert %0 {to=f32}", "return %1"]) {
      $0.converted(to: .float64).converted(to: .float32)
    }
    try expect(b, ["return %0"]) { $0.converted(to: .int32).converted(to: .bool) }
    try expect(
      i, ["%1: f32[2,3] = convert %0 {to=f32}", "%2: i32[2,3] = convert %1 {to=i32}", "return %2"]
    ) { $0.converted(to: .float32).converted(to: .int32) }
  }

  @Test func constantsAreComputed() throws {
    let c = Tensor([1, 2, 3] as [Float])
    let computed = "%1: f32[3] = constant {values=[2.7182817, 7.389056, 20.085537]}"
    try expect(f, [computed, "%2: f32[2,3] = multiply %0 %1", "return %2"]) { x in
      x * captured(x) { exp($0 + c) }
    }
    try expect(f, ["%1: f32[] = constant {value=2.0}", "%2: f32[2,3] = multiply %0 %1", "return %2"]) {
      $0 * Tensor(repeating: 2, shape: [2, 3])
    }
    try expect(f, ["%1: f32[] = constant {value=2.0}", "%2: f32[2,3] = multiply %0 %1", "return %2"]) {
      $0 * Tensor(repeating: 2, shape: [1, 3])
    }
    // The constant gives the result its shape.
    try expectSimplified(
      [TensorType([3])],
      to: [
        "%1: f32[] = constant {value=2.0}", "%2: f32[3] = multiply %0 %1", "%3: f32[2,3] = broadcast %2", "return %3",
      ]
    ) { [$0[0] * Tensor(repeating: 2, shape: [2, 3])] }
  }

  /// A constant of the tape that `x` is recorded on, not one that runs at once.
  private func captured(_ x: Tensor, _ function: (Tensor) -> Tensor) -> Tensor {
    function(select(true, Tensor(repeating: 0, shape: [3]), x[0]))
  }
}
