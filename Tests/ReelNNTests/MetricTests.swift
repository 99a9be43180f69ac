import Reel
import ReelNN
import ReelTestSupport
import Testing

/// What metrics do from batch to batch, and the settings that ``GoldenTests`` has no case for.
@Suite struct MetricTests {
  private static func result(
    _ metric: Metric, _ predicted: Tensor, _ expected: Tensor, weight: Tensor? = nil, mask: Tensor? = nil
  ) -> Tensor {
    metric.update(predicted: predicted, expected: expected, sampleWeight: weight, mask: mask)
    return metric.result
  }

  @Test func batchesCountByTheirSize() {
    let metric = Metric.meanAbsoluteError()
    #expect(metric.result.item == 0)
    metric.update(predicted: [[1], [1], [1]], expected: [[0], [0], [0]])
    #expect(metric.result.item == 1)
    metric.update(predicted: [[5]], expected: [[0]])
    #expect(metric.result.item == 2)
    metric.reset()
    #expect(metric.result.item == 0)
    metric.update(predicted: [[5]], expected: [[0]])
    #expect(metric.result.item == 5)
  }

  /// Σ over samples of the mean over steps: a batch of long sequences counts as one of short sequences.
  @Test func sequencesCountOnce() {
    let metric = Metric.sparseCategoricalAccuracy()
    let scores = Tensor([0, 1, 0, 1, 0, 1, 0, 1] as [Float], shape: [1, 4, 2])
    metric.update(predicted: scores, expected: Tensor([1, 1, 1, 0] as [Int32], shape: [1, 4]))
    #expect(metric.result.item == 0.75)
    metric.update(predicted: scores.sliced(0..<1, along: 1), expected: Tensor([0] as [Int32], shape: [1, 1]))
    #expect(metric.result.item == 0.375)
  }

