import Foundation
import Reel
import ReelNN
import ReelTestSupport
import Testing

/// Metrics of decisions, against counts made one by one.
@Suite struct ConfusionMetricTests {
  struct Batch {
    let predicted: [Double]
    let expected: [Double]
    let weights: [Double]
    let outputs: Int

    var tensors: (predicted: Tensor, expected: Tensor, weight: Tensor) {
      let shape: Shape = [predicted.count / outputs, outputs]
      return (Tensor(predicted, shape: shape), Tensor(expected, shape: shape), Tensor(weights, shape: [shape[0]]))
    }

    init(seed: UInt64, rows: Int, outputs: Int) {
      let numbers = sigmoid(sample([rows * outputs], seed: seed)).numbers
      // Some predictions are exactly at a threshold, at 0 or at 1.
      predicted = numbers.enumerated().map { $0 % 7 == 0 ? [0, 0.25, 0.5, 1][$0 / 7 % 4] : $1 }
      expected = sample([rows * outputs], seed: seed + 1).numbers.map { $0 > 0.2 ? 1 : 0 }
      weights = sigmoid(sample([rows], seed: seed + 2)).numbers
      self.outputs = outputs
    }

    /// Weighted tp, fp, fn, tn of the decisions above a threshold, of some outputs.
    func counts(above threshold: Double, outputs chosen: [Int], labelWeights: [Double]? = nil) -> [Double] {
      var counts = [0.0, 0, 0, 0]
      for index in predicted.indices where chosen.contains(index % outputs) {
        let isDecided = predicted[index] > threshold
        let weight = weights[index / outputs] * (labelWeights?[index % outputs] ?? 1)
        counts[(expected[index] == 1 ? 0 : 1) ^ (isDecided ? 0 : 2)] += weight
      }
      return counts
    }
  }

  static let batches = [Batch(seed: 1, rows: 9, outputs: 3), Batch(seed: 5, rows: 4, outputs: 3)]

  static func counts(above threshold: Double, outputs: [Int] = [0, 1, 2], labelWeights: [Double]? = nil) -> [Double] {
    batches.reduce([0, 0, 0, 0]) { sums, batch in
      zip(sums, batch.counts(above: threshold, outputs: outputs, labelWeights: labelWeights)).map { $0 + $1 }
    }
  }

  private static func result(_ metric: Metric) -> [Double] {
    ElementType.withDefault(.float64) {
      for batch in batches {
        let (p, y, w) = batch.tensors
        metric.update(predicted: p, expected: y, sampleWeight: w)
      }
      return metric.result.numbers
    }
  }

  private static func expectNumbers(
    _ found: [Double], _ expected: [Double], tolerance: Double = 1e-12,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    expectClose(
      Tensor(found), Tensor(expected), relative: tolerance, absolute: tolerance, sourceLocation: sourceLocation)
  }

  @Test func precisionAndRecall() {
    let thresholds = [0.25, 0.5, 0.8]
    let all = thresholds.map { Self.counts(above: $0) }
    Self.expectNumbers(Self.result(.precision(thresholds: thresholds)), all.map { $0[0] / ($0[0] + $0[1]) })
    Self.expectNumbers(Self.result(.recall(thresholds: thresholds)), all.map { $0[0] / ($0[0] + $0[2]) })
    let middle = Self.counts(above: 0.5, outputs: [1])
    Self.expectNumbers(Self.result(.precision(classID: 1)), [middle[0] / (middle[0] + middle[1])])
    Self.expectNumbers(Self.result(.recall(thresholds: [0.5], classID: 1)), [middle[0] / (middle[0] + middle[2])])
    #expect(Self.result(.precision(thresholds: [1])) == [0])
  }

  @Test func theLargestPredictionsDecide() {
    let p = Tensor([0.1, 0.4, 0.4, 0.3, 0.2, 0.9] as [Float], shape: [2, 3])
    let y = Tensor([0, 0, 1, 1, 0, 1] as [Int32], shape: [2, 3])
    func value(_ metric: Metric) -> Double {
      metric.update(predicted: p, expected: y)
      return metric.result.item
    }
    // Of equal ones the first decides.
    #expect(value(.precision(topK: 1)) == 0.5)
    #expect(value(.precision(topK: 2)) == 0.75)
    #expect(value(.precision(topK: 9)) == 0.5)
    #expect(value(.recall(topK: 2)) == 1)
    #expect(value(.precision(thresholds: [0.5], topK: 2)) == 1)
    #expect(value(.recall(topK: 1, classID: 2)) == 0.5)
  }

