import Reel
import ReelNN
import ReelTestSupport
import Testing

/// Layers of several inputs, what they do with masks, and layers inside others.
@Suite struct CompanyMergingTests {
  static let a: Tensor = [[1, -2], [3, 4]]
  static let b: Tensor = [[5, 1], [-1, 2]]
  static let c: Tensor = [[2, 2], [2, 2]]

  static var cases: [(layer: any Layer<[Tensor], Tensor>, inputs: [Tensor], expected: Tensor)] {
    [
      (Add(), [a, b, c], [[8, 1], [4, 8]]), (Subtract(), [a, b], [[-4, -3], [4, 2]]),
      (Multiply(), [a, b, c], [[10, -4], [-6, 16]]), (Average(), [a, b], [[3, -0.5], [1, 3]]),
      (Maximum(), [a, b, c], [[5, 2], [3, 4]]), (Minimum(), [a, b, c], [[1, -2], [-1, 2]]), (Add(), [a], a),
      (ReelNN.Concatenate(), [a, b], [[1, -2, 5, 1], [3, 4, -1, 2]]),
      (ReelNN.Concatenate(axis: 0), [a, b], [[1, -2], [3, 4], [5, 1], [-1, 2]]),
      // A vector for each sample meets its sequence at every step.
      (Add(), [a, a.expanded(at: 1).broadcasted(to: [2, 2, 2])], [[[2, -4], [2, -4]], [[6, 8], [6, 8]]]),
    ]
  }

  @Test(arguments: cases.indices)
  func severalInputsBecomeOne(index: Int) throws {
    let (layer, inputs, expected) = Self.cases[index]
    expectClose(layer(inputs), expected)
    expectSameBits(try compiled { (inputs: [Tensor]) in layer(inputs) }(inputs), layer(inputs))
  }

  @Test(arguments: cases.indices)
  func severalInputsHaveGradients(index: Int) throws {
    func check(_ layer: some Layer<[Tensor], Tensor>, _ shapes: [Shape]) throws {
      let inputs = shapes.enumerated().map { sample($1, seed: UInt64($0 + 1)) }
      let report = try checkGradients(of: layer, at: inputs, order: 2)
      #expect(report.entries.filter { $0.order == 1 }.count == shapes.count)
    }
    let (layer, inputs, _) = Self.cases[index]
    try check(layer, inputs.map(\.shape))
  }

  // MARK: - Masks

