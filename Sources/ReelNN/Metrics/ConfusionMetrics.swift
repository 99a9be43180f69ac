import Reel

// Metrics of right and wrong decisions.

extension Metric {
  /// Of what is predicted, the share that is true: tp / (tp + fp), where a prediction above the threshold is a decision.
  /// 0 if nothing is predicted. Keras's `Precision`.
  ///
  /// Predictions are probabilities `[..., outputs]`, and the truth of the same shape is 0 or 1.
  ///
  /// - Parameters:
  ///   - thresholds: What a prediction has to be above. The result has one number a threshold, and is a scalar for one.
  ///     0.5 if nil, and no threshold if `topK` is given.
  ///   - topK: Counts only the k largest predictions along the last axis as decisions; all if nil.
  ///   - classID: Looks at this output only; at all if nil.
  public static func precision(thresholds: [Double]? = nil, topK: Int? = nil, classID: Int? = nil) -> Metric {
    decisions("precision", thresholds, topK, classID) { $0.predicted }
  }

  /// Of what is true, the share that is predicted: tp / (tp + fn). 0 if nothing is true. Keras's `Recall`. Operands and
  /// parameters as in ``precision(thresholds:topK:classID:)``.
  public static func recall(thresholds: [Double]? = nil, topK: Int? = nil, classID: Int? = nil) -> Metric {
    decisions("recall", thresholds, topK, classID) { $0.actual }
  }

  /// Weighted counts, one for each threshold.
  private struct Counts {
    let predicted: Tensor
    let actual: Tensor
  }

  private static func decisions(
    _ name: String, _ thresholds: [Double]?, _ topK: Int?, _ classID: Int?,
    dividedBy divisor: @escaping @Sendable (Counts) -> Tensor
  ) -> Metric {
    let thresholds = thresholds ?? [topK == nil ? 0.5 : -.infinity]
    precondition(!thresholds.isEmpty && topK ?? 1 >= 1, "Metric.\(name): at least one threshold, topK ≥ 1")
    return Metric(name, direction: .up) { predicted, expected, weights in
      guard var rows = MetricRows(predicted, expected, weights) else { return [] }
      var isAllowed = topK.map { topMask(rows.predicted, $0) }
      if let classID {
        guard (0..<rows.predicted.shape[1]).contains(classID) else {
          reportOperands(
            "class \(classID) of predictions of shape \(predicted.shape)", expected: "a class below the last extent")
          return []
        }
        isAllowed = isAllowed?.sliced(classID..<classID + 1, along: 1)
        rows = rows.output(classID)
      }
      let limits = Tensor(thresholds).converted(to: rows.predicted.elementType).expanded(at: 1)
      var isDecided = rows.predicted.flattened() .> limits
      if let isAllowed { isDecided = isDecided .& isAllowed.flattened() }
      let decided = isDecided.converted(to: rows.predicted.elementType) * rows.weights.flattened()
      let truth = rows.isTrue.flattened()
      let actual = (truth * rows.weights.flattened()).sum().broadcasted(to: [thresholds.count])
      let counts = Counts(predicted: decided.sum(along: [1]), actual: actual)
      return [(decided * truth).sum(along: [1]), divisor(counts)]
    } result: { sums in
      let shares = quotient(sums[0], sums[1])
      return thresholds.count == 1 ? shares.reshaped(to: []) : shares
    }
  }
}

// MARK: - F score

/// How the scores of several classes become one.
public enum FScoreAverage: Hashable, Sendable {
  /// The score of all decisions together.
  case micro
  /// The mean of the scores.
  case macro
  /// The mean of the scores, weighted by how often each class is true.
  case weighted
  /// They do not: the result has one score a class.
  case none
}

extension Metric {
  /// The harmonic mean of precision and recall, 2·P·R / (P + R). Keras's `F1Score`. Operands and parameters as in
  /// ``fBetaScore(beta:average:threshold:)``.
  public static func f1Score(average: FScoreAverage = .none, threshold: Double? = nil) -> Metric {
    fBetaScore("f1Score", beta: 1, average, threshold)
  }

