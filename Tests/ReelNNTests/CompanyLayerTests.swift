import Reel
import ReelNN
import ReelTestSupport
import Testing

/// Shapes, numbers of parameters and values of the layers around the recurrent ones; Keras's own numbers are in the golden files.
@Suite struct CompanyLayerTests {
  typealias Case = (layer: any Layer<Tensor, Tensor>, input: Shape, output: Shape, parameters: Int)

  static var cases: [Case] {
    [
      (Conv1D(32, kernelSize: 10, padding: .same), [2, 100, 6], [2, 100, 32], 1952),
      (Conv1D(5, kernelSize: 3), [2, 9, 4], [2, 7, 5], 65),
      (Conv1D(5, kernelSize: 3, strides: 4, padding: .same), [2, 9, 4], [2, 3, 5], 65),
      (Conv1D(5, kernelSize: 3, strides: 2, padding: .causal, dilationRate: 2), [2, 9, 4], [2, 5, 5], 65),
      (Conv1D(6, kernelSize: 3, dilationRate: 4, groups: 2, useBias: false), [2, 9, 4], [2, 1, 6], 36),
      (MaxPooling1D(), [2, 7, 3], [2, 3, 3], 0), (MaxPooling1D(3, strides: 1), [2, 7, 3], [2, 5, 3], 0),
      (MaxPooling1D(2, strides: 3, padding: .same), [2, 7, 3], [2, 3, 3], 0),
      (AveragePooling1D(3, strides: 2), [2, 7, 3], [2, 3, 3], 0),
      (AveragePooling1D(4, padding: .same), [2, 7, 3], [2, 2, 3], 0),
      (GlobalMaxPooling1D(), [2, 7, 3], [2, 3], 0),
      (GlobalMaxPooling1D(keepDimensions: true), [2, 7, 3], [2, 1, 3], 0),
      (GlobalAveragePooling1D(), [2, 7, 3], [2, 3], 0),
      (GlobalAveragePooling1D(keepDimensions: true), [2, 7, 3], [2, 1, 3], 0),
      (Flatten(), [2, 7, 3], [2, 21], 0), (Flatten(), [2], [2, 1], 0), (Flatten(), [2, 3, 4, 5], [2, 60], 0),
      (ReelNN.Reshape([3, -1]), [2, 4, 6], [2, 3, 8], 0), (ReelNN.Reshape([24]), [2, 4, 6], [2, 24], 0),
      (ReelNN.Reshape([-1]), [0, 4, 6], [0, 24], 0), (Permute([2, 1]), [2, 4, 6], [2, 6, 4], 0),
      (Permute([3, 1, 2]), [2, 4, 6, 5], [2, 5, 4, 6], 0), (RepeatVector(3), [2, 5], [2, 3, 5], 0),
      (ZeroPadding1D(), [2, 4, 3], [2, 6, 3], 0), (ZeroPadding1D(before: 0, after: 3), [2, 4, 3], [2, 7, 3], 0),
      (Cropping1D(), [2, 4, 3], [2, 2, 3], 0), (Cropping1D(before: 3, after: 0), [2, 4, 3], [2, 1, 3], 0),
      (UpSampling1D(), [2, 4, 3], [2, 8, 3], 0), (UpSampling1D(3), [2, 4, 3], [2, 12, 3], 0),
      (Embedding(7, 4), [2, 5], [2, 5, 4], 28), (Embedding(7, 4), [2, 5, 3], [2, 5, 3, 4], 28),
      (Masking(), [2, 5, 3], [2, 5, 3], 0), (Dropout(0.5), [2, 5], [2, 5], 0),
      (SpatialDropout1D(0.5), [2, 5, 3], [2, 5, 3], 0), (GaussianNoise(0.5), [2, 5], [2, 5], 0),
      (LayerNormalization(), [2, 5, 3], [2, 5, 3], 6), (LayerNormalization(axes: [1, -1]), [2, 5, 3], [2, 5, 3], 30),
      (LayerNormalization(center: false), [2, 5, 3], [2, 5, 3], 3),
      (BatchNormalization(), [2, 5, 3], [2, 5, 3], 12), (BatchNormalization(axis: 1), [2, 5, 3], [2, 5, 3], 20),
      (BatchNormalization(center: false, scale: false), [2, 3], [2, 3], 6),
      (TimeDistributed(Dense(4)), [2, 5, 3], [2, 5, 4], 16),
      (TimeDistributed(Conv1D(4, kernelSize: 2)), [2, 5, 6, 3], [2, 5, 5, 4], 28),
      (TimeDistributed(Flatten()), [2, 5, 6, 3], [2, 5, 18], 0),
      (Lambda { $0.sum(along: [1]) }, [2, 5, 3], [2, 3], 0),
    ]
  }

