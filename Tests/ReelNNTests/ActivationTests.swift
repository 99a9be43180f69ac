import Reel
import ReelNN
import ReelTestSupport
import Testing

/// What golden files do not say about activations: numbers of any size, derivatives of second order, NaN, mistakes.
@Suite struct ActivationTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let activation: Activation
    /// What the function and its first derivative go to on the left and on the right; nil if there is nothing finite.
    let left: Limit
    let right: Limit
    var setting = ""

    var testDescription: String { activation.name + setting }
  }

  enum Limit: Sendable {
    /// A constant, and x times a slope.
    case number(Double), slope(Double), infinite
  }

  private static func row(_ activation: Activation, _ left: Limit, _ right: Limit, _ setting: String = "") -> Row {
    Row(activation: activation, left: left, right: right, setting: setting)
  }

  static let elementwise: [Row] = [
    row(.linear, .slope(1), .slope(1)), row(.exponential, .number(0), .infinite),
    row(.tanh, .number(-1), .number(1)), row(.tanhShrink, .slope(1), .slope(1)),
    row(.softsign, .number(-1), .number(1)), row(.sigmoid, .number(0), .number(1)),
    row(.logSigmoid, .slope(1), .number(0)), row(.softplus, .number(0), .slope(1)),
    row(.silu, .number(0), .slope(1)), row(.mish, .number(0), .slope(1)),
    row(.gelu, .number(0), .slope(1)), row(.gelu(approximate: true), .number(0), .slope(1), " approximate"),
    row(.squareplus, .number(0), .slope(1)), row(.squareplus(b: 0.5), .number(0), .slope(1), " 0.5"),
    row(.relu, .number(0), .slope(1)), row(.relu6, .number(0), .number(6)),
    row(.relu(negativeSlope: 0.1, threshold: 0.7), .slope(0.1), .slope(1), " sloped"),
    row(.relu(maxValue: 2.5), .number(0), .number(2.5), " bounded"),
    row(.leakyReLU, .slope(0.2), .slope(1)), row(.leakyReLU(negativeSlope: 0.5), .slope(0.5), .slope(1), " 0.5"),
    row(.threshold(0.6, defaultValue: -0.3), .number(-0.3), .slope(1)),
    row(.elu, .number(-1), .slope(1)), row(.elu(alpha: 0.6), .number(-0.6), .slope(1), " 0.6"),
    row(.selu, .number(-1.0507009873554805 * 1.6732632423543772), .slope(1.0507009873554805)),
    row(.celu, .number(-1), .slope(1)), row(.celu(alpha: 1.7), .number(-1.7), .slope(1), " 1.7"),
    row(.hardSigmoid, .number(0), .number(1)), row(.hardSilu, .number(0), .slope(1)),
    row(.hardTanh, .number(-1), .number(1)), row(.sparsePlus, .number(0), .slope(1)),
    row(.sparseSigmoid, .number(0), .number(1)), row(.softShrink, .slope(1), .slope(1)),
    row(.softShrink(threshold: 1.2), .slope(1), .slope(1), " 1.2"), row(.hardShrink, .slope(1), .slope(1)),
    row(.hardShrink(threshold: 0), .slope(1), .slope(1), " 0"),
  ]

  static let axiswise: [Activation] = [
    .softmax, .logSoftmax, .glu, .sparsemax, .softmax(along: 0), .logSoftmax(along: 1),
  ]

  /// Value, derivative and second derivative of each element.
  private static func derivatives(_ activation: Activation) -> @Sendable (Tensor) -> [Tensor] {
    { x in
      let first = { (x: Tensor) -> Tensor in gradient(at: x) { activation($0).sum() } }
      return [activation(x), first(x), gradient(at: x) { first($0).sum() }]
    }
  }

  @Test(arguments: elementwise, [ElementType.float32, .float64])
  func numbersOfAnySizeHaveFiniteDerivatives(row: Row, elementType: ElementType) throws {
    let sizes = [1e3, 1e4, 1e8, 1e15, 1e20, 1e38] + (elementType == .float64 ? [1e150, 1e300] : [])
    try ElementType.withDefault(elementType) {
      for (limit, sign) in [(row.left, -1.0), (row.right, 1.0)] {
        let x = Tensor(sizes.map { sign * $0 }, shape: [sizes.count]).converted(to: elementType)
        let eager = Self.derivatives(row.activation)(x)
        let staged = try compiled(Self.derivatives(row.activation))(x)
        let what = "\(row.testDescription) at \(sign)"
        let relative = elementType == .float64 ? 1e-9 : 1e-6
        for (how, found) in [("eager", eager), ("compiled", staged)] {
          let (line, slope) = Self.limits(limit, x)
          guard let line, let slope else { continue }
          // The slowest come near to a constant as 1/x.
          expectClose(found[0], line, relative: relative, absolute: 1.3, "\(what), \(how)")
          if slope.numbers == [0] { expectClose(found[0], line, relative: 0, absolute: 2e-3, "\(what), \(how)") }
          let slopes = slope.broadcasted(to: x.shape)
          expectClose(found[1], slopes, relative: relative, absolute: 2e-6, "slope of \(what), \(how)")
          expectClose(found[2], .zeros(like: x), relative: 0, absolute: 1e-6, "second derivative of \(what), \(how)")
        }
      }
    }
  }

  /// The values and the slope that a limit stands for; nil where it has none.
  private static func limits(_ limit: Limit, _ x: Tensor) -> (line: Tensor?, slope: Tensor?) {
    switch limit {
    case .infinite: (nil, nil)
    case .number(let number):
      (Tensor(repeating: number, shape: x.shape), Tensor(repeating: 0, shape: [1]))
    case .slope(let slope):
      (x * Tensor(floatLiteral: slope), Tensor(repeating: slope, shape: [1]))
    }
  }

  /// Where exponentials of single and double precision begin to overflow and to vanish.
  @Test(arguments: elementwise, [ElementType.float32, .float64])
  func numbersNearTheEndsOfTheExponentialHaveFiniteDerivatives(row: Row, elementType: ElementType) {
    guard row.activation.name != "exponential" else { return }
    let sizes = [0, 1e-40, 1e-20, 1e-6, 15, 16.5, 17.5, 36, 44, 87, 88.8, 89, 103, 104, 709, 710, 745, 746]
    let x = Tensor(sizes.flatMap { [$0, -$0] }, shape: [36]).converted(to: elementType)
    for (order, found) in Self.derivatives(row.activation)(x).enumerated() {
      #expect(found.numbers.allSatisfy { $0.isFinite }, "order \(order): \(found)")
    }
  }

  @Test(arguments: elementwise)
  func notANumberStaysSo(row: Row) {
    #expect(row.activation(Tensor([Float.nan, 1])).numbers.map(\.isNaN) == [true, false])
  }

  @Test(arguments: elementwise)
  func derivativesPassToSecondOrder(row: Row) throws {
    // Between the corners, which lie at multiples of a half, at ±0.6, 0.7 and at ±1.2.
    let x = Tensor([-6.3, -3.7, -2.2, -1.35, -0.8, -0.28, 0.23, 0.85, 1.4, 2.3, 3.6, 6.4], shape: [12])
    let report = try checkGradients(of: row.activation, at: x, order: 2, mode: .complete)
    #expect(report.kinks == 0 && report.worstRelativeError < 1e-6)
  }

  @Test(arguments: axiswise.indices)
  func derivativesAlongAxesPassToSecondOrder(index: Int) throws {
    let report = try checkGradients(of: Self.axiswise[index], at: sample([3, 4], seed: 2), order: 2)
    #expect(report.kinks == 0 && report.worstRelativeError < 1e-6)
  }

  /// At 0 smooth functions have their derivatives too, though some of their formulas have a corner there.
  @Test func smoothFunctionsAreSmoothAtZero() throws {
    let x = Tensor([0.0], shape: [1])
    for activation in [Activation.softplus, .logSigmoid, .mish, .squareplus, .gelu, .gelu(approximate: true), .silu] {
      let report = try checkGradients(of: activation, at: x, order: 3, mode: .complete)
      #expect(report.kinks == 0, "\(activation.name)")
    }
  }

  // MARK: - Along an axis

  @Test func distributionsAddUpToOne() {
    let x = sample([3, 5, 4], seed: 4) * 3
    for axis in [-1, 0, 1] {
      for activation in [Activation.softmax(along: axis), .sparsemax(along: axis)] {
        let sums = activation(x).sum(along: [axis])
        expectClose(sums, .ones(like: sums), absolute: 1e-14, "\(activation.name) along \(axis)")
      }
      expectClose(exp(Activation.logSoftmax(along: axis)(x)), Activation.softmax(along: axis)(x), relative: 1e-13)
    }
  }

  /// The algorithm of the paper on one row of numbers: sorted, τ from as many of the largest as satisfy 1 + k·z > Σz.
  private static func sparsemax(_ row: [Double]) -> [Double] {
    let sorted = row.sorted(by: >)
    var (sum, threshold) = (0.0, 0.0)
    for (index, value) in sorted.enumerated() {
      sum += value
      if 1 + Double(index + 1) * value > sum { threshold = (sum - 1) / Double(index + 1) }
    }
    return row.map { max($0 - threshold, 0) }
  }

  @Test(arguments: [0.001, 0.1, 1, 10, 1000], [ElementType.float32, .float64])
  func sparsemaxIsTheProjection(scale: Double, elementType: ElementType) {
    for (seed, extent) in [1, 2, 3, 7, 60, 300].enumerated() {
      let x = sample([4, extent], seed: UInt64(seed)).converted(to: elementType) * Tensor(floatLiteral: scale)
      let rows = (0..<4).flatMap { Self.sparsemax(x[$0].numbers) }
      // What single precision leaves of the differences of large numbers is less.
      let precision = (elementType == .float64 ? 1e-15 : 3e-7) * max(1, scale)
      expectClose(
        Activation.sparsemax(x).converted(to: .float64), Tensor(rows, shape: x.shape), relative: 0,
        absolute: precision * 4, "\(extent) of size \(scale)")
    }
    let ties = Tensor([[1.0, 1, 1, -5], [0, 0, 0, 0], [1e6, -1e6, 0, 1e6]].flatMap { $0 }, shape: [3, 4])
    let expected: [Double] = [1.0 / 3, 1.0 / 3, 1.0 / 3, 0, 0.25, 0.25, 0.25, 0.25, 0.5, 0, 0, 0.5]
    expectClose(
      Activation.sparsemax(ties.converted(to: elementType)).converted(to: .float64), Tensor(expected, shape: [3, 4]))
  }

  @Test func sparsemaxMayBeLeftOutOfFewElements() {
    // The second is so close to τ = 0 that its own part of the distribution is all but nothing.
    let x = Tensor([1, 1e-12, -1e-12], shape: [3])
    let (y, slope) = valueWithGradient(at: x) { (Activation.sparsemax($0) * Tensor([1.0, 2, 4])).sum() }
    #expect(abs(y.item - 1) < 1e-11)
    expectClose(slope, Tensor([-0.5, 0.5, 0]))
  }

  // MARK: - Layers

  @Test func anActivationIsALayerOfASequential() throws {
    let dense = Dense(3)
    let model = Sequential {
      dense
      Activation.elu
      ReLU(maxValue: 1)
      PReLU(alphaInitializer: .constant(0.25))
      LeakyReLU()
      ELU(alpha: 2)
      Softmax()
    }
    #expect(model.names == ["dense", "activation", "relu", "prelu", "leakyReLU", "elu", "softmax"])
    let x = sample([4, 2], seed: 1, elementType: .float32)
    let y = model(x)
    #expect(model.parameters.map(\.name) == ["dense.kernel", "dense.bias", "prelu.alpha"])
    let functions: [Activation] = [
      .elu, .relu(maxValue: 1), .leakyReLU(negativeSlope: 0.25), .leakyReLU(negativeSlope: 0.3),
    ]
    let expected = functions.reduce(dense(x)) { $1($0) }
    expectClose(y, softmax(Activation.elu(alpha: 2)(expected)))
    let mask = Tensor([true, false, true, true], shape: [2, 2])
    let sequence = sample([2, 2, 3], seed: 2).withMask(mask)
    for layer in model.layers.dropFirst(2) as ArraySlice<any Layer<Tensor, Tensor>> where !(layer is PReLU) {
      expectSameBits(try #require(layer(sequence).mask, "\(layer)"), mask)
    }
    expectSameBits(try #require(Activation.tanh(sequence).mask), mask)
  }

  static let shared: [(axes: [Int], alpha: Shape)] = [
    ([], [5, 4, 3]), ([1], [1, 4, 3]), ([2], [5, 1, 3]), ([1, 2], [1, 1, 3]), ([-1], [5, 4, 1]),
    ([1, -1, 2], [1, 1, 1]),
  ]

  @Test(arguments: shared.indices)
  func slopesAreShared(index: Int) throws {
    let (axes, shape) = Self.shared[index]
    let slopes = abs(sample(shape, seed: 3))
    let layer = PReLU(alphaInitializer: .value(slopes), sharedAxes: axes)
    let x = sample([2, 5, 4, 3], seed: 4)
    expectClose(layer(x), select(x .> 0, x, x * slopes), relative: 1e-14)
    #expect(layer.alpha.value?.shape == shape)
    try checkGradients(of: layer, at: sample([2, 5, 4, 3], seed: 5), order: 2)
  }

  @Test func softmaxTakesAMaskOfElements() {
    let layer = Softmax()
    let x = sample([3, 4], seed: 6)
    let mask = Tensor([true, true, false, true, false, true, false, false, false, false, false, false], shape: [3, 4])
    let y = layer(x, mask: mask)
    let first = softmax(Tensor([x[0].numbers[0], x[0].numbers[1], x[0].numbers[3]])).numbers
    expectClose(
      y, Tensor([first[0], first[1], 0, first[2], 0, 1, 0, 0, 0, 0, 0, 0], shape: [3, 4]), relative: 1e-14)
    let several = Softmax(along: [0, 2])(sample([2, 3, 4], seed: 7))
    expectClose(several.sum(along: [0, 2]), Tensor([1.0, 1, 1]), absolute: 1e-14)
  }

  // MARK: - Mistakes

  static let mistakes: [(message: String, call: @Sendable (Tensor) -> Tensor)] = [
    ("prelu: input of shape [3] (operands: f32[3]); expected [batch, ...]", { PReLU()($0.sum(along: [0])) }),
    (
      "prelu: shared axes [2] (operands: f32[2,3]); expected axes of the input behind the batch",
      { PReLU(sharedAxes: [2])($0) }
    ),
    (
      "prelu: shared axes [0] (operands: f32[2,3]); expected axes of the input behind the batch",
      { PReLU(sharedAxes: [0])($0) }
    ),
    ("split: 2 equal parts of axis -1 (operands: f32[2,3]); expected a divisor of 3", { Activation.glu($0) }),
    ("max: axis 2 of an operand of shape [2,3]; expected an axis in -2...1", { Activation.softmax(along: 2)($0) }),
    ("max: axis -3 of an operand of shape [2,3]; expected an axis in -2...1", { Activation.sparsemax(along: -3)($0) }),
    ("softmax: max: axis 5 of an operand of shape [2,3]; expected an axis in -2...1", { Softmax(along: 5)($0) }),
    (
      "elu: expm1: operands of type i32 (operands: i32[2,3]); expected one floating-point element type",
      { ELU()($0.converted(to: .int32)) }
    ),
  ]

  @Test(arguments: mistakes.indices)
  func mistakesAreErrors(index: Int) {
    let (message, call) = Self.mistakes[index]
    expectError(message) { _ = try Graph(tracing: [TensorType([2, 3])]) { [call($0[0])] } }
  }
}
