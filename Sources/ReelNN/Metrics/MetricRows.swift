import Reel

/// Predictions, truth and weights of one batch as rows: `[rows, outputs]` each, of one floating-point type.
struct MetricRows {
  let predicted: Tensor
  let expected: Tensor
  let weights: Tensor

  /// The rows of `[..., outputs]`; nil after reporting operands that do not fit. Of a vector, each element is a row.
  init?(_ predicted: Tensor, _ expected: Tensor, _ weights: MetricWeights) {
    guard let (predicted, expected) = matched(predicted, expected) else { return nil }
    self.init(predicted, expected, weights: weights(of: predicted))
  }

  private init(_ predicted: Tensor, _ expected: Tensor, weights: Tensor) {
    let outputs = predicted.rank > 1 ? predicted.shape.last : 1
    let rows = predicted.shape.extents.dropLast(predicted.rank > 1 ? 1 : 0).reduce(1, *)
    func rowed(_ tensor: Tensor) -> Tensor { tensor.reshaped(to: [rows, outputs]) }
    self.predicted = rowed(predicted)
    self.expected = rowed(expected)
    self.weights = rowed(weights)
  }

  /// The rows of one output only.
  func output(_ index: Int) -> MetricRows {
    func column(_ tensor: Tensor) -> Tensor { tensor.sliced(index..<index + 1, along: 1) }
    return MetricRows(column(predicted), column(expected), weights: column(weights))
  }

  /// 1 where the truth is not 0, and 0 elsewhere.
  var isTrue: Tensor { (expected .!= 0).converted(to: predicted.elementType) }
}

/// Where an element is among the k largest along the last axis: exactly k are, the first of equal ones.
func topMask(_ x: Tensor, _ k: Int) -> Tensor {
  let positions = Tensor.iota(x.shape.last)
  var rest = x
  var mask = (x .== x) .& false
  for _ in 0..<min(k, x.shape.last) {
    let isBest = positions .== rest.argMax(keepDims: true)
    mask = mask .| isBest
    rest = select(isBest, .constant(-.infinity), rest)
  }
  return mask
}