  /// (1 + β²)·P·R / (β²·P + R), for precision P and recall R of each class: the weighted harmonic mean, where recall
  /// counts β times as much. Keras's `FBetaScore`, whose 10⁻⁷ in each divisor is kept.
  ///
  /// Predictions are scores `[..., classes]`, and the truth of the same shape is 0 or 1.
  ///
  /// - Parameters:
  ///   - beta: β, above 0; 1 by default.
  ///   - average: How the scores of the classes become one; they do not by default.
  ///   - threshold: What a score has to be above to be a decision. If nil, the largest score of each sample is one.
  public static func fBetaScore(
    beta: Double = 1, average: FScoreAverage = .none, threshold: Double? = nil
  ) -> Metric {
    fBetaScore("fBetaScore", beta: beta, average, threshold)
  }

  private static func fBetaScore(
    _ name: String, beta: Double, _ average: FScoreAverage, _ threshold: Double?
  ) -> Metric {
    precondition(beta > 0, "Metric.\(name): β > 0")
    return Metric(name, direction: .up) { predicted, expected, weights in
      guard let rows = MetricRows(predicted, expected, weights) else { return [] }
      let (p, y, w) = (rows.predicted, rows.expected, rows.weights)
      // A row of zeros decides for nothing.
      let isLargest = (p .>= p.max(along: [1], keepDims: true)) .& (abs(p) .> 1e-9)
      let isDecided = threshold.map { p .> .constant($0) } ?? isLargest
      let decided = isDecided.converted(to: p.elementType) * w
      return [(decided * y).sum(along: [0]), decided.sum(along: [0]), (w * y).sum(along: [0])]
    } result: { sums in
      let sums = average == .micro ? sums.map { $0.sum() } : sums
      let precision = sums[0] / (sums[1] + 1e-7)
      let recall = sums[0] / (sums[2] + 1e-7)
      let square = Tensor.constant(beta * beta)
      let scores = .constant(1 + beta * beta) * precision * recall / (square * precision + recall + 1e-7)
      switch average {
      case .none, .micro: return scores
      case .macro: return scores.mean()
      case .weighted: return (scores * sums[2]).sum() / (sums[2].sum() + 1e-7)
      }
    }
  }
}

// MARK: - Confusion matrix

extension Metric {
  /// How often each class is taken for each: `[classes, classes]`, the truth by row and the prediction by column.
  ///
  /// - Parameter classes: The number of classes. Predictions are scores `[..., classes]` or `int32` classes `[...]`, and so
  ///   is the truth; classes out of range are not counted.
  public static func confusionMatrix(classes: Int) -> Metric {
    precondition(classes >= 1, "Metric.confusionMatrix: classes ≥ 1")
    return Metric("confusionMatrix") { predicted, expected, weights in
      guard let columns = decidedClasses(predicted, classes), let rows = decidedClasses(expected, classes),
        rows.shape == columns.shape
      else {
        reportOperands(
          "predictions of type \(predicted.elementType)\(predicted.shape) for values of type "
            + "\(expected.elementType)\(expected.shape)",
          expected: "scores [..., \(classes)] or i32[...] classes of each, for the same samples")
        return []
      }
      let elementType = predicted.elementType.isFloatingPoint ? predicted.elementType : .default
      let entries = Tensor.ones(rows.shape, elementType: elementType)
      let truth = rows.flattened().oneHot(classes, elementType: elementType)
      let decided = columns.flattened().oneHot(classes, elementType: elementType)
      return [(truth * weights(of: entries).flattened().expanded(at: 1)).matmul(decided, transposingSelf: true)]
    } result: { sums in
      sums[0]
    }
  }

  /// The class of each sample; nil for what is neither scores nor classes.
  private static func decidedClasses(_ tensor: Tensor, _ classes: Int) -> Tensor? {
    if tensor.elementType == .int32 { return tensor }
    guard tensor.elementType.isFloatingPoint, tensor.rank > 0, tensor.shape.last == classes else { return nil }
    return tensor.argMax()
  }
}
