import Reel

/// A number that says how good a model is, over all batches since the last ``reset()``.
///
///     let accuracy = Metric.accuracy()
///     for batch in batches { accuracy.update(predicted: model(batch.x), expected: batch.y) }
///     print(accuracy.result.item)
///
/// A metric is sums over the batches, and a function of the sums: so a batch of two counts half as much as one of four, and
/// updates inside `compiled { }` are part of the graph. A metric of your own is a closure with a number for each sample,
/// whose mean it is, or a closure with whatever adds up and one that makes a result of the sums:
///
///     let close = Metric("close") { predicted, expected in
///       (abs(predicted - expected) .< 0.1).converted(to: .float32).mean(along: [-1])
///     }
public final class Metric: Sendable {
  /// Which results are better.
  public enum Direction: Hashable, Sendable {
    /// Higher ones.
    case up
    /// Lower ones.
    case down
  }

  /// The name in logs.
  public let name: String
  /// Which results are better; nil if that is not known.
  public let direction: Direction?
  private let statistics: @Sendable (Tensor, Tensor, MetricWeights) -> [Tensor]
  private let resultOfSums: @Sendable ([Tensor]) -> Tensor
  let sums: RunningSums

  /// A metric of sums.
  ///
  /// - Parameters:
  ///   - name: The name in logs.
  ///   - direction: Which results are better; not known if nil.
  ///   - statistics: What a batch adds to the sums, from predictions, truth and the weights of samples: tensors of the same
  ///     shapes for every batch.
  ///   - result: The result of the sums, which are `float64`.
  public init(
    _ name: String, direction: Direction? = nil,
    statistics: @escaping @Sendable (_ predicted: Tensor, _ expected: Tensor, _ weights: MetricWeights) -> [Tensor],
    result: @escaping @Sendable (_ sums: [Tensor]) -> Tensor
  ) {
    self.name = name
    self.direction = direction
    self.statistics = statistics
    resultOfSums = result
    sums = RunningSums(name: name)
  }

  /// The mean over the samples, weighted by their weights, of a number for each.
  ///
  /// - Parameters:
  ///   - name: The name in logs.
  ///   - direction: Which results are better; not known if nil.
  ///   - perSample: From predictions and truth, `[batch, ...]` each, to a floating-point number for each sample or each
  ///     step: `[batch, ...]`.
  public convenience init(
    _ name: String, direction: Direction? = nil,
    _ perSample: @escaping @Sendable (_ predicted: Tensor, _ expected: Tensor) -> Tensor
  ) {
    self.init(name, direction: direction) { predicted, expected, weights in
      weightedMeanTerms(perSample(predicted, expected), weights)
    } result: { sums in
      quotient(sums[0], sums[1])
    }
  }

  /// Adds a batch.
  ///
  /// - Parameters:
  ///   - predicted: The predictions, `[batch, ...]`.
  ///   - expected: The truth, as the metric says.
  ///   - sampleWeight: What the samples count: `[batch]`, or `[batch, time]` for a number a step. All 1 if nil.
  ///   - mask: Which samples or steps count, `bool` and of a shape as weights have; the mask that `predicted` carries if
  ///     nil.
  public func update(predicted: Tensor, expected: Tensor, sampleWeight: Tensor? = nil, mask: Tensor? = nil) {
    Recording.inScope(name) {
      let weights = MetricWeights(sampleWeight: sampleWeight, mask: mask ?? predicted.mask)
      sums.add(statistics(predicted, expected, weights))
    }
  }

  /// The result of all batches since the last reset, of the type ``ElementType/default``; a scalar 0 before the first
  /// batch of all.
  public var result: Tensor {
    let result = sums.values.map { sums in Recording.inScope(name) { resultOfSums(sums) } }
    return (result ?? .zeros([])).converted(to: .default)
  }

  /// Forgets all batches.
  public func reset() { sums.reset() }
}

/// The weighted mean of the numbers given since the last ``reset()``. Keras's `Mean`.
///
/// For what is not a comparison of predictions with the truth, such as the loss of an epoch:
///
///     loss.update(value, sampleWeight: Tensor(repeating: Double(batchSize), shape: []))
public final class RunningMean: Sendable {
  /// The name in logs.
  public let name: String
  let sums: RunningSums

  /// A mean of nothing yet.
  ///
  /// - Parameter name: The name in logs; `mean` by default.
  public init(_ name: String = "mean") {
    self.name = name
    sums = RunningSums(name: name)
  }

  /// Adds numbers.
  ///
  /// - Parameters:
  ///   - values: A scalar, or `[batch, ...]`, of which each sample counts once with the mean of its entries.
  ///   - sampleWeight: What the samples count, `[batch]` or more axes of the values; all 1 if nil.
  ///   - mask: Which samples or entries count, `bool` and of a shape as weights have; all if nil.
  public func update(_ values: Tensor, sampleWeight: Tensor? = nil, mask: Tensor? = nil) {
    Recording.inScope(name) {
      sums.add(weightedMeanTerms(values, MetricWeights(sampleWeight: sampleWeight, mask: mask)))
    }
  }

  /// Σ w·v / Σ w of all numbers since the last reset, of the type ``ElementType/default``; 0 of nothing.
  public var result: Tensor {
    let mean = sums.values.map { quotient($0[0], $0[1]) }
    return (mean ?? .zeros([])).converted(to: .default)
  }

  /// Forgets all numbers.
  public func reset() { sums.reset() }
}
