import Foundation
import Reel
import ReelNN
import ReelTestSupport
import Testing

@Suite struct InitializerTests {
  /// What the numbers of an initializer are like: their mean, their standard deviation, and the size none exceeds.
  struct Expected {
    let name: String
    let initializer: Initializer
    let shape: Shape
    var mean = 0.0
    let deviation: Double
    let bound: Double
  }

  /// What a cut at two standard deviations leaves of one.
  static let cut = 0.87962566103423978

  private static func uniform(_ name: String, _ initializer: Initializer, _ shape: Shape, limit: Double) -> Expected {
    Expected(name: name, initializer: initializer, shape: shape, deviation: limit / 3.0.squareRoot(), bound: limit)
  }

  private static func normal(_ name: String, _ initializer: Initializer, _ shape: Shape, variance: Double) -> Expected {
    let deviation = variance.squareRoot()
    return Expected(
      name: name, initializer: initializer, shape: shape, deviation: deviation, bound: 2 * deviation / cut)
  }

  static let table: [Expected] = [
    uniform("glorotUniform", .glorotUniform, [100, 200], limit: (6.0 / 300).squareRoot()),
    uniform("glorotUniform of a convolution", .glorotUniform, [5, 40, 80], limit: (6.0 / 600).squareRoot()),
    uniform("glorotUniform of a vector", .glorotUniform, [20_000], limit: (6.0 / 40_000).squareRoot()),
    normal("glorotNormal", .glorotNormal, [100, 200], variance: 2.0 / 300),
    uniform("heUniform", .heUniform, [100, 200], limit: (6.0 / 100).squareRoot()),
    uniform("heUniform of a convolution", .heUniform, [5, 40, 80], limit: (6.0 / 200).squareRoot()),
    normal("heNormal", .heNormal, [100, 200], variance: 2.0 / 100),
    uniform("lecunUniform", .lecunUniform, [100, 200], limit: (3.0 / 100).squareRoot()),
    normal("lecunNormal", .lecunNormal, [200, 100], variance: 1.0 / 200),
    uniform(
      "varianceScaling, uniform", .varianceScaling(scale: 3, fan: .fanOut, distribution: .uniform), [100, 200],
      limit: (9.0 / 200).squareRoot()),
    normal("varianceScaling by default", .varianceScaling(), [100, 200], variance: 1.0 / 100),
    normal("varianceScaling, truncated", .varianceScaling(scale: 2, fan: .average), [100, 200], variance: 2.0 / 150),
    Expected(
      name: "randomNormal of varianceScaling", initializer: .varianceScaling(distribution: .untruncatedNormal),
      shape: [100, 200], deviation: 0.1, bound: 0.7),
    uniform("randomUniform", .randomUniform(), [20_000], limit: 0.05),
    Expected(
      name: "randomUniform between bounds", initializer: .randomUniform(from: 1, to: 3), shape: [20_000], mean: 2,
      deviation: 1 / 3.0.squareRoot(), bound: 3),
    Expected(
      name: "randomNormal", initializer: .randomNormal(), shape: [20_000], deviation: 0.05, bound: 0.05 * 7),
    Expected(
      name: "randomNormal with a mean", initializer: .randomNormal(mean: -1, standardDeviation: 0.5), shape: [20_000],
      mean: -1, deviation: 0.5, bound: 1 + 0.5 * 7),
    Expected(
      name: "truncatedNormal", initializer: .truncatedNormal(), shape: [20_000], deviation: 0.05 * cut, bound: 0.1),
    Expected(
      name: "truncatedNormal with a mean", initializer: .truncatedNormal(mean: 4, standardDeviation: 2),
      shape: [20_000], mean: 4, deviation: 2 * cut, bound: 8),
  ]

