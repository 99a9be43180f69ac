import Reel

/// A curve that decisions at growing thresholds make, and how the area under it is computed.
public enum AUC {
  /// What the curve is of.
  public enum Curve: Hashable, Sendable {
    /// True positives over false positives, tp / (tp + fn) over fp / (fp + tn): the receiver operating characteristic.
    case roc
    /// Precision over recall, tp / (tp + fp) over tp / (tp + fn).
    case precisionRecall
  }

  /// How the area between two thresholds is taken.
  public enum Summation: Hashable, Sendable {
    /// As a trapezium; for ``Curve/precisionRecall``, true positives and predicted ones are interpolated, not their ratio:
    /// Davis and Goadrich, "The relationship between precision-recall and ROC curves" (2006).
    case interpolation
    /// With the lower of both heights.
    case minoring
    /// With the higher of both heights.
    case majoring
  }

  /// At which thresholds decisions are counted.
  enum Thresholds: Hashable, Sendable {
    /// Steps of one width from 0 to 1.
    case even(Int)
    /// Sorted.
    case custom([Double])

    /// With one below 0 and one above 1.
    var count: Int {
      switch self {
      case .even(let count): count
      case .custom(let inner): inner.count + 2
      }
    }

    /// The index of the last threshold that each prediction in 0...1 is above.
    func bucket(_ p: Tensor) -> Tensor {
      switch self {
      case .even(let count): return maximum(ceil(p * .constant(Double(count - 1))) - 1, 0).converted(to: .int32)
      case .custom(let inner):
        let limits = Tensor(inner).converted(to: p.elementType)
        return (p.expanded(at: -1) .> limits).converted(to: .int32).sum(along: [-1])
      }
    }
  }
}

extension Metric {
  /// The area under a curve of decisions at several thresholds. Keras's `AUC`.
  ///
  /// Predictions are probabilities `[..., outputs]`, kept between 0 and 1, and the truth of the same shape is 0 or 1. The
  /// number of thresholds bounds how exact the area is.
  ///
  /// - Parameters:
  ///   - curve: What the curve is of; ``AUC/Curve/roc`` by default.
  ///   - summation: How the area between two thresholds is taken; ``AUC/Summation/interpolation`` by default.
  ///   - thresholdCount: The number of thresholds, at equal distances from 0 to 1, at least 2; 200 by default.
  ///   - thresholds: Thresholds of your own within 0...1, to which 0 and 1 are added; ``thresholdCount`` says if nil.
  ///   - multiLabel: Whether each output has an area of its own and the result is their mean; false by default: all
  ///     decisions together.
  ///   - labelWeights: What the outputs count, in the mean of areas or in the counts; all the same if nil.
  ///   - fromLogits: Whether the predictions are x with p = σ(x); false by default.
  public static func auc(
    curve: AUC.Curve = .roc, summation: AUC.Summation = .interpolation, thresholdCount: Int = 200,
    thresholds: [Double]? = nil, multiLabel: Bool = false, labelWeights: [Double]? = nil, fromLogits: Bool = false
  ) -> Metric {
    precondition(
      thresholdCount >= 2 && (thresholds ?? []).allSatisfy { (0...1).contains($0) },
      "Metric.auc: at least 2 thresholds, and all in 0...1")
    let thresholds = thresholds.map { AUC.Thresholds.custom($0.sorted()) } ?? .even(thresholdCount)
    return Metric("auc", direction: .up) { predicted, expected, weights in
      guard let rows = MetricRows(predicted, expected, weights) else { return [] }
      let outputs = rows.predicted.shape[1]
      guard labelWeights.map({ $0.count == outputs }) ?? true else {
        reportOperands(
          "\(labelWeights!.count) label weights for predictions of shape \(predicted.shape)", expected: "one for each")
        return []
      }
      var w = rows.weights
      if let labelWeights, !multiLabel { w = w * Tensor(labelWeights).converted(to: w.elementType) }
      let p = fromLogits ? sigmoid(rows.predicted) : rows.predicted
      let buckets = thresholds.bucket(minimum(maximum(p, 0), 1))
      let (positive, negative) = (w * rows.isTrue, w * (1 - rows.isTrue))
      let columns = multiLabel ? outputs : 1
      return [positive, negative].map { histogram($0, buckets, thresholds.count, columns) }
    } result: { sums in
      let areas = area(AUCCounts(positives: sums[0], negatives: sums[1]), curve, summation)
      guard multiLabel, let labelWeights else { return areas.mean() }
      let weights = Tensor(labelWeights)
      return quotient((areas * weights).sum(), weights.sum())
    }
  }

