import Foundation
import Reel
import ReelNN
import ReelTestSupport
import Testing

/// What real Keras and PyTorch computed, against what Reel computes: each case of the indices that the library covers, by
/// its settings, eagerly and compiled, as a loop, in blocks and unrolled.
@Suite struct GoldenTests {
  @Test(arguments: Golden.covered("layer"))
  func layer(golden: GoldenCase) throws { try LayerCase(keras: golden).check() }

  @Test(arguments: Golden.covered("layer_stateful"))
  func statefulLayer(golden: GoldenCase) throws { try LayerCase(keras: golden).check() }

  @Test(arguments: Golden.covered("torch_layer"))
  func layerOfPyTorch(golden: GoldenCase) throws { try TorchCase(golden).check() }

  @Test(arguments: Golden.covered("torch_model"))
  func modelOfPyTorch(golden: GoldenCase) throws { try TorchCase(golden).check() }

  @Test(arguments: Golden.covered("loss"))
  func loss(golden: GoldenCase) throws { try LossCase(golden).check() }

  @Test(arguments: Golden.covered("metric"))
  func metric(golden: GoldenCase) throws { try checkMetric(golden) }

  @Test(arguments: Golden.covered("optimizer"))
  func optimizer(golden: GoldenCase) throws { try checkOptimizer(golden) }

  @Test(arguments: Golden.covered("schedule"))
  func schedule(golden: GoldenCase) throws { try checkSchedule(golden) }

  @Test(arguments: Golden.covered("initializer"))
  func initializer(golden: GoldenCase) throws { try checkInitializer(golden) }

  @Test(arguments: Golden.covered("activation"))
  func activation(golden: GoldenCase) throws { try checkActivations(golden) }

  @Test(arguments: Golden.covered("regularizer"))
  func regularizer(golden: GoldenCase) throws { try RegularizerCase(golden).check() }

  @Test(arguments: Golden.covered("constraint"))
  func constraint(golden: GoldenCase) throws { try checkConstraint(golden) }

  @Test(arguments: Golden.covered("model"))
  func model(golden: GoldenCase) throws { try ModelCase(golden, unroll: .never).check() }