  /// 20,000 numbers or more: their mean and deviation stray by some 0.7 % of a deviation, so that 5 % is chance in no run.
  @Test(arguments: table.indices, [ElementType.float32, .float64])
  func numbersAreSpreadAsTheySay(index: Int, elementType: ElementType) {
    let expected = Self.table[index]
    let tensor = ElementType.withDefault(elementType) { expected.initializer(expected.shape) }
    #expect(tensor.elementType == elementType && tensor.shape == expected.shape)
    let numbers = tensor.numbers
    let mean = numbers.reduce(0, +) / Double(numbers.count)
    let deviation = (numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(numbers.count)).squareRoot()
    #expect(abs(mean - expected.mean) < 0.05 * expected.deviation, "\(expected.name): mean \(mean)")
    #expect(abs(deviation / expected.deviation - 1) < 0.05, "\(expected.name): deviation \(deviation)")
    let largest = numbers.map(Swift.abs).max()!
    #expect(largest <= expected.bound * (1 + 1e-6), "\(expected.name): \(largest)")
    if !expected.name.hasPrefix("randomNormal") {
      #expect(largest > expected.bound * 0.97, "\(expected.name): \(largest)")
    }
  }

  @Test func aFusedKernelCountsAllItsGatesAsOutputs() {
    let layer = LSTM(128, unitForgetBias: false)
    _ = layer(.zeros([1, 1, 6]))
    let kernel = layer.cell.kernel.value!
    #expect(kernel.shape == [6, 512])
    let (limit, largest) = ((6.0 / (6 + 512)).squareRoot(), kernel.numbers.map(Swift.abs).max()!)
    #expect(largest <= limit && largest > 0.97 * limit)
  }

  static let orthogonal: [(shape: Shape, gain: Double)] = [
    ([1, 1], 1), ([8, 8], 1), ([4, 16], 1), ([16, 4], 1), ([2, 3, 4], 1), ([2, 2, 9], 1), ([6, 6], 2.5), ([1, 5], 1),
  ]

  /// Rows of a wide matrix, or columns of a tall one, are orthonormal; leading axes count as rows.
  @Test(arguments: orthogonal.indices)
  func orthogonalMatricesAreOrthonormal(index: Int) {
    let (shape, gain) = Self.orthogonal[index]
    for (elementType, precision) in [(ElementType.float32, 1e-6), (.float64, 1e-14)] {
      let tensor = ElementType.withDefault(elementType) { Initializer.orthogonal(gain: gain)(shape) }
      #expect(tensor.shape == shape && tensor.elementType == elementType)
      let matrix = tensor.reshaped(to: [shape.count / shape.last, shape.last]).converted(to: .float64)
      let gram =
        matrix.shape[0] <= matrix.shape[1]
        ? matrix.matmul(matrix, transposingOther: true) : matrix.matmul(matrix, transposingSelf: true)
      let identity = Tensor.identity(gram.shape[0], elementType: .float64) * Tensor(gain * gain)
      expectClose(gram, identity, relative: 0, absolute: precision * gain * gain * 10, "\(shape)")
    }
  }

  @Test func constantsAreConstant() {
    expectSameBits(Initializer.zeros([2, 3]), Tensor.zeros([2, 3]))
    expectSameBits(Initializer.ones([2]), Tensor.ones([2]))
    expectSameBits(Initializer.constant(0.3)([2, 1]), Tensor([Float(0.3), 0.3], shape: [2, 1]))
    let value = sample([2, 2], seed: 3)
    expectSameBits(Initializer.value(value)([2, 2]), value)
    expectSameBits(
      Initializer { Tensor(Float($0.count)).broadcasted(to: $0) }([2, 2]), Tensor(repeating: 4, shape: [2, 2]))
  }

  @Test func drawingTwiceGivesOtherNumbers() {
    for initializer in [Initializer.glorotUniform, .heNormal, .orthogonal, .randomNormal()] {
      #expect(initializer([4, 4]).numbers != initializer([4, 4]).numbers)
    }
  }

  @Test func anIdentityNeedNotBeSquare() {
    expectSameBits(Initializer.identity()([2, 2]), Tensor([Float(1), 0, 0, 1], shape: [2, 2]))
    expectSameBits(Initializer.identity(gain: 0.5)([2, 3]), Tensor([Float(0.5), 0, 0, 0, 0.5, 0], shape: [2, 3]))
    expectSameBits(Initializer.identity(gain: 3)([3, 2]), Tensor([Float(3), 0, 0, 3, 0, 0], shape: [3, 2]))
  }

