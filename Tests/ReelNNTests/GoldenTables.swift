import Reel
import ReelNN
import ReelTestSupport
import Testing

// Golden cases of losses and optimizers.

// MARK: - Losses

/// A loss of Keras: which function of ours it is, and what its predictions are called.
struct LossCase {
  let golden: GoldenCase
  let predictions: String
  private let function: (_ predicted: Tensor, _ expected: Tensor) -> Tensor

  init(_ golden: GoldenCase) throws {
    self.golden = golden
    predictions = golden.inputs["logits"] == nil ? "y_pred" : "logits"
    function = try makeLoss(golden.layer, golden.config, logitsAreKnown: predictions == "logits")
  }

  func check() throws {
    let tensors = try Golden.tensors(of: golden)
    let (predicted, expected) = (tensors[predictions]!, tensors["y_true"]!)
    let run = { (predicted: Tensor, expected: Tensor) -> [String: Tensor] in
      let (loss, gradient) = valueWithGradient(at: predicted) { function($0, expected) }
      // The function gives a mean only; that of one position is its own term.
      let leading = Shape(predicted.shape.extents.dropLast())
      let rows = predicted.reshaped(to: [leading.count, predicted.shape.last])
      let classes = expected.rank == predicted.rank ? [expected.shape.last] : []
      let truths = expected.reshaped(to: Shape([leading.count] + classes))
      let values = (0..<leading.count).map { row in
        function(rows.sliced(row..<row + 1, along: 0), truths.sliced(row..<row + 1, along: 0))
      }
      return [
        "loss": loss, "grad.\(predictions)": gradient, "values": stacked(values).reshaped(to: leading),
        "y_pred": softmax(predicted),
      ]
    }
    try ElementType.withDefault(golden.elementType) {
      let eager = run(predicted, expected)
      expectGolden(eager, tensors, of: golden, "eager")
      let staged = try compiled(run)(predicted, expected)
      expectGolden(staged, tensors, of: golden, "compiled")
      expectSameBits(staged["loss"]!, eager["loss"]!)
    }
  }
}

/// A loss by its Keras class and settings. Keras computes the cross-entropy of a softmax from its logits, whatever
/// `from_logits` says, when it knows them.
func makeLoss(
  _ className: String, _ config: JSONValue, logitsAreKnown: Bool
) throws -> (_ predicted: Tensor, _ expected: Tensor) -> Tensor {
  let settings = try Settings(config, known: ["reduction", "axis", "from_logits"])
  if let axis = config["axis"] {
    guard axis == .number(-1) else { throw OutsideScope("the setting axis = \(axis)") }
  }
  switch className {
  case "MeanSquaredError": return { meanSquaredError(predicted: $0, expected: $1) }
  case "CategoricalCrossentropy", "SparseCategoricalCrossentropy":
    guard settings.truth("from_logits") || logitsAreKnown else { throw OutsideScope("cross-entropy of probabilities") }
    return { softmaxCrossEntropy(logits: $0, labels: $1) }
  default: throw OutsideScope("the loss \(className)")
  }
}

// MARK: - Optimizers

/// A model that is nothing but parameters.
private struct Weights: Module {
  let weights: [Parameter]

  init(_ values: [Tensor]) { weights = values.map { Parameter(.value($0)) } }

  /// A value with given gradients by the parameters: Σ weight · gradient.
  func value(withGradients gradients: [Tensor]) -> Tensor {
    let terms = zip(weights, gradients).map { ($0($1.shape) * $1).sum() }
    return terms.dropFirst().reduce(terms[0], +)
  }
}

func checkOptimizer(_ golden: GoldenCase) throws {
  let tensors = try Golden.tensors(of: golden)
  let count = golden.inputs.keys.count { $0.hasPrefix("parameter.") }
  for mode in ["eager", "compiled"] {
    let weights = Weights((0..<count).map { tensors["parameter.\($0)"]! })
    let optimizer = try makeOptimizer(golden.layer, golden.config)
    let update = { (gradients: [Tensor]) -> Empty in
      let found = valueWithGradient(of: weights) { weights.value(withGradients: gradients) }
      optimizer.update(weights, along: found.gradients)
      return Empty()
    }
    let staged = compiled(update)
    var results: [String: Tensor] = [:]
    for step in 0..<(try #require(golden.steps)) {
      let gradients = (0..<count).map { tensors["gradient.\(step).\($0)"]! }
      _ = mode == "eager" ? update(gradients) : try staged(gradients)
      for index in 0..<count { results["parameter.\(index).after.\(step + 1)"] = weights.weights[index].value }
    }
    expectGolden(results, tensors, of: golden, mode)
  }
}
