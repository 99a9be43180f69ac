import Reel

/// The mean of the squared differences over all elements. Keras's `MeanSquaredError`.
///
/// ``Loss/meanSquaredError`` is the same loss as a value, with weights, masks and other reductions.
///
/// - Parameters:
///   - predicted: Predictions of any shape.
///   - expected: The truth, of the same shape and element type.
/// - Returns: A scalar.
public func meanSquaredError(predicted: Tensor, expected: Tensor) -> Tensor {
  Recording.inScope("meanSquaredError") {
    guard predicted.shape == expected.shape else {
      TensorError(
        operation: "meanSquaredError",
        problem: "predictions of shape \(predicted.shape) for values of shape \(expected.shape)",
        expected: "one shape for both, which nothing is broadcast to"
      ).report()
      return .zeros([])
    }
    let difference = predicted - expected
    return (difference * difference).mean()
  }
}

/// The mean over the batch of -Σ labels · log softmax(logits), from logits.
///
/// Keras's `CategoricalCrossentropy` and `SparseCategoricalCrossentropy` with `from_logits=True`.
/// ``Loss/categoricalCrossEntropy(fromLogits:labelSmoothing:along:)`` and
/// ``Loss/sparseCategoricalCrossEntropy(fromLogits:ignoreClass:along:)`` are the same losses as values, with weights,
/// masks and other reductions.
///
/// - Parameters:
///   - logits: `[..., classes]`.
///   - labels: Either `int32` classes, `[...]`, or the probabilities of the classes in the element type of the logits,
///     `[..., classes]` (one-hot, for example).
/// - Returns: A scalar: the mean over the leading axes.
public func softmaxCrossEntropy(logits: Tensor, labels: Tensor) -> Tensor {
  Recording.inScope("softmaxCrossEntropy") {
    guard let probabilities = probabilities(of: labels, for: logits) else { return .zeros([]) }
    return crossEntropy(probabilities, logSoftmax(logits)).mean()
  }
}

/// Labels as the probabilities of the classes; nil after reporting labels or logits that do not fit.
private func probabilities(of labels: Tensor, for logits: Tensor) -> Tensor? {
  guard logits.rank > 0 else {
    TensorError(
      operation: "softmaxCrossEntropy", problem: "logits of shape \(logits.shape)", expected: "[..., classes]"
    ).report()
    return nil
  }
  let leading = logits.shape[..<(logits.rank - 1)]
  if labels.elementType == .int32 && labels.shape == leading {
    return labels.oneHot(logits.shape.last, elementType: logits.elementType)
  }
  if labels.elementType == logits.elementType && labels.shape == logits.shape { return labels }
  TensorError(
    operation: "softmaxCrossEntropy",
    problem: "labels of type \(labels.elementType)\(labels.shape) for logits of shape \(logits.shape)",
    expected: "i32\(leading) classes, or \(logits.elementType)\(logits.shape) probabilities"
  ).report()
  return nil
}