  @Test func fScores() {
    let byClass = (0..<3).map { Self.counts(above: 0.5, outputs: [$0]) }
    func score(_ counts: [Double], beta: Double) -> Double {
      let precision = counts[0] / (counts[0] + counts[1])
      let recall = counts[0] / (counts[0] + counts[2])
      return (1 + beta * beta) * precision * recall / (beta * beta * precision + recall)
    }
    // Keras adds 1e-7 to each divisor.
    func check(_ metric: Metric, _ expected: [Double]) {
      Self.expectNumbers(Self.result(metric), expected, tolerance: 1e-6)
    }
    for beta in [0.5, 1, 2] {
      let scores = byClass.map { score($0, beta: beta) }
      let support = byClass.map { $0[0] + $0[2] }
      let weighted = zip(scores, support).reduce(0) { $0 + $1.0 * $1.1 } / support.reduce(0, +)
      check(.fBetaScore(beta: beta, threshold: 0.5), scores)
      check(.fBetaScore(beta: beta, average: .macro, threshold: 0.5), [scores.reduce(0, +) / 3])
      check(.fBetaScore(beta: beta, average: .weighted, threshold: 0.5), [weighted])
      check(.fBetaScore(beta: beta, average: .micro, threshold: 0.5), [score(Self.counts(above: 0.5), beta: beta)])
    }
    check(.f1Score(average: .micro, threshold: 0.5), [score(Self.counts(above: 0.5), beta: 1)])
  }

  @Test func areasUnderCurves() {
    for (curve, summation) in [
      (AUC.Curve.roc, AUC.Summation.interpolation), (.roc, .minoring), (.roc, .majoring),
      (.precisionRecall, .minoring), (.precisionRecall, .majoring), (.precisionRecall, .interpolation),
    ] {
      func area(_ thresholds: [Double], outputs: [Int] = [0, 1, 2], labelWeights: [Double]? = nil) -> Double {
        let limits = [-1e-7] + thresholds + [1 + 1e-7]
        return Self.area(
          limits.map { Self.counts(above: $0, outputs: outputs, labelWeights: labelWeights) }, curve, summation)
      }
      func metric(_ thresholds: [Double]?, _ multiLabel: Bool = false, _ weights: [Double]? = nil) -> [Double] {
        Self.result(
          .auc(
            curve: curve, summation: summation, thresholdCount: 9, thresholds: thresholds, multiLabel: multiLabel,
            labelWeights: weights))
      }
      let even = (1..<8).map { Double($0) / 8 }
      Self.expectNumbers(metric(nil), [area(even)])
      Self.expectNumbers(metric([0.7, 0.25, 0.5]), [area([0.25, 0.5, 0.7])])
      let weights = [1, 0.5, 2]
      Self.expectNumbers(metric(nil, false, weights), [area(even, labelWeights: weights)])
      let areas = (0..<3).map { area(even, outputs: [$0]) }
      Self.expectNumbers(metric(nil, true), [areas.reduce(0, +) / 3])
      let weighted = zip(areas, weights).reduce(0) { $0 + $1.0 * $1.1 } / 3.5
      Self.expectNumbers(metric(nil, true, weights), [weighted])
    }
  }

