import ReelKernels
import Testing

/// Every instruction gives the same bits on every instruction set, and in debug builds what it gives in release builds:
/// the portable kernels are the measure.
@Suite struct SameBitsTests {
  static let functions = [
    REEL_OP_NEGATE, REEL_OP_ABS, REEL_OP_SIGN, REEL_OP_EXP, REEL_OP_EXPM1, REEL_OP_LOG, REEL_OP_LOG1P, REEL_OP_SQRT,
    REEL_OP_RSQRT, REEL_OP_SIN, REEL_OP_COS, REEL_OP_TANH, REEL_OP_SIGMOID, REEL_OP_ERF, REEL_OP_FLOOR, REEL_OP_CEIL,
    REEL_OP_ROUND,
  ]

  static let functionsOfTwo = [
    REEL_OP_ADD, REEL_OP_SUBTRACT, REEL_OP_MULTIPLY, REEL_OP_DIVIDE, REEL_OP_POWER, REEL_OP_MAXIMUM, REEL_OP_MINIMUM,
    REEL_OP_REMAINDER,
  ]

  @Test(arguments: Kernels.vectorized) func functionsOfFloat32(_ kernels: Kernels) {
    compareFunctions(kernels, Float.sampled)
  }

  @Test(arguments: Kernels.vectorized) func functionsOfFloat64(_ kernels: Kernels) {
    compareFunctions(kernels, Double.sampled)
  }

  @Test(arguments: Kernels.vectorized) func functionsOfTwoFloat32(_ kernels: Kernels) {
    compareFunctionsOfTwo(kernels, Float.self)
  }

  @Test(arguments: Kernels.vectorized) func functionsOfTwoFloat64(_ kernels: Kernels) {
    compareFunctionsOfTwo(kernels, Double.self)
  }

  /// The zero of a sum, the larger of two zeros: their sign is part of the promise.
  @Test(arguments: Kernels.vectorized) func zeros(_ kernels: Kernels) {
    let a: [Float] = [0, 0, -0.0, -0.0]
    let b: [Float] = [0, -0.0, 0, -0.0]
    for opcode in Self.functionsOfTwo {
      #expect(
        kernels.apply(opcode, a, b, to: Float.self).map(\.bits)
          == Kernels.portable.apply(opcode, a, b, to: Float.self).map(\.bits))
    }
    #expect(kernels.apply(REEL_OP_MAXIMUM, a, b, to: Float.self).map(\.sign) == b.map(\.sign))
    #expect(kernels.apply(REEL_OP_MINIMUM, a, b, to: Float.self).map(\.sign) == b.map(\.sign))
  }

  // MARK: - Pairs

  /// Each instruction that does two, and the two: `c - (a ∘ b)` is reversed.
  static let pairs: [(both: reel_opcode, first: reel_opcode, second: reel_opcode, isReversed: Bool)] = [
    (REEL_OP_ADD_ADD, REEL_OP_ADD, REEL_OP_ADD, false),
    (REEL_OP_ADD_SUBTRACT, REEL_OP_ADD, REEL_OP_SUBTRACT, false),
    (REEL_OP_ADD_SUBTRACT_FROM, REEL_OP_ADD, REEL_OP_SUBTRACT, true),
    (REEL_OP_ADD_MULTIPLY, REEL_OP_ADD, REEL_OP_MULTIPLY, false),
    (REEL_OP_SUBTRACT_ADD, REEL_OP_SUBTRACT, REEL_OP_ADD, false),
    (REEL_OP_SUBTRACT_SUBTRACT, REEL_OP_SUBTRACT, REEL_OP_SUBTRACT, false),
    (REEL_OP_SUBTRACT_SUBTRACT_FROM, REEL_OP_SUBTRACT, REEL_OP_SUBTRACT, true),
    (REEL_OP_SUBTRACT_MULTIPLY, REEL_OP_SUBTRACT, REEL_OP_MULTIPLY, false),
    (REEL_OP_MULTIPLY_ADD, REEL_OP_MULTIPLY, REEL_OP_ADD, false),
    (REEL_OP_MULTIPLY_SUBTRACT, REEL_OP_MULTIPLY, REEL_OP_SUBTRACT, false),
    (REEL_OP_MULTIPLY_SUBTRACT_FROM, REEL_OP_MULTIPLY, REEL_OP_SUBTRACT, true),
    (REEL_OP_MULTIPLY_MULTIPLY, REEL_OP_MULTIPLY, REEL_OP_MULTIPLY, false),
  ]

  /// Two instructions at once round twice, as the two do, whatever the numbers and however many.
  @Test(arguments: Kernels.all) func pairsOfInstructions(_ kernels: Kernels) {
    comparePairs(kernels, Float.self)
    comparePairs(kernels, Double.self)
  }

  private func comparePairs<T: KernelReal>(_ kernels: Kernels, _: T.Type) {
    var samples = Samples(seed: 22)
    let values: [T] = T.special + samples.patterns(500) + samples.reals(3_000, in: -3...3)
    for count in [1, 15, 16, 17, 64, 528, 529, 3_000] {
      let (a, b, c) = (
        Array(values.shuffled(using: &samples).prefix(count)), Array(values.shuffled(using: &samples).prefix(count)),
        Array(values.shuffled(using: &samples).prefix(count))
      )
      for (both, first, second, isReversed) in Self.pairs {
        let between = kernels.apply(first, a, b, to: T.self)
        let expected = kernels.apply(second, isReversed ? c : between, isReversed ? between : c, to: T.self)
        let results = kernels.apply(both, a, b, c, to: T.self)
        let different = a.indices.first { results[$0].bits != expected[$0].bits }
        #expect(
          different == nil, "opcode \(both.rawValue) of \(different.map { "\(a[$0]), \(b[$0]), \(c[$0])" } ?? "")")
      }
    }
  }

  // MARK: - Comparisons

  private func compareFunctions<T: KernelReal>(_ kernels: Kernels, _ x: [T]) {
    for opcode in Self.functions {
      let expected = Kernels.portable.apply(opcode, x, to: T.self)
      let results = kernels.apply(opcode, x, to: T.self)
      let different = x.indices.first { results[$0].bits != expected[$0].bits }
      #expect(different == nil, "opcode \(opcode.rawValue) of \(different.map { "\(x[$0])" } ?? "")")
    }
  }

  private func compareFunctionsOfTwo<T: KernelReal>(_ kernels: Kernels, _: T.Type) {
    var samples = Samples(seed: 21)
    let a: [T] = T.special + samples.patterns(6_000) + samples.reals(6_000, in: 0...30)
    let b: [T] = T.special.reversed() + samples.patterns(6_000) + samples.reals(6_000, in: -30...30)
    for opcode in Self.functionsOfTwo {
      let expected = Kernels.portable.apply(opcode, a, b, to: T.self)
      let results = kernels.apply(opcode, a, b, to: T.self)
      let different = a.indices.first { results[$0].bits != expected[$0].bits }
      #expect(different == nil, "opcode \(opcode.rawValue) of \(different.map { "\(a[$0]), \(b[$0])" } ?? "")")
    }
  }
}