  /// The rows of a matrix made orthonormal one after another, each against those before it, twice.
  private static func orthonormalized(_ matrix: Tensor) -> Tensor {
    var rows: [[Double]] = []
    func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    for index in 0..<matrix.shape[0] {
      var row = matrix[index].numbers
      for earlier in rows + rows {
        let overlap = dot(row, earlier)
        row = zip(row, earlier).map { $0 - overlap * $1 }
      }
      let norm = dot(row, row).squareRoot()
      rows.append(row.map { $0 / norm })
    }
    return Tensor(rows.flatMap { $0 }, shape: matrix.shape)
  }

  /// Also where the last row of a square matrix has little left of it.
  @Test(arguments: [[1, 1], [3, 3], [24, 24], [9, 20], [20, 9], [2, 3, 4]] as [Shape])
  func orthogonalMatricesAreTheQOfNormalOnes(shape: Shape) {
    for seed in 0..<8 as Range<UInt64> {
      let key = RandomKey(seed: seed)
      let (rows, columns) = (shape.count / shape.last, shape.last)
      let normal = Tensor.randomNormal([min(rows, columns), max(rows, columns)], key: key, elementType: .float64)
      let reference = Self.orthonormalized(normal)
      let found = ElementType.withDefault(.float64) { Initializer.orthogonal.seeded(by: key)(shape) }
      expectClose(
        found.reshaped(to: [rows, columns]), rows <= columns ? reference : reference.transposed(), relative: 0,
        absolute: 1e-10, "seed \(seed)")
    }
  }

  static let drawing: [Initializer] = [
    .glorotUniform, .glorotNormal, .heUniform, .heNormal, .lecunUniform, .lecunNormal, .randomUniform(),
    .randomNormal(), .truncatedNormal(), .orthogonal, .varianceScaling(distribution: .untruncatedNormal),
    Initializer(drawing: { .randomUniform($0, key: $1) }),
  ]

  /// Keys make the numbers of an initializer the same at every use, and leave the process's own stream alone.
  @Test(arguments: drawing.indices)
  func keysRepeatTheNumbers(index: Int) {
    let (first, second) = (RandomKey(seed: 5), RandomKey(seed: 6))
    let initializer = Self.drawing[index].seeded(by: first)
    expectSameBits(initializer([4, 3]), initializer([4, 3]))
    #expect(bitDifference(initializer([4, 3]), Self.drawing[index].seeded(by: second)([4, 3])) != nil)
    #expect(bitDifference(initializer([4, 3]), Self.drawing[index]([4, 3])) != nil)
    let layers = (0..<2).map { _ in Dense(3, kernelInitializer: initializer) }
    for layer in layers { _ = layer(.ones([1, 4])) }
    expectSameBits(layers[0].kernel.value!, layers[1].kernel.value!)
  }

  static let mistakes: [(initializer: Initializer, shape: Shape, message: String)] = [
    (.orthogonal, [3], "initializer: an orthogonal matrix of shape [3]; expected two axes or more"),
    (.identity(), [2, 2, 2], "initializer: an identity matrix of shape [2,2,2]; expected two axes"),
    (
      .value(.zeros([2])), [3],
      "initializer: a value of shape [2] (operands: f32[2]); expected shape [3]"
    ),
  ]

  @Test(arguments: mistakes.indices)
  func mistakesAreErrors(index: Int) {
    let (initializer, shape, message) = Self.mistakes[index]
    expectError(message) { _ = try Graph(tracing: [TensorType([1])]) { $0 + [initializer(shape)] } }
  }

  @Test func theUnitForgetBiasLeavesTheOtherGatesToTheirInitializer() {
    for (unitForgetBias, forget) in [(true, Float(1)), (false, 0.25)] {
      let layer = LSTM(2, biasInitializer: .constant(0.25), unitForgetBias: unitForgetBias)
      _ = layer(.zeros([1, 1, 3]))
      expectSameBits(
        layer.cell.bias.value!, Tensor([Float(0.25), 0.25, forget, forget, 0.25, 0.25, 0.25, 0.25]))
    }
  }
}