  @Test func masksLeaveStepsOut() {
    let scores = Tensor([0, 1, 0, 1, 0, 1, 1, 0] as [Float], shape: [2, 2, 2])
    let labels = Tensor([1, 0, 0, 0] as [Int32], shape: [2, 2])
    let mask = Tensor([true, false, false, true], shape: [2, 2])
    #expect(Self.result(.sparseCategoricalAccuracy(), scores, labels).item == 0.5)
    #expect(Self.result(.sparseCategoricalAccuracy(), scores, labels, mask: mask).item == 1)
    #expect(Self.result(.sparseCategoricalAccuracy(), scores.withMask(mask), labels).item == 1)
    let weight = Tensor([1, 3] as [Float])
    #expect(Self.result(.sparseCategoricalAccuracy(), scores, labels, weight: weight).item == 0.5)
    let uneven = Tensor([true, true, false, true], shape: [2, 2])
    #expect(
      Self.result(.sparseCategoricalAccuracy(), scores, labels, weight: weight, mask: uneven).item == Double(Float(0.8))
    )
  }

  /// The rule of Keras's string "accuracy".
  @Test func accuracyFollowsTheShapes() {
    let column = Tensor([0.2, 0.7, 0.9, 0.6] as [Float], shape: [4, 1])
    #expect(Self.result(.accuracy(), column, Tensor([0, 1, 0, 1] as [Float], shape: [4, 1])).item == 0.75)
    #expect(Self.result(.accuracy(), column, Tensor([0, 1, 0, 1] as [Int32])).item == 0.75)
    let scores = Tensor([0.1, 0.9, 0.8, 0.2] as [Float], shape: [2, 2])
    #expect(Self.result(.accuracy(), scores, Tensor([1, 1] as [Int32])).item == 0.5)
    #expect(Self.result(.accuracy(), scores, Tensor([1, 1] as [Int32], shape: [2, 1])).item == 0.5)
    #expect(Self.result(.accuracy(), scores, Tensor([0, 1, 0, 1] as [Float], shape: [2, 2])).item == 0.5)
  }

  /// An update inside `compiled` is part of the graph: no second recording, and the same results as without.
  @Test func updatesAreStaged() throws {
    let makers: [() -> Metric] = [
      { .accuracy() }, { .auc() }, { .f1Score(average: .weighted) }, { .r2Score() }, { .confusionMatrix(classes: 3) },
      { .precision(topK: 2) }, { .recall(thresholds: [0.2, 0.4], classID: 1) }, { .rootMeanSquaredError() },
    ]
    for make in makers {
      let (eager, staged) = (make(), make())
      var recordings = 0
      let step = compiled { (p: Tensor, y: Tensor) -> Tensor in
        recordings += 1
        staged.update(predicted: p, expected: y)
        return staged.result
      }
      for seed in 0..<3 as Range<UInt64> {
        let p = softmax(sample([5, 3], seed: seed, elementType: .float32))
        let y = sample([5, 3], seed: 10 + seed).argMax().oneHot(3, elementType: .float32)
        eager.update(predicted: p, expected: y)
        expectSameBits(try step(p, y), eager.result, eager.name)
      }
      #expect(recordings == 1)
      staged.reset()
      eager.reset()
      let p = softmax(sample([5, 3], seed: 7, elementType: .float32))
      let y = sample([5, 3], seed: 17).argMax().oneHot(3, elementType: .float32)
      eager.update(predicted: p, expected: y)
      expectSameBits(try step(p, y), eager.result, "\(eager.name) after a reset")
    }
  }

  /// Ones added to 2²⁴ one by one, which sums in `float32` would lose.
  @Test func countsStayExact() throws {
    let mean = RunningMean("loss")
    mean.update(Tensor(Float(1)), sampleWeight: Tensor(Float(16_777_216)))
    for _ in 0..<8 { mean.update(Tensor(Float(9))) }
    #expect(mean.result.item == Double(Float((16_777_216 + 72) / Double(16_777_224))))
    ElementType.withDefault(.float64) { #expect(mean.result.item == (16_777_216 + 72) / 16_777_224.0) }
    mean.reset()
    #expect(mean.result.item == 0)
    mean.update([1, 2, 6], mask: Tensor([true, false, true]))
    #expect(mean.result.item == 3.5)
  }

  @Test func aMetricOfOnesOwn() {
    let close = Metric("close", direction: .up) { predicted, expected in
      (abs(predicted - expected) .< 0.1).converted(to: .float32).mean(along: [-1])
    }
    #expect(Self.result(close, [[1, 2], [3, 4]], [[1.05, 2], [3.5, 4]]).item == 0.75)
    let range = Metric("range") { predicted, _, weights in
      [predicted.sum() * 0, (weights(of: predicted) * predicted).sum()]
    } result: { sums in
      sums[1] - sums[0]
    }
    #expect(Self.result(range, [[1, 2], [3, 4]], [[0]], weight: [1, 10]).item == 73)
    #expect(close.direction == .up && range.direction == nil && Metric.meanSquaredError().direction == .down)
  }

  /// Samples that a loss leaves out are left out of its mean.
  @Test func ignoredClassesDoNotCount() {
    let metric = Metric.sparseCategoricalCrossEntropy(fromLogits: true, ignoreClass: 0)
    let logits = sample([3, 4], seed: 1)
    let labels = Tensor([2, 0, 3] as [Int32])
    let loss = Loss.sparseCategoricalCrossEntropy(fromLogits: true, ignoreClass: 0)
    ElementType.withDefault(.float64) {
      expectClose(Self.result(metric, logits, labels), loss(predicted: logits, expected: labels), relative: 1e-14)
    }
  }

  @Test func topScoresWithTies() {
    let scores = Tensor([3, 1, 1, 0] as [Float], shape: [1, 4])
    func isRight(_ label: Int32, _ k: Int) -> Double {
      Self.result(.sparseTopKCategoricalAccuracy(k: k), scores, Tensor([label])).item
    }
    // Equal scores are in together.
    #expect((0..<4).map { isRight($0, 1) } == [1, 0, 0, 0])
    #expect((0..<4).map { isRight($0, 2) } == [1, 1, 1, 0])
    #expect((0..<4).map { isRight($0, 4) } == [1, 1, 1, 1])
    #expect(isRight(4, 4) == 0 && isRight(-1, 4) == 0)
    let infinite = Tensor([0, .nan, .infinity] as [Float], shape: [1, 3])
    for label in [1, 2] as [Int32] {
      #expect(Self.result(.sparseTopKCategoricalAccuracy(k: 3), infinite, Tensor([label])).item == 0)
    }
  }
}