  /// The weights of each bucket, `[columns, buckets]`: one row for each output, or one for all.
  private static func histogram(_ weights: Tensor, _ buckets: Tensor, _ count: Int, _ columns: Int) -> Tensor {
    let first = columns == 1 ? 0 : Tensor.iota(columns, by: Double(count))
    let places = (buckets + first).flattened()
    return weights.flattened().scatterAdded(at: places, extent: columns * count).reshaped(to: [columns, count])
  }

  /// The area under the curve of each row.
  private static func area(_ counts: AUCCounts, _ curve: AUC.Curve, _ summation: AUC.Summation) -> Tensor {
    if curve == .precisionRecall && summation == .interpolation { return counts.interpolatedPrecision }
    let recall = quotient(counts.truePositives, counts.positives)
    let x = curve == .roc ? quotient(counts.falsePositives, counts.negatives) : recall
    let y = curve == .roc ? recall : quotient(counts.truePositives, counts.truePositives + counts.falsePositives)
    let (low, high) = (AUCCounts.lower(y), AUCCounts.upper(y))
    let height =
      switch summation {
      case .interpolation: (low + high) / 2
      case .minoring: minimum(low, high)
      case .majoring: maximum(low, high)
      }
    return ((AUCCounts.lower(x) - AUCCounts.upper(x)) * height).sum(along: [-1])
  }
}

/// Decisions at each threshold, `[rows, thresholds]`, from the weights of what lies between the thresholds.
private struct AUCCounts {
  let truePositives, falsePositives: Tensor
  /// All that is true, and all that is not, `[rows, 1]`.
  let positives, negatives: Tensor

  init(positives: Tensor, negatives: Tensor) {
    truePositives = positives.cumulativeSum(reverse: true)
    falsePositives = negatives.cumulativeSum(reverse: true)
    self.positives = positives.sum(along: [-1], keepDims: true)
    self.negatives = negatives.sum(along: [-1], keepDims: true)
  }

  /// The values at the lower threshold of each interval.
  static func lower(_ x: Tensor) -> Tensor { x.sliced(0..<x.shape.last - 1, along: -1) }

  /// The values at the upper threshold of each interval.
  static func upper(_ x: Tensor) -> Tensor { x.sliced(1..<x.shape.last, along: -1) }

  /// The area under precision over recall, with tp and tp + fp = P linear between two thresholds A and B:
  ///
  ///     Σ slope · (tp_A - tp_B + (tp_B - slope·P_B) · log(P_A / P_B)) / positives,   slope = (tp_A - tp_B) / (P_A - P_B)
  var interpolatedPrecision: Tensor {
    let predicted = truePositives + falsePositives
    let (pA, pB) = (Self.lower(predicted), Self.upper(predicted))
    let tpB = Self.upper(truePositives)
    let gained = Self.lower(truePositives) - tpB
    let slope = quotient(gained, maximum(pA - pB, 0))
    let ratio = select((pA .> 0) .& (pB .> 0), quotient(pA, pB), 1)
    let area = slope * (gained + (tpB - slope * pB) * log(ratio))
    return quotient(area, positives).sum(along: [-1])
  }
}
