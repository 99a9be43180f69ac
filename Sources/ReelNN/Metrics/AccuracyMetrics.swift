import Reel

// Shares of right predictions.

extension Metric {
  /// The share of right predictions by the shapes of the operands, as Keras's string `"accuracy"`: binary if the
  /// predictions end in `[..., 1]`, sparse if the truth has fewer axes or ends in 1, else categorical.
  public static func accuracy() -> Metric {
    Metric("accuracy", direction: .up) { predicted, expected in
      if predicted.rank == 0 || predicted.shape.last == 1 { return binaryMatches(predicted, expected, threshold: 0.5) }
      let isSparse = expected.rank < predicted.rank || expected.shape.last == 1
      return isSparse ? sparseMatches(predicted, expected) : categoricalMatches(predicted, expected)
    }
  }

  /// The share of predictions that are the truth, number by number, for example classes `int32`. Keras's `Accuracy`.
  public static func exactAccuracy() -> Metric {
    Metric("exactAccuracy", direction: .up) { predicted, expected in
      guard predicted.elementType == expected.elementType, predicted.shape == expected.shape else {
        reportOperands(
          "predictions of type \(predicted.elementType)\(predicted.shape) for values of type "
            + "\(expected.elementType)\(expected.shape)",
          expected: "one type for both")
        return .zeros([])
      }
      return share(of: predicted .== expected, elementType: .default)
    }
  }

  /// The share of predictions above a threshold where the truth is 1, and not above where it is 0. Keras's
  /// `BinaryAccuracy`.
  ///
  /// Predictions and truth are `[batch, ..., features]`; a sample counts with the share of its features.
  ///
  /// - Parameter threshold: In 0...1; 0.5 by default. For logits, 0 is the threshold of probability 0.5.
  public static func binaryAccuracy(threshold: Double = 0.5) -> Metric {
    Metric("binaryAccuracy", direction: .up) { binaryMatches($0, $1, threshold: threshold) }
  }

  /// The share of samples whose largest score is that of the most probable class, for one-hot truth `[..., classes]`.
  /// Keras's `CategoricalAccuracy`. Scores may be probabilities or logits.
  public static func categoricalAccuracy() -> Metric {
    Metric("categoricalAccuracy", direction: .up) { categoricalMatches($0, $1) }
  }

  /// The share of samples whose largest score is that of the class, for truth in `int32` classes `[...]`. Keras's
  /// `SparseCategoricalAccuracy`. Scores may be probabilities or logits.
  public static func sparseCategoricalAccuracy() -> Metric {
    Metric("sparseCategoricalAccuracy", direction: .up) { sparseMatches($0, $1) }
  }

  /// The share of samples whose most probable class is among the k with the largest scores, for one-hot truth
  /// `[..., classes]`. Keras's `TopKCategoricalAccuracy`.
  ///
  /// - Parameter k: How many scores count, at least 1; 5 by default. Classes with equal scores are in or out together.
  public static func topKCategoricalAccuracy(k: Int = 5) -> Metric {
    precondition(k >= 1, "Metric.topKCategoricalAccuracy: k ≥ 1")
    return Metric("topKCategoricalAccuracy", direction: .up) { predicted, expected in
      guard let (scores, truth) = distributed(predicted, expected, axis: -1) else { return .zeros([]) }
      return isInTop(k, scores, truth.argMax())
    }
  }

  /// The share of samples whose class is among the k with the largest scores, for truth in `int32` classes `[...]`.
  /// Keras's `SparseTopKCategoricalAccuracy`.
  ///
  /// - Parameter k: How many scores count, at least 1; 5 by default. Classes with equal scores are in or out together.
  public static func sparseTopKCategoricalAccuracy(k: Int = 5) -> Metric {
    precondition(k >= 1, "Metric.sparseTopKCategoricalAccuracy: k ≥ 1")
    return Metric("sparseTopKCategoricalAccuracy", direction: .up) { predicted, expected in
      guard let (scores, labels) = classified(predicted, expected) else { return .zeros([]) }
      return isInTop(k, scores, labels)
    }
  }
}

// MARK: - Matches

private func binaryMatches(_ predicted: Tensor, _ expected: Tensor, threshold: Double) -> Tensor {
  guard let (predicted, expected) = matched(predicted, expected) else { return .zeros([]) }
  let classes = (predicted .> .constant(threshold)).converted(to: predicted.elementType)
  return share(of: classes .== expected, elementType: predicted.elementType)
}

private func categoricalMatches(_ predicted: Tensor, _ expected: Tensor) -> Tensor {
  guard let (scores, truth) = distributed(predicted, expected, axis: -1) else { return .zeros([]) }
  return (scores.argMax() .== truth.argMax()).converted(to: scores.elementType)
}

private func sparseMatches(_ predicted: Tensor, _ expected: Tensor) -> Tensor {
  guard let (scores, labels) = classified(predicted, expected) else { return .zeros([]) }
  return (scores.argMax() .== labels).converted(to: scores.elementType)
}

/// The share of truth along the features of each sample; samples without features are their own.
private func share(of matches: Tensor, elementType: ElementType) -> Tensor {
  let numbers = matches.converted(to: elementType)
  return numbers.rank > 1 ? numbers.mean(along: [-1]) : numbers
}

/// Whether fewer than k scores are above that of the label, as numbers; never for a label or a score that is none.
private func isInTop(_ k: Int, _ scores: Tensor, _ labels: Tensor) -> Tensor {
  let isLabel = labels.expanded(at: -1) .== .iota(scores.shape.last)
  let score = select(isLabel, scores, 0).sum(along: [-1], keepDims: true)
  let above = (scores .> score).converted(to: .int32).sum(along: [-1])
  let isScore = isLabel.any(along: [-1]) .& (abs(score.squeezed(at: -1)) .< .constant(.infinity))
  return ((above .< .constant(Double(k))) .& isScore).converted(to: scores.elementType)
}
