import Reel
import ReelNN
import ReelTestSupport
import Testing

// Golden cases of metrics.

/// Two updates of a metric, without and with weights: the result after each.
func checkMetric(_ golden: GoldenCase) throws {
  let file = try Golden.tensors(of: golden)
  try ElementType.withDefault(golden.elementType) {
    for isCompiled in [false, true] {
      var found: [String: Tensor] = [:]
      for kind in ["result", "weighted"] {
        let update = try makeMetric(golden.layer, golden.config)
        let staged = compiled(update)
        for step in 0... {
          guard golden.outputs["\(kind).\(step)"] != nil else { break }
          let batch = file.filter {
            $0.key.hasSuffix(".\(step)") && (kind == "weighted" || !$0.key.hasPrefix("sample"))
          }
          let named = Dictionary(uniqueKeysWithValues: batch.map { (String($0.key.dropLast(2)), $0.value) })
          found["\(kind).\(step)"] = try isCompiled ? staged(named) : update(named)
        }
      }
      expectGolden(found, file, of: golden, isCompiled ? "compiled" : "eager")
    }
  }
}

/// A metric by its Keras class and settings, as a function that adds a batch and gives the result by then.
func makeMetric(_ className: String, _ config: JSONValue) throws -> ([String: Tensor]) -> Tensor {
  if className == "Mean" {
    _ = try Settings(config, known: [])
    let mean = RunningMean()
    return { batch in
      mean.update(batch["values"]!, sampleWeight: batch["sample_weight"])
      return mean.result
    }
  }
  let metric = try metric(className, config)
  return { batch in
    metric.update(predicted: batch["y_pred"]!, expected: batch["y_true"]!, sampleWeight: batch["sample_weight"])
    return metric.result
  }
}

private func metric(_ className: String, _ config: JSONValue) throws -> Metric {
  func number(_ key: String) throws -> Double { try Settings(config, known: [key]).number(key) }
  switch className {
  case "Accuracy": return .exactAccuracy()
  case "BinaryAccuracy": return .binaryAccuracy(threshold: try number("threshold"))
  case "CategoricalAccuracy": return .categoricalAccuracy()
  case "SparseCategoricalAccuracy": return .sparseCategoricalAccuracy()
  case "TopKCategoricalAccuracy": return .topKCategoricalAccuracy(k: Int(try number("k")))
  case "SparseTopKCategoricalAccuracy": return .sparseTopKCategoricalAccuracy(k: Int(try number("k")))
  case "RootMeanSquaredError": return .rootMeanSquaredError()
  case "CosineSimilarity": return .cosineSimilarity(along: Int(try number("axis")))
  case "Precision", "Recall": return try decisions(className, config)
  case "F1Score", "FBetaScore": return try fScore(className, config)
  case "AUC": return try auc(config)
  case "R2Score": return try r2Score(config)
  default:
    do {
      return .mean(of: try makeLoss(className, config, logitsAreKnown: false))
    } catch is UnknownSetting {
      throw UnknownSetting("the metric \(className)")
    }
  }
}

private func decisions(_ className: String, _ config: JSONValue) throws -> Metric {
  let settings = try Settings(config, known: ["thresholds", "top_k", "class_id"])
  let thresholds: [Double]? =
    switch config["thresholds"] {
    case .number(let one): [one]
    case .array(let several): several.compactMap(\.number)
    default: nil
    }
  let topK = config["top_k"] == .null ? nil : try settings.integer("top_k")
  let classID = config["class_id"] == .null ? nil : try settings.integer("class_id")
  return className == "Precision"
    ? .precision(thresholds: thresholds, topK: topK, classID: classID)
    : .recall(thresholds: thresholds, topK: topK, classID: classID)
}

private func fScore(_ className: String, _ config: JSONValue) throws -> Metric {
  _ = try Settings(config, known: ["average", "threshold", "beta"])
  let averages: [String: FScoreAverage] = ["micro": .micro, "macro": .macro, "weighted": .weighted]
  let average = config["average"]?.string.flatMap { averages[$0] } ?? .none
  let threshold = config["threshold"]?.number
  return className == "F1Score"
    ? .f1Score(average: average, threshold: threshold)
    : .fBetaScore(beta: config["beta"]?.number ?? 1, average: average, threshold: threshold)
}

private func auc(_ config: JSONValue) throws -> Metric {
  let known: Set = [
    "num_thresholds", "curve", "summation_method", "thresholds", "multi_label", "num_labels", "label_weights",
    "from_logits",
  ]
  let settings = try Settings(config, known: known)
  let curves: [String: AUC.Curve] = ["roc": .roc, "pr": .precisionRecall]
  let summations: [String: AUC.Summation] = [
    "interpolation": .interpolation, "minoring": .minoring, "majoring": .majoring,
  ]
  guard let curve = curves[config["curve"]?.string?.lowercased() ?? ""],
    let summation = summations[config["summation_method"]?.string?.lowercased() ?? ""]
  else { throw UnknownSetting("the setting curve = \(config["curve"] ?? .null)") }
  return .auc(
    curve: curve, summation: summation, thresholdCount: try settings.integer("num_thresholds"),
    thresholds: config["thresholds"]?.array?.compactMap(\.number), multiLabel: settings.truth("multi_label"),
    labelWeights: config["label_weights"]?.array?.compactMap(\.number), fromLogits: settings.truth("from_logits"))
}

private func r2Score(_ config: JSONValue) throws -> Metric {
  let settings = try Settings(config, known: ["class_aggregation", "num_regressors"])
  let aggregations: [String: R2Aggregation] = [
    "uniform_average": .uniformAverage, "variance_weighted_average": .varianceWeightedAverage,
  ]
  let aggregation = config["class_aggregation"]?.string.flatMap { aggregations[$0] } ?? .none
  return .r2Score(aggregation: aggregation, regressors: try settings.integer("num_regressors"))
}