  /// The area from tp, fp, fn, tn at growing thresholds, as the formulas say.
  private static func area(_ counts: [[Double]], _ curve: AUC.Curve, _ summation: AUC.Summation) -> Double {
    func ratio(_ a: Double, _ b: Double) -> Double { b == 0 ? 0 : a / b }
    var sum = 0.0
    for (low, high) in zip(counts, counts.dropFirst()) {
      func point(_ c: [Double]) -> (x: Double, y: Double) {
        let recall = ratio(c[0], c[0] + c[2])
        return curve == .roc ? (ratio(c[1], c[1] + c[3]), recall) : (recall, ratio(c[0], c[0] + c[1]))
      }
      let (a, b) = (point(low), point(high))
      if curve == .precisionRecall && summation == .interpolation {
        let (pA, pB) = (low[0] + low[1], high[0] + high[1])
        let slope = ratio(low[0] - high[0], max(pA - pB, 0))
        let logarithm = pA > 0 && pB > 0 ? log(pA / pB) : 0
        let gained = low[0] - high[0]
        sum += ratio(slope * (gained + (high[0] - slope * pB) * logarithm), high[0] + high[2])
        continue
      }
      let height =
        summation == .interpolation ? (a.y + b.y) / 2 : summation == .minoring ? min(a.y, b.y) : max(a.y, b.y)
      sum += (a.x - b.x) * height
    }
    return sum
  }

  @Test func areaOfLogits() {
    let (metric, reference) = (Metric.auc(fromLogits: true), Metric.auc())
    let logits = sample([20, 1], seed: 1, elementType: .float32)
    let truth = (sample([20, 1], seed: 2) .> 0).converted(to: .int32)
    metric.update(predicted: logits, expected: truth)
    reference.update(predicted: sigmoid(logits), expected: truth)
    expectSameBits(metric.result, reference.result)
    #expect(metric.result.item > 0 && metric.result.item < 1)
  }

  @Test func confusionMatrix() {
    let metric = Metric.confusionMatrix(classes: 3)
    let truth = Tensor([0, 1, 1, 2, 2, 5] as [Int32])
    metric.update(predicted: Tensor([0, 1, 2, 2, 0, 1] as [Int32]), expected: truth)
    #expect(metric.result.shape == [3, 3])
    #expect(metric.result.numbers == [1, 0, 0, 0, 1, 1, 1, 0, 1])
    let scores = Tensor([0, 0.2, 0.1, 1, 0, 0] as [Float], shape: [2, 3])
    metric.update(
      predicted: scores, expected: Tensor([0, 0, 1, 1, 0, 0] as [Float], shape: [2, 3]), sampleWeight: [2, 4])
    #expect(metric.result.numbers == [5, 0, 0, 0, 1, 1, 1, 2, 1])
  }

  @Test func coefficientOfDetermination() {
    let y = Tensor([1, 4, 3, 8, 7, 7, 7, 7] as [Double], shape: [4, 2]).converted(to: .float32)
    let p = y + Tensor([0.5, -0.5, 0, 1, -1, 0.5, 0, 0] as [Float], shape: [4, 2])
    func value(_ metric: Metric, _ weight: Tensor? = nil) -> [Double] {
      metric.update(predicted: p, expected: y, sampleWeight: weight)
      return ElementType.withDefault(.float64) { metric.result.numbers }
    }
    // Truth 1, 3, 7, 7 and 4, 8, 7, 7; squared errors 1.25 and 1.5.
    let scores = [1 - 1.25 / 27, 1 - 1.5 / 9]
    Self.expectNumbers(value(.r2Score(aggregation: .none)), scores)
    Self.expectNumbers(value(.r2Score()), [(scores[0] + scores[1]) / 2])
    let byVariance = (27 * scores[0] + 9 * scores[1]) / 36
    Self.expectNumbers(value(.r2Score(aggregation: .varianceWeightedAverage)), [byVariance])
    // n counts the entries of the truth, 8.
    Self.expectNumbers(
      value(.r2Score(aggregation: .varianceWeightedAverage, regressors: 2)), [1 - (1 - byVariance) * 7 / 5])
    Self.expectNumbers(value(.r2Score(aggregation: .varianceWeightedAverage, regressors: 7)), [byVariance])
    // Without the last two samples: truth 1, 3 and 4, 8.
    Self.expectNumbers(value(.r2Score(aggregation: .none), [1, 1, 0, 0]), [1 - 0.25 / 2, 1 - 1.25 / 8])
    let constant = Metric.r2Score(aggregation: .none)
    constant.update(predicted: p, expected: Tensor(repeating: 0.1, shape: [4, 2]))
    #expect(constant.result.numbers == [0, 0])
  }
}
