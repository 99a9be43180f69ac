import Reel

// Cross-entropies of probabilities or logits.
//
// Keras remembers which predictions came out of its softmax or sigmoid and then computes from the logits, whatever
// `from_logits` says. Here a loss computes from what it is given.

extension Loss {
  /// -y·log p - (1 - y)·log(1 - p), and its mean along an axis, for labels y between 0 and 1. Keras's
  /// `BinaryCrossentropy`.
  ///
  /// - Parameters:
  ///   - fromLogits: Whether the predictions are x with p = σ(x), which is more precise and never clipped. If false they
  ///     are p, kept between 10⁻⁷ and 1 - 10⁻⁷, with derivative 0 outside. False by default.
  ///   - labelSmoothing: s in 0...1, where y becomes y·(1 - s) + s/2; 0 by default.
  ///   - axis: The axis of the mean; the last one by default.
  public static func binaryCrossEntropy(
    fromLogits: Bool = false, labelSmoothing: Double = 0, along axis: Int = -1
  ) -> Loss {
    precondition((0...1).contains(labelSmoothing), "Loss.binaryCrossEntropy: label smoothing in 0...1")
    return Loss("binaryCrossEntropy") { predicted, expected in
      guard let (predicted, expected) = matched(predicted, expected) else { return .zeros([]) }
      let labels = smoothed(expected, by: labelSmoothing, among: 2)
      return binaryEntropy(predicted, labels, fromLogits).mean(along: [axis])
    }
  }

  /// A binary cross-entropy in which what is predicted well counts less: (1 - q)^γ times the cross-entropy, for
  /// q = y·p + (1 - y)·(1 - p), and its mean along an axis. Lin and others, "Focal loss for dense object detection"
  /// (2017); Keras's `BinaryFocalCrossentropy`.
  ///
  /// - Parameters:
  ///   - gamma: γ, at least 0; 2 by default.
  ///   - alpha: The weight of class 1 if classes are balanced, where class 0 has 1 - α; 0.25 by default. No balancing if
  ///     nil. Keras's `apply_class_balancing`.
  ///   - fromLogits: As in ``binaryCrossEntropy(fromLogits:labelSmoothing:along:)``.
  ///   - labelSmoothing: s in 0...1, where y becomes y·(1 - s) + s/2; 0 by default.
  ///   - axis: The axis of the mean; the last one by default.
  public static func binaryFocalCrossEntropy(
    gamma: Double = 2, alpha: Double? = nil, fromLogits: Bool = false, labelSmoothing: Double = 0, along axis: Int = -1
  ) -> Loss {
    precondition(
      gamma >= 0 && (0...1).contains(labelSmoothing), "Loss.binaryFocalCrossEntropy: γ ≥ 0, label smoothing in 0...1")
    return Loss("binaryFocalCrossEntropy") { predicted, expected in
      guard let (predicted, expected) = matched(predicted, expected) else { return .zeros([]) }
      let y = smoothed(expected, by: labelSmoothing, among: 2)
      let p = fromLogits ? sigmoid(predicted) : predicted
      let right = y * p + (1 - y) * (1 - p)
      let focal = power(1 - right, .constant(gamma)) * binaryEntropy(predicted, y, fromLogits)
      guard let alpha else { return focal.mean(along: [axis]) }
      return ((y * .constant(alpha) + (1 - y) * .constant(1 - alpha)) * focal).mean(along: [axis])
    }
  }

  /// -Σ y·log p along the axis of the classes, for probabilities y of the classes (one-hot, for example). Keras's
  /// `CategoricalCrossentropy`.
  ///
  /// - Parameters:
  ///   - fromLogits: Whether the predictions are x with p = softmax(x), which is more precise and never clipped. If false
  ///     they are p, divided by their sum and kept between 10⁻⁷ and 1 - 10⁻⁷, with derivative 0 outside. False by default.
  ///   - labelSmoothing: s in 0...1, where y becomes y·(1 - s) + s / classes; 0 by default.
  ///   - axis: The axis of the classes; the last one by default.
  public static func categoricalCrossEntropy(
    fromLogits: Bool = false, labelSmoothing: Double = 0, along axis: Int = -1
  ) -> Loss {
    precondition((0...1).contains(labelSmoothing), "Loss.categoricalCrossEntropy: label smoothing in 0...1")
    return Loss("categoricalCrossEntropy") { predicted, expected in
      guard let (predicted, expected) = distributed(predicted, expected, axis: axis) else { return .zeros([]) }
      let labels = smoothed(expected, by: labelSmoothing, among: predicted.shape.last)
      return crossEntropy(labels, logProbabilities(predicted, fromLogits))
    }
  }

