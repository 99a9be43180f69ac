import Reel

// Metrics that are means of losses, and other measures of the distance between numbers.

extension Metric {
  /// The mean of a loss over the samples; lower is better. Samples that do not count in the loss do not count here.
  ///
  /// - Parameters:
  ///   - loss: The loss, whose reduction plays no part.
  ///   - name: The name in logs; the loss's if nil.
  public static func mean(of loss: Loss, name: String? = nil) -> Metric {
    Metric(name ?? loss.name, direction: .down) { predicted, expected, weights in
      let (values, counts) = loss.counted(predicted, expected)
      guard let counts else { return weightedMeanTerms(values, weights) }
      let product = weights(of: values) * counts.converted(to: values.elementType)
      return weightedMeanTerms(values, MetricWeights(sampleWeight: product, mask: nil))
    } result: { sums in
      quotient(sums[0], sums[1])
    }
  }

  /// The mean of ``Loss/meanSquaredError``. Keras's `MeanSquaredError`.
  public static func meanSquaredError() -> Metric { mean(of: .meanSquaredError) }

  /// The square root of the mean of ``Loss/meanSquaredError``. Keras's `RootMeanSquaredError`.
  public static func rootMeanSquaredError() -> Metric {
    Metric("rootMeanSquaredError", direction: .down) { predicted, expected, weights in
      weightedMeanTerms(Loss.meanSquaredError.counted(predicted, expected).values, weights)
    } result: { sums in
      sqrt(quotient(sums[0], sums[1]))
    }
  }

  /// The mean of ``Loss/meanAbsoluteError``. Keras's `MeanAbsoluteError`.
  public static func meanAbsoluteError() -> Metric { mean(of: .meanAbsoluteError) }

  /// The mean of ``Loss/meanAbsolutePercentageError``. Keras's `MeanAbsolutePercentageError`.
  public static func meanAbsolutePercentageError() -> Metric { mean(of: .meanAbsolutePercentageError) }

  /// The mean of ``Loss/meanSquaredLogarithmicError``. Keras's `MeanSquaredLogarithmicError`.
  public static func meanSquaredLogarithmicError() -> Metric { mean(of: .meanSquaredLogarithmicError) }

  /// The mean of Σ p·y / (‖p‖·‖y‖) along an axis: 1 for vectors of one direction. Keras's `CosineSimilarity`.
  ///
  /// - Parameter axis: The axis of the vectors; the last one by default.
  public static func cosineSimilarity(along axis: Int = -1) -> Metric {
    Metric("cosineSimilarity", direction: .up) { predicted, expected in
      guard let (predicted, expected) = matched(predicted, expected) else { return .zeros([]) }
      return cosine(predicted, expected, along: axis)
    }
  }

  /// The mean of ``Loss/klDivergence``. Keras's `KLDivergence`.
  public static func klDivergence() -> Metric { mean(of: .klDivergence) }

  /// The mean of ``Loss/binaryCrossEntropy(fromLogits:labelSmoothing:along:)``. Keras's `BinaryCrossentropy`.
  public static func binaryCrossEntropy(fromLogits: Bool = false, labelSmoothing: Double = 0) -> Metric {
    mean(of: .binaryCrossEntropy(fromLogits: fromLogits, labelSmoothing: labelSmoothing))
  }

  /// The mean of ``Loss/categoricalCrossEntropy(fromLogits:labelSmoothing:along:)``. Keras's `CategoricalCrossentropy`.
  public static func categoricalCrossEntropy(
    fromLogits: Bool = false, labelSmoothing: Double = 0, along axis: Int = -1
  ) -> Metric {
    mean(of: .categoricalCrossEntropy(fromLogits: fromLogits, labelSmoothing: labelSmoothing, along: axis))
  }

  /// The mean of ``Loss/sparseCategoricalCrossEntropy(fromLogits:ignoreClass:along:)``. Keras's
  /// `SparseCategoricalCrossentropy`.
  public static func sparseCategoricalCrossEntropy(
    fromLogits: Bool = false, ignoreClass: Int32? = nil, along axis: Int = -1
  ) -> Metric {
    mean(of: .sparseCategoricalCrossEntropy(fromLogits: fromLogits, ignoreClass: ignoreClass, along: axis))
  }
}

// MARK: - Coefficient of determination

/// How the scores of several outputs become one.
public enum R2Aggregation: Hashable, Sendable {
  /// Their mean.
  case uniformAverage
  /// Their mean weighted by the variance of each output.
  case varianceWeightedAverage
  /// They do not: the result has one score an output.
  case none
}

extension Metric {
  /// 1 - Σ(y - p)² / Σ(y - ȳ)² for each output: 1 if all is explained, 0 for what the mean would do. Keras's `R2Score`.
  ///
  /// Predictions and truth are `[batch, outputs]`; other leading axes are taken as one. Outputs that do not vary have
  /// score 0.
  ///
  /// - Parameters:
  ///   - aggregation: How the scores of the outputs become one; their mean by default.
  ///   - regressors: The number of independent regressors p for the adjusted score 1 - (1 - R²)·(n - 1) / (n - p - 1),
  ///     where n is the number of entries of the truth, as in Keras; 0, the plain score, by default and where p ≥ n - 1.
  public static func r2Score(aggregation: R2Aggregation = .uniformAverage, regressors: Int = 0) -> Metric {
    precondition(regressors >= 0, "Metric.r2Score: regressors ≥ 0")
    return Metric("r2Score", direction: .up) { predicted, expected, weights in
      guard let rows = MetricRows(predicted, expected, weights) else { return [] }
      // Differences of large sums follow, so that nothing may be rounded before.
      let p = rows.predicted.converted(to: .float64)
      let y = rows.expected.converted(to: .float64)
      let w = rows.weights.converted(to: .float64)
      func sum(_ terms: Tensor) -> Tensor { terms.sum(along: [0]) }
      let entries = Tensor(repeating: Double(y.count), shape: [], elementType: .float64)
      return [sum(w), sum(w * y), sum(w * y * y), sum(w * (y - p) * (y - p)), entries]
    } result: { sums in
      let (count, sum, squares, residual, entries) = (sums[0], sums[1], sums[2], sums[3], sums[4])
      let total = squares - quotient(sum * sum, count)
      // What rounding leaves of Σy² is no variation.
      let isConstant = total .<= 1e-14 * squares
      let scores = select(isConstant, 0, 1 - residual / select(isConstant, 1, total))
      let score =
        switch aggregation {
        case .uniformAverage: scores.mean()
        case .varianceWeightedAverage: quotient((total * scores).sum(), total.sum())
        case .none: scores
        }
      guard regressors > 0 else { return score }
      let freedom = entries - .constant(Double(regressors)) - 1
      return select(freedom .> 0, 1 - quotient((1 - score) * (entries - 1), freedom), score)
    }
  }
}