  /// How many cases are run, and how many of their tensors are compared, by kind and class. The numbers change with the
  /// library only: they must not shrink unnoticed.
  static let counts: [String: [Int]] = [
    "layer SimpleRNN": [17, 96], "layer LSTM": [21, 128], "layer GRU": [35, 195], "layer RNN": [8, 82],
    "layer Bidirectional": [22, 204], "layer Dense": [5, 19], "layer_stateful SimpleRNN": [1, 18],
    "layer_stateful LSTM": [1, 21], "layer_stateful GRU": [2, 36], "layer_stateful Bidirectional": [1, 24],
    "layer Conv1D": [16, 63], "layer MaxPooling1D": [4, 8], "layer AveragePooling1D": [4, 8],
    "layer GlobalMaxPooling1D": [1, 2], "layer GlobalAveragePooling1D": [2, 4], "layer Flatten": [1, 2],
    "layer RepeatVector": [1, 2], "layer Embedding": [2, 5], "layer Masking": [1, 3],
    "layer LayerNormalization": [5, 18],
    "layer BatchNormalization": [6, 32], "layer TimeDistributed": [2, 8],
    "torch_layer torch.nn.RNN": [2, 27], "torch_layer torch.nn.LSTM": [9, 103], "torch_layer torch.nn.GRU": [8, 77],
    "torch_model torch.nn.Module": [2, 26],
    "loss MeanSquaredError": [3, 24], "loss MeanAbsoluteError": [1, 8], "loss MeanAbsolutePercentageError": [1, 8],
    "loss MeanSquaredLogarithmicError": [1, 8], "loss Huber": [3, 24], "loss LogCosh": [2, 16],
    "loss Poisson": [1, 8], "loss CosineSimilarity": [2, 16], "loss KLDivergence": [1, 8], "loss Hinge": [2, 16],
    "loss SquaredHinge": [1, 8], "loss CategoricalHinge": [1, 8], "loss BinaryCrossentropy": [6, 49],
    "loss BinaryFocalCrossentropy": [1, 8], "loss CategoricalCrossentropy": [7, 57],
    "loss CategoricalFocalCrossentropy": [1, 8], "loss SparseCategoricalCrossentropy": [7, 57],
    "metric Accuracy": [1, 4], "metric BinaryAccuracy": [2, 8], "metric CategoricalAccuracy": [1, 4],
    "metric SparseCategoricalAccuracy": [3, 12], "metric TopKCategoricalAccuracy": [1, 4],
    "metric SparseTopKCategoricalAccuracy": [1, 4], "metric MeanSquaredError": [1, 4],
    "metric RootMeanSquaredError": [1, 4], "metric MeanAbsoluteError": [1, 4], "metric BinaryCrossentropy": [1, 4],
    "metric CategoricalCrossentropy": [1, 4], "metric SparseCategoricalCrossentropy": [1, 4],
    "metric KLDivergence": [1, 4], "metric CosineSimilarity": [1, 4], "metric Precision": [1, 4],
    "metric Recall": [1, 4], "metric AUC": [1, 4], "metric F1Score": [1, 4], "metric R2Score": [1, 4],
    "metric Mean": [1, 2],
    "optimizer SGD": [9, 100], "optimizer RMSprop": [3, 40], "optimizer Adam": [8, 116], "optimizer AdamW": [2, 28],
    "optimizer Adagrad": [2, 24], "optimizer Adadelta": [1, 14], "optimizer Adamax": [2, 28],
    "optimizer Nadam": [1, 14], "optimizer Lion": [2, 24], "optimizer Ftrl": [2, 28], "optimizer Lamb": [1, 14],
    "schedule ExponentialDecay": [2, 2], "schedule CosineDecay": [2, 2], "schedule CosineDecayRestarts": [1, 1],
    "schedule PolynomialDecay": [2, 2], "schedule InverseTimeDecay": [1, 1],
    "schedule PiecewiseConstantDecay": [1, 1],
    "initializer LSTM": [3, 3], "activation activations": [6, 244], "layer ReLU": [1, 2], "layer LeakyReLU": [1, 2],
    "layer PReLU": [1, 3], "layer Softmax": [1, 2], "regularizer L1": [1, 2], "regularizer L2": [1, 2],
    "regularizer L1L2": [2, 4], "regularizer OrthogonalRegularizer": [3, 6], "regularizer Dense": [1, 5],
    "constraint MaxNorm": [2, 2], "constraint UnitNorm": [2, 2], "constraint NonNeg": [1, 1],
    "constraint MinMaxNorm": [2, 2], "model Model": [13, 335],
  ]

  @Test func nothingFallsOutOfScopeUnnoticed() {
    var found: [String: [Int]] = [:]
    for (_, golden) in Golden.cases where reasonOutsideScope(golden) == nil {
      let counts = found["\(golden.kind) \(golden.layer)"] ?? [0, 0]
      let tensorCount = golden.outputs.count + golden.gradients.count
      found["\(golden.kind) \(golden.layer)"] = [counts[0] + 1, counts[1] + tensorCount]
    }
    #expect(found == Self.counts)
  }

  /// Every case that is not run has one of these reasons, each of which names what the library lacks.
  @Test func whatIsOutsideScopeHasAReason() {
    let reasons = Golden.cases.compactMap { reasonOutsideScope($0.golden) }
    let known = [
      "cases of kind", "the layer", "the loss", "the metric", "the optimizer", "the setting", "the input",
      "learning_rate =",
    ]
    for reason in reasons { #expect(known.contains { reason.hasPrefix($0) }, "\(reason)") }
    #expect(reasons.count == Golden.cases.count - Self.counts.values.reduce(0) { $0 + $1[0] })
  }

  @Test func theFolderHasTheFilesThatAreRunAndNoOthers() throws {
    for backend in ["keras", "torch"] {
      let cases = Golden.cases.filter { $0.backend == backend && reasonOutsideScope($0.golden) == nil }.map(\.golden)
      let run = cases.map(\.file) + cases.compactMap(\.checkpoint)
      let found = try FileManager.default.contentsOfDirectory(
        atPath: Golden.folder.appendingPathComponent(backend).path)
      #expect(Set(found).symmetricDifference(run + ["index.json"]) == [])
    }
  }
}
