import Reel

/// The mean of the squared differences over all elements. Keras's `MeanSquaredError`.
///
/// - Parameters:
///   - predicted: Predictions of any shape.
///   - expected: The truth, of the same shape and element type.
/// - Returns: A scalar.
public func meanSquaredError(predicted: Tensor, expected: Tensor) -> Tensor {
  guard predicted.shape == expected.shape else {
    TensorError(
      operation: "meanSquaredError",
      problem: "predictions of shape \(predicted.shape) for values of shape \(expected.shape)", expected: "one shape"
    ).report()
    return .zeros([])
  }
  let difference = predicted - expected
  return (difference * difference).mean()
}

/// The mean over the batch of -Σ labels · log softmax(logits), from logits.
///
/// Keras's `CategoricalCrossentropy` and `SparseCategoricalCrossentropy` with `from_logits=True`.
///
/// - Parameters:
///   - logits: `[..., classes]`.
///   - labels: Either `int32` classes, `[...]`, or the probabilities of the classes in the element type of the logits,
///     `[..., classes]` (one-hot, for example).
/// - Returns: A scalar: the mean over the leading axes.
public func softmaxCrossEntropy(logits: Tensor, labels: Tensor) -> Tensor {
  let classes = logits.rank > 0 ? logits.shape.last : 0
  let leading = logits.rank > 0 ? logits.shape[..<(logits.rank - 1)] : .scalar
  let probabilities: Tensor
  if labels.elementType == .int32 && labels.shape == leading && logits.rank > 0 {
    probabilities = labels.oneHot(classes, elementType: logits.elementType)
  } else if labels.elementType == logits.elementType && labels.shape == logits.shape && logits.rank > 0 {
    probabilities = labels
  } else {
    TensorError(
      operation: "softmaxCrossEntropy",
      problem: "labels of type \(labels.elementType)\(labels.shape) for logits of shape \(logits.shape)",
      expected: "i32\(leading) classes, or \(logits.elementType)\(logits.shape) probabilities"
    ).report()
    return .zeros([])
  }
  return -(probabilities * logSoftmax(logits)).sum(along: [-1]).mean()
}
