import Reel
import ReelNN
import ReelTestSupport
import Testing

/// Reductions, weights and masks, which are the same for every loss; formulas are checked by ``GoldenTests``.
@Suite struct LossTests {
  /// A loss of one's own, which gives what it is given.
  static let given = Loss("given") { predicted, _ in predicted }

  static let steps = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])

  private static func value(
    _ reduction: Loss.Reduction, of values: Tensor = steps, weight: Tensor? = nil, mask: Tensor? = nil
  ) -> Tensor {
    let loss = given.reduced(by: reduction)
    return loss(predicted: values, expected: values, sampleWeight: weight, mask: mask)
  }

  @Test func reductionsWithoutWeights() {
    #expect(Self.value(.none).numbers == [1, 2, 3, 4, 5, 6])
    #expect(Self.value(.sum).item == 21)
    #expect(Self.value(.sumOverBatchSize).item == 3.5)
    #expect(Self.value(.meanWithSampleWeight).item == 3.5)
  }

  struct Weighting: Sendable {
    let weight: Tensor
    /// By reduction, in the order of `Loss.Reduction.allCases`.
    let results: [[Double]]
  }

  static let weightings: [Weighting] = [
    // One for each sample.
    Weighting(weight: [1, 0.5], results: [[1, 2, 3, 2, 2.5, 3], [13.5], [2.25], [9]]),
    Weighting(weight: [[1], [0.5]], results: [[1, 2, 3, 2, 2.5, 3], [13.5], [2.25], [9]]),
    // One for each step of all samples, and one for each entry.
    Weighting(weight: [[1, 0, 2]], results: [[1, 0, 6, 4, 0, 12], [23], [23 / 6], [23.0 / 3]]),
    Weighting(weight: [[1, 0, 2], [0, 1, 0]], results: [[1, 0, 6, 0, 5, 0], [12], [2], [3]]),
    // One for all; trailing axes of extent 1; whole numbers.
    Weighting(weight: 2, results: [[2, 4, 6, 8, 10, 12], [42], [7], [21]]),
    Weighting(weight: [[[1]], [[0.5]]], results: [[1, 2, 3, 2, 2.5, 3], [13.5], [2.25], [9]]),
    Weighting(weight: Tensor([0, 2] as [Int32]), results: [[0, 0, 0, 8, 10, 12], [30], [5], [15]]),
    // No weight at all is a loss of 0, not of 0 / 0.
    Weighting(weight: [0, 0], results: [[0, 0, 0, 0, 0, 0], [0], [0], [0]]),
  ]

  @Test(arguments: weightings.indices)
  func weights(index: Int) {
    let weighting = Self.weightings[index]
    for (reduction, expected) in zip(Loss.Reduction.allCases, weighting.results) {
      let found = Self.value(reduction, weight: weighting.weight)
      let numbers = Tensor(expected.map(Float.init), shape: found.shape)
      expectClose(found, numbers, "\(weighting.weight.shape), \(reduction)")
    }
  }

  @Test func aMaskMakesTheMeanOneOfWhatCounts() {
    let mask = Tensor([true, true, false, true, false, false], shape: [2, 3])
    expectClose(Self.value(.sumOverBatchSize, mask: mask), Tensor(Float(7.0 / 3)))
    #expect(Self.value(.sum, mask: mask).item == 7)
    #expect(Self.value(.none, mask: mask).numbers == [1, 2, 0, 4, 0, 0])
    expectClose(Self.value(.meanWithSampleWeight, mask: mask), Tensor(Float(7.0 / 3)))
    let weight = Tensor([1, 0.5] as [Float])
    // (1 + 2 + 0.5·4) / 3 entries that count, and divided by the weights of these.
    expectClose(Self.value(.sumOverBatchSize, weight: weight, mask: mask), Tensor(Float(5.0 / 3)))
    #expect(Self.value(.meanWithSampleWeight, weight: weight, mask: mask).item == 2)
    #expect(Self.value(.sumOverBatchSize, mask: Tensor([false, true])).item == 5)
    #expect(Self.value(.sumOverBatchSize, mask: Tensor([false, false])).item == 0)
  }

  @Test func predictionsBringTheirMask() {
    let mask = Tensor([true, false, false, true, true, false], shape: [2, 3])
    let carried = Self.value(.sumOverBatchSize, of: Self.steps.withMask(mask))
    expectClose(carried, Tensor(Float(10.0 / 3)))
    // One that is given wins.
    #expect(Self.value(.sumOverBatchSize, of: Self.steps.withMask(mask), mask: Tensor([true, false])).item == 2)
  }

  @Test func ignoredClassesAndMasksAreLeftOutTogether() {
    let loss = Loss.sparseCategoricalCrossEntropy(fromLogits: true, ignoreClass: -1)
    let logits = sample([2, 3, 4], seed: 1)
    let labels = Tensor([0, -1, 2, 3, 1, -1] as [Int32], shape: [2, 3])
    let mask = Tensor([true, true, false, true, true, true], shape: [2, 3])
    let values = loss.values(predicted: logits, expected: labels).numbers
    #expect(values[1] == 0 && values[5] == 0)
    let plain = Loss.sparseCategoricalCrossEntropy(fromLogits: true)
    let rows = plain.values(predicted: logits, expected: maximum(labels, 0)).numbers
    expectClose(loss(predicted: logits, expected: labels), Tensor((rows[0] + rows[2] + rows[3] + rows[4]) / 4))
    expectClose(
      loss(predicted: logits, expected: labels, mask: mask), Tensor((rows[0] + rows[3] + rows[4]) / 3))
  }

  @Test func labelsOfOtherShapesAndTypes() {
    let column = Tensor([0.5, 2, -1] as [Float], shape: [3, 1])
    let truth = Tensor([1, 0, 1] as [Int32])
    let numbers = Tensor([1, 0, 1] as [Float], shape: [3, 1])
    let squares = Loss.meanSquaredError
    expectSameBits(
      squares(predicted: column, expected: truth), squares(predicted: column, expected: numbers), "labels [batch]")
    expectSameBits(
      squares(predicted: column.flattened(), expected: numbers), squares(predicted: column, expected: numbers))
    let truths = Tensor([true, false, true], shape: [3, 1])
    let entropy = Loss.binaryCrossEntropy(fromLogits: true)
    expectSameBits(entropy(predicted: column, expected: truths), entropy(predicted: column, expected: numbers))
    let sparse = Loss.sparseCategoricalCrossEntropy(fromLogits: true)
    let (logits, classes) = (sample([3, 4], seed: 1), Tensor([1, 0, 3] as [Int32]))
    expectSameBits(
      sparse(predicted: logits, expected: classes.expanded(at: 1)), sparse(predicted: logits, expected: classes))
    let oneHot = classes.oneHot(4, elementType: .float64)
    expectSameBits(
      Loss.categoricalCrossEntropy(fromLogits: true)(predicted: logits, expected: oneHot),
      sparse(predicted: logits, expected: classes))
  }

  /// Classes along another axis are the same numbers as along the last one.
  @Test func axes() {
    let (p, y) = (sample([2, 4, 3], seed: 1), softmax(sample([2, 4, 3], seed: 2), along: 1))
    let (moved, movedTruth) = (p.transposed([0, 2, 1]), y.transposed([0, 2, 1]))
    let pairs: [(Loss, Loss)] = [
      (.categoricalCrossEntropy(fromLogits: true, along: 1), .categoricalCrossEntropy(fromLogits: true)),
      (
        .categoricalFocalCrossEntropy(fromLogits: true, labelSmoothing: 0.2, along: -2),
        .categoricalFocalCrossEntropy(fromLogits: true, labelSmoothing: 0.2)
      ),
      (.binaryCrossEntropy(fromLogits: true, along: 1), .binaryCrossEntropy(fromLogits: true)),
      (.cosineSimilarity(along: 1), .cosineSimilarity()),
    ]
    for (along, last) in pairs {
      let found = along.values(predicted: p, expected: y)
      #expect(found.shape == [2, 3])
      expectClose(found, last.values(predicted: moved, expected: movedTruth), relative: 1e-14, along.name)
    }
    let classes = Tensor([0, 3, 1, 2, 0, 1] as [Int32], shape: [2, 3])
    expectClose(
      Loss.sparseCategoricalCrossEntropy(along: 1).values(predicted: softmax(p, along: 1), expected: classes),
      Loss.sparseCategoricalCrossEntropy().values(predicted: softmax(moved), expected: classes), relative: 1e-14)
  }

  /// The functions are the losses, bit for bit where they are the same sums.
  @Test func functionsAgreeWithLosses() {
    let (logits, labels) = (sample([4, 3], seed: 1), Tensor([0, 2, 1, 1] as [Int32]))
    expectSameBits(
      softmaxCrossEntropy(logits: logits, labels: labels),
      Loss.sparseCategoricalCrossEntropy(fromLogits: true)(predicted: logits, expected: labels))
    let truth = sample([4, 3], seed: 2)
    expectClose(
      meanSquaredError(predicted: logits, expected: truth),
      Loss.meanSquaredError(predicted: logits, expected: truth), relative: 1e-14)
  }

  /// From probabilities and from logits a loss is one number, where nothing is clipped.
  @Test func probabilitiesAndLogitsAgree() {
    let logits = sample([4, 3], seed: 1)
    let labels = softmax(sample([4, 3], seed: 2))
    let binary: [(Loss, Loss)] = [
      (.binaryCrossEntropy(labelSmoothing: 0.1), .binaryCrossEntropy(fromLogits: true, labelSmoothing: 0.1)),
      (
        .binaryFocalCrossEntropy(gamma: 1.5, alpha: 0.3),
        .binaryFocalCrossEntropy(gamma: 1.5, alpha: 0.3, fromLogits: true)
      ),
    ]
    for (probabilities, fromLogits) in binary {
      expectClose(
        probabilities(predicted: sigmoid(logits), expected: labels), fromLogits(predicted: logits, expected: labels),
        relative: 1e-13, fromLogits.name)
    }
    let categorical: [(Loss, Loss)] = [
      (.categoricalCrossEntropy(labelSmoothing: 0.1), .categoricalCrossEntropy(fromLogits: true, labelSmoothing: 0.1)),
      (.categoricalFocalCrossEntropy(gamma: 1.5), .categoricalFocalCrossEntropy(gamma: 1.5, fromLogits: true)),
    ]
    for (probabilities, fromLogits) in categorical {
      expectClose(
        probabilities(predicted: softmax(logits), expected: labels), fromLogits(predicted: logits, expected: labels),
        relative: 1e-13, fromLogits.name)
    }
  }

  /// No logits that a float can hold make a cross-entropy from them infinite, or its gradient anything but finite.
  @Test func largeLogitsAreFinite() {
    let logits = Tensor([1e4, -1e4, 0, 88, -104, 3e38] as [Float], shape: [6, 1])
    let labels = Tensor([0, 1, 1, 0, 1, 1] as [Float], shape: [6, 1])
    let entropy = Loss.binaryCrossEntropy(fromLogits: true)
    let (value, gradient) = valueWithGradient(at: logits) { entropy(predicted: $0, expected: labels) }
    #expect(value.item.isFinite && gradient.numbers.allSatisfy(\.isFinite))
    // At 0 the slope is σ(0) - 1.
    #expect(gradient.numbers[2] == Double(Float(-0.5) / 6))
  }
}
