import Reel

// What predictions and truth have to look like, checked before anything is computed.

/// Reports what is wrong with the operands of the running loss or metric.
func reportOperands(_ problem: String, expected: String) {
  TensorError(operation: Recording.path.last ?? "loss", problem: problem, expected: expected).report()
}

/// Predictions and truth of one shape and element type, `[..., features]`; nil after reporting some that do not fit.
///
/// Truth in whole numbers or truth values is taken as numbers. Of `[...]` and `[..., 1]` the first gets the missing axis:
/// labels `[batch]` fit the `[batch, 1]` of `Dense(1)`.
func matched(_ predicted: Tensor, _ expected: Tensor) -> (predicted: Tensor, expected: Tensor)? {
  var (predicted, expected) = (predicted, expected)
  guard predicted.elementType.isFloatingPoint, predicted.rank > 0 || expected.rank > 0 else {
    reportOperands(
      "predictions of type \(predicted.elementType)\(predicted.shape)", expected: "floating point [..., features]")
    return nil
  }
  if predicted.rank == expected.rank + 1, predicted.shape.last == 1 { expected = expected.expanded(at: -1) }
  if expected.rank == predicted.rank + 1, expected.shape.last == 1 { predicted = predicted.expanded(at: -1) }
  let truth = expected.labels(as: predicted.elementType)
  guard truth.shape == predicted.shape, truth.elementType == predicted.elementType else {
    reportOperands(
      "predictions of type \(predicted.elementType)\(predicted.shape) for values of type "
        + "\(expected.elementType)\(expected.shape)",
      expected: "one shape for both, which nothing is broadcast to, and one floating-point type")
    return nil
  }
  return (predicted, truth)
}

/// Predictions with the classes as last axis, `[..., classes]`, and labels `int32 [...]`; nil after reporting some that
/// do not fit.
///
/// - Parameter axis: The axis of the classes in the predictions. Labels may have it with extent 1.
func classified(_ predicted: Tensor, _ labels: Tensor, axis: Int = -1) -> (predicted: Tensor, labels: Tensor)? {
  guard let axis = classAxis(axis, of: predicted) else { return nil }
  var leading = predicted.shape.extents
  leading.remove(at: axis)
  var column = predicted.shape.extents
  column[axis] = 1
  guard labels.elementType == .int32, [leading, column].contains(labels.shape.extents) else {
    reportOperands(
      "labels of type \(labels.elementType)\(labels.shape) for predictions of shape \(predicted.shape)",
      expected: "the class of each, i32\(Shape(leading))")
    return nil
  }
  return (predicted.withLastAxis(axis), labels.reshaped(to: Shape(leading)))
}

/// Predictions and the probabilities of the classes, with the classes as last axis, `[..., classes]`; nil after reporting
/// some that do not fit.
func distributed(_ predicted: Tensor, _ expected: Tensor, axis: Int) -> (predicted: Tensor, expected: Tensor)? {
  guard let axis = classAxis(axis, of: predicted) else { return nil }
  let truth = expected.labels(as: predicted.elementType)
  guard truth.elementType == predicted.elementType, truth.shape == predicted.shape else {
    reportOperands(
      "labels of type \(expected.elementType)\(expected.shape) for predictions of shape \(predicted.shape)",
      expected: "the probabilities of the classes, \(predicted.elementType)\(predicted.shape); "
        + "sparse losses and metrics take classes")
    return nil
  }
  return (predicted.withLastAxis(axis), truth.withLastAxis(axis))
}

/// The axis of the classes counted from the front; nil after reporting predictions that do not have it.
private func classAxis(_ axis: Int, of predicted: Tensor) -> Int? {
  let front = axis < 0 ? axis + predicted.rank : axis
  guard predicted.elementType.isFloatingPoint, (0..<predicted.rank).contains(front) else {
    reportOperands(
      "predictions of type \(predicted.elementType)\(predicted.shape)",
      expected: "floating-point scores of the classes along axis \(axis)")
    return nil
  }
  return front
}