  static let x = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [1, 3, 2])
  static let mask = Tensor([true, false, true], shape: [1, 3])
  static let other = Tensor([false, false, true], shape: [1, 3])

  /// What each layer makes of a mask: nil where it ends.
  static var masks: [(layer: any Layer<Tensor, Tensor>, expected: [Double]?)] {
    [
      (Conv1D(2, kernelSize: 1), nil), (MaxPooling1D(1), nil), (AveragePooling1D(1), nil), (GlobalMaxPooling1D(), nil),
      (GlobalAveragePooling1D(), nil), (Flatten(), nil), (ReelNN.Reshape([3, 2]), nil), (Permute([1, 2]), nil),
      (ZeroPadding1D(before: 0, after: 0), nil), (Cropping1D(0), nil), (UpSampling1D(1), nil),
      (Lambda { $0 * 2 }, nil), (Lambda { ($0 * 2).withMask($0.mask) }, [1, 0, 1]), (Dropout(0.5), [1, 0, 1]),
      (Dropout(1), [1, 0, 1]), (SpatialDropout1D(0.5), [1, 0, 1]), (GaussianNoise(1), [1, 0, 1]),
      (LayerNormalization(), [1, 0, 1]), (BatchNormalization(), [1, 0, 1]), (TimeDistributed(Dense(2)), [1, 0, 1]),
      (TimeDistributed(BatchNormalization()), [1, 0, 1]), (Masking(maskValue: 7), [1, 1, 1]),
    ]
  }

  @Test(arguments: masks.indices, [false, true])
  func aMaskGoesOnWhereKerasSupportsIt(index: Int, inTraining: Bool) {
    let (layer, expected) = Self.masks[index]
    let y = withTraining(inTraining) { layer(Self.x.withMask(Self.mask)) }
    #expect(y.mask?.numbers == expected, "\(type(of: layer))")
  }

  @Test func mergedMasksAreRealWhereAnyIs() {
    let (x, y) = (Self.x.withMask(Self.mask), (10 * Self.x).withMask(Self.other))
    #expect(Add()([x, y]).mask?.numbers == [1, 0, 1])
    #expect(Add()([x, Self.x]).mask == nil, "an input without a mask")
    #expect(Multiply()([x, y]).numbers == [1, 2, 1, 1, 250, 360], "a masked step counts as 1")
    #expect(Maximum()([x, y]).numbers == [1, 2, 3, 4, 50, 60])
    #expect(Minimum()([x, y]).numbers == [1, 2, 3, 4, 5, 6])
    #expect(Maximum()([x, Self.x - 1]).numbers == [1, 2, 2, 3, 5, 6], "a masked step is left to the others")
  }

  @Test func concatenatedMasksAre() {
    let (x, y) = (Self.x.withMask(Self.mask), Self.x.withMask(Self.other))
    #expect(ReelNN.Concatenate()([x, y]).mask?.numbers == [1, 0, 1])
    #expect(ReelNN.Concatenate()([y, Self.x]).mask?.numbers == [1, 1, 1], "an input without a mask is real")
    #expect(ReelNN.Concatenate(axis: 1)([x, y]).mask?.numbers == [1, 0, 1, 0, 0, 1])
    #expect(ReelNN.Concatenate(axis: 0)([x, Self.x]).mask?.numbers == [1, 0, 1, 1, 1, 1])
    #expect(ReelNN.Concatenate()([Self.x, Self.x]).mask == nil)
  }

  @Test func maskingMarksStepsOfOneValue() {
    let y = Masking(maskValue: 2)(Tensor([2, 2, 2, 3, 0, 2] as [Float], shape: [1, 3, 2]))
    #expect(y.mask?.numbers == [0, 1, 1])
    #expect(y.numbers == [0, 0, 2, 3, 0, 2])
    let ids = Embedding(4, 2, maskZero: true)(Tensor([3, 0, 1] as [Int32], shape: [1, 3]))
    #expect(ids.mask?.numbers == [1, 0, 1])
  }

  // MARK: - At every step

  @Test func aLayerThatCouplesTheBatchIsCalledStepByStep() {
    let x = sample([4, 3, 2], seed: 1, elementType: .float32)
    let (model, plain) = (
      TimeDistributed(Sequential { BatchNormalization(momentum: 0.5) }), BatchNormalization(momentum: 0.5)
    )
    let (found, expected) = withTraining { (model(x), stacked(x.unstacked(along: 1).map { plain($0) }, along: 1)) }
    expectSameBits(found, expected)
    expectSameBits(model.layer.parameters[2].parameter.value!, plain.movingMean.value!)
    expectSameBits(model.layer.parameters[3].parameter.value!, plain.movingVariance.value!)
    expectClose(model(x), stacked(x.unstacked(along: 1).map { plain($0) }, along: 1), "in inference")
  }

  @Test func theMaskOfALayerInsideIsBehindThatOfTheSteps() {
    let x = sample([2, 3, 4, 5], seed: 2, elementType: .float32)
    let mask = sample([2, 3, 4], seed: 3) .> 0.2
    let y = TimeDistributed(GlobalAveragePooling1D())(x.withMask(mask))
    let steps = (0..<3).map { step in
      GlobalAveragePooling1D()(x.part(at: step, along: 1).withMask(mask.part(at: step, along: 1)))
    }
    expectClose(y, stacked(steps, along: 1))
  }
}
