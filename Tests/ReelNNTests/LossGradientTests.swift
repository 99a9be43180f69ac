import Reel
import ReelNN
import ReelTestSupport
import Testing

/// The gradient of each loss against numeric differentiation in `float64`, by the predictions and by the truth.
@Suite struct LossGradientTests {
  struct Row: CustomTestStringConvertible, Sendable {
    let loss: Loss
    /// What makes operands of the loss from normally distributed numbers.
    let predictions: @Sendable (Tensor) -> Tensor
    let truth: @Sendable (Tensor) -> Tensor
    /// Whether the truth is differentiated too.
    let isSmoothInTruth: Bool
    var testDescription: String { loss.name }

    init(
      _ loss: Loss, isSmoothInTruth: Bool = true, _ predictions: @escaping @Sendable (Tensor) -> Tensor = { $0 },
      truth: @escaping @Sendable (Tensor) -> Tensor = { $0 }
    ) {
      self.loss = loss
      self.predictions = predictions
      self.truth = truth
      self.isSmoothInTruth = isSmoothInTruth
    }
  }

  private static let signs: @Sendable (Tensor) -> Tensor = { select($0 .> 0, Tensor.ones(like: $0), -1) }
  private static let oneHot: @Sendable (Tensor) -> Tensor = { $0.argMax().oneHot(4, elementType: .float64) }
  private static let positive: @Sendable (Tensor) -> Tensor = { exp($0) }
  private static let unit: @Sendable (Tensor) -> Tensor = { sigmoid($0) }
  private static let distribution: @Sendable (Tensor) -> Tensor = { softmax($0) }

  static let rows: [Row] = [
    Row(.meanSquaredError), Row(.meanAbsoluteError),
    Row(.meanAbsolutePercentageError, positive, truth: positive),
    Row(.meanSquaredLogarithmicError, positive, truth: positive),
    Row(.huber()), Row(.huber(delta: 0.3)), Row(.logCosh),
    Row(.poisson, positive, truth: positive), Row(.cosineSimilarity()), Row(.cosineSimilarity(along: 0)),
    Row(.hinge, isSmoothInTruth: false, truth: signs), Row(.squaredHinge, isSmoothInTruth: false, truth: signs),
    Row(.categoricalHinge, isSmoothInTruth: false, truth: oneHot),
    Row(.klDivergence, distribution, truth: distribution),
    Row(.binaryCrossEntropy(), unit, truth: unit),
    Row(.binaryCrossEntropy(fromLogits: true, labelSmoothing: 0.2), truth: unit),
    Row(.binaryFocalCrossEntropy(gamma: 1.5, alpha: 0.25), unit, truth: unit),
    Row(.binaryFocalCrossEntropy(fromLogits: true, labelSmoothing: 0.1), truth: unit),
    Row(.categoricalCrossEntropy(labelSmoothing: 0.1), positive, truth: distribution),
    Row(.categoricalCrossEntropy(fromLogits: true), truth: distribution),
    Row(.categoricalCrossEntropy(fromLogits: true, along: 0), truth: distribution),
    Row(.categoricalFocalCrossEntropy(gamma: 1.5), positive, truth: distribution),
    Row(.categoricalFocalCrossEntropy(fromLogits: true), truth: distribution),
    Row(.sparseCategoricalCrossEntropy(), isSmoothInTruth: false, unit, truth: { $0.argMax() }),
    Row(.sparseCategoricalCrossEntropy(fromLogits: true), isSmoothInTruth: false, truth: { $0.argMax() }),
    Row(
      .sparseCategoricalCrossEntropy(fromLogits: true, ignoreClass: 1), isSmoothInTruth: false, truth: { $0.argMax() }),
  ]

  @Test(arguments: rows)
  func ofALoss(row: Row) throws {
    let predicted = row.predictions(sample([3, 4], seed: 3))
    let expected = row.truth(sample([3, 4], seed: 4))
    let leading = row.loss.values(predicted: predicted, expected: expected).shape
    let weight = sigmoid(sample(leading, seed: 5))
    for reduction in Loss.Reduction.allCases where reduction != .none {
      let loss = row.loss.reduced(by: reduction)
      // Weighted unevenly, so that sums that vanish by symmetry cannot hide a mistake.
      let slope = gradient(at: predicted) { loss(predicted: $0, expected: expected, sampleWeight: weight) }
      #expect(abs(slope).max().item > 1e-3, "\(reduction)")
      try checkGradients(
        of: { p in loss(predicted: p, expected: expected, sampleWeight: weight) }, at: predicted,
        order: reduction == .sumOverBatchSize ? 2 : 1, mode: .directional)
      if row.isSmoothInTruth && reduction == .sumOverBatchSize {
        try checkGradients(
          of: { y in loss(predicted: predicted, expected: y, sampleWeight: weight) }, at: expected, mode: .directional)
      }
    }
  }

  /// Where probabilities are clipped, the gradient is 0.
  @Test func clippedProbabilitiesHaveNoSlope() {
    let p = Tensor([[0.0, 1e-9, 1, 0.5]] as [[Float]])
    let y = Tensor([[1.0, 1, 0, 1]] as [[Float]])
    let slope = gradient(at: p) { Loss.binaryCrossEntropy()(predicted: $0, expected: y) }
    #expect(slope.numbers == [0, 0, 0, -0.5])
  }
}

extension Tensor {
  fileprivate init(_ rows: [[Float]]) { self.init(rows.flatMap { $0 }, shape: [rows.count, rows[0].count]) }
}