  @Test(arguments: cases.indices)
  func shapesAndNumbersOfParametersAreKerass(index: Int) throws {
    let (layer, input, output, parameters) = Self.cases[index]
    #expect(layer(.ones(input)).shape == output)
    #expect(layer.parameterCount == parameters)
    #expect(try compiled { (x: Tensor) in layer(x) }(.ones(input)).shape == output)
    #expect(withTraining { layer(.ones(input)) }.shape == output)
  }

  @Test func namesAreTheLayersInLowerCamelCase() {
    let model = Sequential {
      Conv1D(4, kernelSize: 2)
      MaxPooling1D()
      BatchNormalization()
      TimeDistributed(Dense(2))
      GlobalAveragePooling1D()
    }
    let names = ["conv1D", "maxPooling1D", "batchNormalization", "timeDistributed", "globalAveragePooling1D"]
    #expect(model.names == names)
    _ = model(.ones([1, 6, 2]))
    #expect(
      model.parameters.map(\.name) == [
        "conv1D.kernel", "conv1D.bias", "batchNormalization.gamma", "batchNormalization.beta",
        "batchNormalization.movingMean", "batchNormalization.movingVariance", "timeDistributed.layer.kernel",
        "timeDistributed.layer.bias",
      ])
  }

  static let sequence = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [1, 3, 2])

  static var values: [(layer: any Layer<Tensor, Tensor>, expected: Tensor)] {
    [
      (Flatten(), [[1, 2, 3, 4, 5, 6]]), (ReelNN.Reshape([2, -1]), [[[1, 2, 3], [4, 5, 6]]]),
      (Permute([2, 1]), [[[1, 3, 5], [2, 4, 6]]]),
      (ZeroPadding1D(before: 1, after: 0), [[[0, 0], [1, 2], [3, 4], [5, 6]]]),
      (Cropping1D(before: 1, after: 0), [[[3, 4], [5, 6]]]),
      (UpSampling1D(), [[[1, 2], [1, 2], [3, 4], [3, 4], [5, 6], [5, 6]]]),
      (MaxPooling1D(2, strides: 1, padding: .causal), [[[1, 2], [3, 4], [5, 6]]]),
      (AveragePooling1D(2, strides: 1, padding: .causal), [[[1, 2], [2, 3], [4, 5]]]),
      (Masking(maskValue: 3), [[[1, 2], [3, 4], [5, 6]]]), (Lambda { 2 * $0[0] }, [[2, 4], [6, 8], [10, 12]]),
      (
        Conv1D(1, kernelSize: 2, strides: 2, padding: .same, dilationRate: 2, kernelInitializer: .ones), [[[7], [7]]]
      ),
      (Conv1D(2, kernelSize: 1, groups: 2, kernelInitializer: .constant(2)), [[[2, 4], [6, 8], [10, 12]]]),
    ]
  }

  @Test(arguments: values.indices)
  func valuesAreThoseByHand(index: Int) {
    let (layer, expected) = Self.values[index]
    expectClose(layer(Self.sequence), expected, "\(type(of: layer))")
  }

  // MARK: - Pooling

  @Test func theFirstOfEqualValuesGetsTheDerivative() {
    let x = Tensor([2, 2, 1, 1, 1, 3] as [Float], shape: [1, 6, 1])
    let slope = gradient(at: x) { MaxPooling1D(3)($0).sum() }
    #expect(slope.numbers == [1, 0, 0, 0, 0, 1])
    let shared = gradient(at: x[0..<1].sliced(0..<2, along: 1)) { GlobalMaxPooling1D()($0).sum() }
    #expect(shared.numbers == [0.5, 0.5])
  }

  @Test func notANumberWinsAndPaddingDoesNot() {
    let x = Tensor([-5, -.infinity, .nan, 1, -.infinity] as [Float], shape: [1, 5, 1])
    let y = MaxPooling1D(2, padding: .same)(x).numbers
    #expect(y[0] == -5 && y[1].isNaN && y[2] == -.infinity)
  }

  // MARK: - Embedding

  @Test func idsMayBeWholeNumbersOfAnyType() {
    let layer = Embedding(3, 2, embeddingsInitializer: .value([[1, 2], [3, 4], [5, 6]]))
    #expect(layer([[2, 0]] as Tensor).numbers == [5, 6, 1, 2])
    #expect(layer(Tensor([2, 0] as [Int32], shape: [1, 2])).numbers == [5, 6, 1, 2])
  }

  @Test func anUnknownIdThatCannotBeSeenBeforehandGivesNoNumber() throws {
    let layer = Embedding(3, 2, embeddingsInitializer: .value([[1, 2], [3, 4], [5, 6]]))
    let y = try compiled { (ids: Tensor) in layer(ids) }(Tensor([2, 3, -1] as [Int32], shape: [1, 3])).numbers
    #expect(y[..<2] == [5, 6] && y[2...].allSatisfy(\.isNaN))
  }

  // MARK: - Noise

  static var noise: [(layer: any Layer<Tensor, Tensor>, values: Set<Double>, zeros: ClosedRange<Double>)] {
    [
      (Dropout(0.25), [0, 4.0 / 3], 0.2...0.3), (Dropout(0.9), [0, 10], 0.85...0.95), (Dropout(1), [0], 1...1),
      (Dropout(0), [1], 0...0), (SpatialDropout1D(0.5), [0, 2], 0.4...0.6),
      (Dropout(0.5, noiseShape: [nil, 1, nil]), [0, 2], 0.4...0.6),
      (Dropout(0.5, noiseShape: [nil, nil, 1]), [0, 2], 0.4...0.6),
    ]
  }

  @Test(arguments: noise.indices)
  func droppingOutLeavesTheMean(index: Int) throws {
    let (layer, values, zeros) = Self.noise[index]
    let x = Tensor.ones([40, 20, 30])
    let run = compiled { (x: Tensor) in layer(x) }
    let (eager, staged) = try withTraining {
      (withRandomSeed(1) { layer(x) }, try withRandomSeed(1) { try run(x) })
    }
    expectSameBits(eager, staged)
    for y in eager.numbers { #expect(values.contains { abs($0 - y) < 1e-6 }) }
    let share = (eager .== 0).converted(to: .float32).mean().item
    #expect(zeros.contains(share))
    expectSameBits(layer(x), x, "in inference")
  }

  @Test func whatSharesADrawIsTheSame() {
    let x = Tensor.ones([4, 20, 30])
    let features = withTraining { SpatialDropout1D(0.5)(x) }
    expectSameBits(features, features.sliced(0..<1, along: 1).broadcasted(to: x.shape))
    let steps = withTraining { Dropout(0.5, noiseShape: [nil, nil, 1])(x) }
    expectSameBits(steps, steps.sliced(0..<1, along: 2).broadcasted(to: x.shape))
    let one = withTraining { Dropout(0.5)(x) }
    #expect(one.numbers != withTraining { Dropout(0.5)(x) }.numbers)
  }

  @Test func aCompiledDropoutDrawsAnewInEveryCall() throws {
    let (layer, x) = (Dropout(0.5), Tensor.ones([200]))
    let run = compiled { (x: Tensor) in layer(x) }
    let (first, second) = try withTraining { (try run(x).numbers, try run(x).numbers) }
    #expect(first != second)
    #expect(try run(x).numbers == x.numbers, "the same function in inference")
  }

  @Test func theDerivativeOfDropoutIsItsOwnDraw() {
    let x = Tensor.ones([50])
    let (y, slope) = withTraining { valueWithGradient(at: x) { Dropout(0.5)($0).sum() } }
    #expect(slope.sum().item == y.item && Set(slope.numbers) == [0, 2])
  }

  @Test func gaussianNoiseHasItsMoments() {
    let x = Tensor(repeating: 3, shape: [20_000], elementType: .float64)
    let y = withTraining { withRandomSeed(3) { GaussianNoise(0.5)(x) } }
    #expect(abs(y.mean().item - 3) < 0.02 && abs(y.variance().item - 0.25) < 0.01)
    expectSameBits(GaussianNoise(0.5)(x), x)
  }
}