  /// A categorical cross-entropy in which what is predicted well counts less: -Σ α·(1 - p)^γ · y·log p along the axis of
  /// the classes. Lin and others, "Focal loss for dense object detection" (2017); Keras's `CategoricalFocalCrossentropy`.
  ///
  /// - Parameters:
  ///   - gamma: γ, at least 0; 2 by default.
  ///   - alpha: α; 0.25 by default.
  ///   - fromLogits: As in ``categoricalCrossEntropy(fromLogits:labelSmoothing:along:)``.
  ///   - labelSmoothing: s in 0...1, where y becomes y·(1 - s) + s / classes; 0 by default.
  ///   - axis: The axis of the classes; the last one by default.
  public static func categoricalFocalCrossEntropy(
    gamma: Double = 2, alpha: Double = 0.25, fromLogits: Bool = false, labelSmoothing: Double = 0, along axis: Int = -1
  ) -> Loss {
    precondition(
      gamma >= 0 && (0...1).contains(labelSmoothing),
      "Loss.categoricalFocalCrossEntropy: γ ≥ 0, label smoothing in 0...1")
    return Loss("categoricalFocalCrossEntropy") { predicted, expected in
      guard let (predicted, expected) = distributed(predicted, expected, axis: axis) else { return .zeros([]) }
      let labels = smoothed(expected, by: labelSmoothing, among: predicted.shape.last)
      let logarithms = logProbabilities(predicted, fromLogits)
      let factor = .constant(alpha) * power(1 - exp(logarithms), .constant(gamma))
      return crossEntropy(factor * labels, logarithms)
    }
  }

  /// -log p of the right class, for labels that are `int32` classes. Keras's `SparseCategoricalCrossentropy`.
  ///
  /// - Parameters:
  ///   - fromLogits: Whether the predictions are x with p = softmax(x), which is more precise and never clipped. If false
  ///     they are probabilities, kept between 10⁻⁷ and 1 - 10⁻⁷ and then divided by their sum. False by default.
  ///   - ignoreClass: A label of samples that do not count, such as that of padding: their loss is 0, and they are not
  ///     among those that the mean is taken over. None if nil.
  ///   - axis: The axis of the classes in the predictions; the last one by default.
  public static func sparseCategoricalCrossEntropy(
    fromLogits: Bool = false, ignoreClass: Int32? = nil, along axis: Int = -1
  ) -> Loss {
    let entropy: @Sendable (Tensor, Tensor) -> Tensor = { predicted, expected in
      guard let (predicted, labels) = classified(predicted, expected, axis: axis) else { return .zeros([]) }
      let target = labels.oneHot(predicted.shape.last, elementType: predicted.elementType)
      if fromLogits { return crossEntropy(target, logSoftmax(predicted)) }
      return crossEntropy(target, logSoftmax(log(clipped(predicted))))
    }
    guard let ignoreClass else { return Loss("sparseCategoricalCrossEntropy", entropy) }
    let counts: @Sendable (Tensor, Tensor) -> Tensor = { predicted, expected in
      guard let (_, labels) = classified(predicted, expected, axis: axis) else { return true }
      return labels .!= .constant(Double(ignoreClass))
    }
    return Loss("sparseCategoricalCrossEntropy", counting: counts) { predicted, expected in
      select(counts(predicted, expected), entropy(predicted, expected), 0)
    }
  }
}

// MARK: - Formulas

/// -Σ y·l along the last axis, for weights y of the classes and logarithms l of their probabilities.
func crossEntropy(_ labels: Tensor, _ logarithms: Tensor) -> Tensor { -(labels * logarithms).sum(along: [-1]) }

/// Probabilities without 0 and 1.
private func clipped(_ probabilities: Tensor) -> Tensor { minimum(maximum(probabilities, 1e-7), 0.9999999) }

/// The logarithms of the probabilities of the classes along the last axis.
private func logProbabilities(_ predicted: Tensor, _ fromLogits: Bool) -> Tensor {
  fromLogits ? logSoftmax(predicted) : log(clipped(predicted / predicted.sum(along: [-1], keepDims: true)))
}

private func binaryEntropy(_ predicted: Tensor, _ labels: Tensor, _ fromLogits: Bool) -> Tensor {
  // -y·log σ(x) - (1 - y)·log(1 - σ(x)) = log(1 + eˣ) - x·y
  if fromLogits { return logOnePlusExp(predicted) - predicted * labels }
  let p = clipped(predicted)
  return -(labels * log(p) + (1 - labels) * log(1 - p))
}

private func smoothed(_ labels: Tensor, by share: Double, among classes: Int) -> Tensor {
  share == 0 ? labels : labels * .constant(1 - share) + .constant(share / Double(classes))
}
