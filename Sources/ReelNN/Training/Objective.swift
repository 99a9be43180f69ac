import Reel

/// What a training makes small and what it measures: a loss and metrics for each output of a model, and their running
/// values.
final class Objective {
  /// What belongs to one output.
  struct Head {
    let loss: Loss
    /// What the loss counts in the sum over the outputs.
    let weight: Double
    /// Measured without sample weights.
    let metrics: [Metric]
    /// Measured with sample weights.
    let weightedMetrics: [Metric]
  }

  /// The loss of a batch, a scalar, and its parts by output.
  struct Value {
    let total: Tensor
    let parts: [Tensor]
  }

  let heads: [Head]
  private let total = RunningMean("loss")
  private let means: [RunningMean]
  /// The paths of the outputs, known from the first batch on.
  private var outputNames: [String]

  init(_ heads: [Head]) {
    self.heads = heads
    means = heads.count > 1 ? heads.indices.map { RunningMean("\($0)_loss") } : []
    outputNames = heads.indices.map(String.init)
  }

  // MARK: - A batch

  /// The loss of predictions, each of which has the mask that reached it; without penalties.
  func value<Output: TensorStructure>(predicted: Output, expected: Output, sampleWeight: Tensor?) -> Value {
    let (found, truth) = (predicted.tensors, expected.tensors)
    guard found.count == heads.count, truth.count == heads.count else {
      TensorError(
        operation: "loss", problem: "\(heads.count) losses for \(found.count) outputs and \(truth.count) targets",
        expected: "one loss and one target for each output"
      ).report()
      return Value(total: .zeros([]), parts: [])
    }
    outputNames = zip(predicted.tensorPaths, heads.indices).map { $0.isEmpty ? "\($1)" : $0 }
    let parts = heads.indices.map { scalar(heads[$0].loss, found[$0], truth[$0], sampleWeight) }
    let weighted = zip(parts, heads).map { part, head in
      head.weight == 1 ? part : part * Tensor(floatLiteral: head.weight).labels(as: part.elementType)
    }
    return Value(total: weighted.dropFirst().reduce(weighted[0], +), parts: parts)
  }

  private func scalar(_ loss: Loss, _ predicted: Tensor, _ expected: Tensor, _ weight: Tensor?) -> Tensor {
    let value = loss(predicted: predicted, expected: expected, sampleWeight: weight)
    guard value.rank == 0 else {
      TensorError(
        operation: loss.name, problem: "a loss of shape \(value.shape)",
        expected: "one number; a loss that is trained is reduced by .sumOverBatchSize, .sum or .meanWithSampleWeight"
      ).report()
      return .zeros([])
    }
    return value
  }

  /// Adds a batch to the running values.
  ///
  /// - Parameters:
  ///   - loss: The loss of the batch with all penalties.
  ///   - value: The loss without them.
  func update<Output: TensorStructure>(
    loss: Tensor, value: Value, predicted: Output, expected: Output, sampleWeight: Tensor?
  ) {
    if Recording.boundary?.hasFailed == true { return }
    let (found, truth) = (predicted.tensors, expected.tensors)
    let count = Tensor(floatLiteral: Double(found.first.map { $0.rank > 0 ? $0.shape[0] : 1 } ?? 1))
    for (mean, part) in zip([total] + means, [loss] + value.parts) { mean.update(part, sampleWeight: count) }
    for (head, (predicted, expected)) in zip(heads, zip(found, truth)) {
      for metric in head.metrics { metric.update(predicted: predicted, expected: expected) }
      for metric in head.weightedMetrics {
        metric.update(predicted: predicted, expected: expected, sampleWeight: sampleWeight)
      }
    }
  }

  // MARK: - Running values

  /// Forgets all batches.
  func reset() {
    for mean in [total] + means { mean.reset() }
    for (_, metric) in namedMetrics { metric.reset() }
  }

  /// The running loss and metrics by name.
  var logs: Logs {
    var logs = Logs()
    logs["loss"] = total.result.item
    for (name, mean) in zip(outputNames, means) { logs["\(name)_loss"] = mean.result.item }
    for (name, metric) in namedMetrics {
      let numbers = metric.result.numbers
      for (index, number) in numbers.enumerated() { logs[numbers.count == 1 ? name : "\(name)_\(index)"] = number }
    }
    return logs
  }

  /// The metrics with the names that they have in logs. Each has a name of its own.
  private var namedMetrics: [(name: String, metric: Metric)] {
    var taken: Set<String> = ["loss"]
    func free(_ name: String) -> String {
      let candidates = [name] + (1...).prefix(taken.count + 1).map { "\(name)_\($0)" }
      return candidates.first { taken.insert($0).inserted }!
    }
    return zip(outputNames, heads).flatMap { output, head in
      let prefix = heads.count > 1 ? "\(output)_" : ""
      let plain = head.metrics.map { (free(prefix + $0.name), $0) }
      let weighted = head.weightedMetrics.map { metric in
        let name = prefix + metric.name
        return (free(taken.contains(name) ? "\(prefix)weighted_\(metric.name)" : name), metric)
      }
      return plain + weighted
    }
  }

  /// Which values of a metric or loss are better; nil if that is not known.
  ///
  /// - Parameter name: The name in logs, with or without `val_` in front.
  func direction(of name: String) -> Metric.Direction? {
    let name = name.hasPrefix("val_") ? String(name.dropFirst(4)) : name
    if name == "loss" || means.indices.contains(where: { "\(outputNames[$0])_loss" == name }) { return .down }
    return namedMetrics.first { $0.name == name }?.metric.direction
  }

  /// The sums behind the running values, for a training that is resumed in the middle of an epoch.
  var sums: [String: Tensor] {
    get {
      var sums: [String: Tensor] = [:]
      for (name, holder) in sumHolders {
        for (index, sum) in holder.stored.enumerated() { sums["\(name).\(index)"] = sum }
      }
      return sums
    }
    set {
      for (name, holder) in sumHolders {
        var found: [Tensor] = []
        while let sum = newValue["\(name).\(found.count)"] { found.append(sum) }
        holder.stored = found
      }
    }
  }

  private var sumHolders: [(name: String, sums: RunningSums)] {
    zip(["loss"] + means.indices.map { "loss.\($0)" }, [total] + means).map { ($0, $1.sums) }
      + heads.flatMap { $0.metrics + $0.weightedMetrics }.enumerated().map { ("metric.\($0)", $1.sums) }
  }
}
