import Reel

/// How far predictions are from the truth: a number for each sample, and how these become one number to minimise.
///
///     let loss = Loss.categoricalCrossEntropy(fromLogits: true)
///     loss(predicted: model(images), expected: labels)                           // a scalar
///     loss(predicted: model(images), expected: labels, sampleWeight: weights)    // samples that count differently
///
/// A loss of your own is one closure, which gives one number for each sample (and each step, for sequences):
///
///     let quartic = Loss("quartic") { predicted, expected in
///       power(predicted - expected, 4).mean(along: [-1])
///     }
public struct Loss: Sendable {
  /// How the numbers of the samples become the loss. Keras's `reduction`.
  public enum Reduction: Hashable, Sendable, CaseIterable {
    /// They do not: the loss has a number for each sample.
    case none
    /// Their sum.
    case sum
    /// Their mean: the sum divided by the number of entries, whatever the weights. Entries that a mask leaves out are
    /// not counted.
    case sumOverBatchSize
    /// The sum divided by the sum of the weights. As in Keras, weights are added up as they are given, before they are
    /// broadcast over the entries of a sample. Without weights, their mean.
    case meanWithSampleWeight
  }

  /// The name in errors, summaries and logs.
  public let name: String
  /// How the numbers of the samples become the loss; ``Reduction/sumOverBatchSize`` by default.
  public let reduction: Reduction
  private let perSample: @Sendable (_ predicted: Tensor, _ expected: Tensor) -> Tensor
  private let counts: (@Sendable (_ predicted: Tensor, _ expected: Tensor) -> Tensor)?

  /// A loss of your own.
  ///
  /// - Parameters:
  ///   - name: The name in errors, summaries and logs.
  ///   - reduction: How the numbers of the samples become the loss; their mean by default.
  ///   - counting: Which samples count at all, as `bool` of the shape that `perSample` gives; all if nil.
  ///   - perSample: From the predictions and the truth, `[batch, ...]` each, to the loss of each sample: usually
  ///     `[batch]`, or `[batch, time]` for sequences.
  public init(
    _ name: String, reduction: Reduction = .sumOverBatchSize,
    counting: (@Sendable (_ predicted: Tensor, _ expected: Tensor) -> Tensor)? = nil,
    _ perSample: @escaping @Sendable (_ predicted: Tensor, _ expected: Tensor) -> Tensor
  ) {
    self.name = name
    self.reduction = reduction
    self.counts = counting
    self.perSample = perSample
  }

  /// The same loss with another reduction: `Loss.meanSquaredError.reduced(by: .sum)`.
  public func reduced(by reduction: Reduction) -> Loss {
    Loss(name, reduction: reduction, counting: counts, perSample)
  }

  /// The loss of each sample, before weights and reduction; 0 for samples that do not count.
  ///
  /// - Parameters:
  ///   - predicted: The predictions, `[batch, ...]`.
  ///   - expected: The truth, as the loss says.
  public func values(predicted: Tensor, expected: Tensor) -> Tensor {
    Recording.inScope(name) { counted(predicted, expected).values }
  }

  /// The loss of each sample, and which of them count; all if nil.
  func counted(_ predicted: Tensor, _ expected: Tensor) -> (values: Tensor, counts: Tensor?) {
    (perSample(predicted, expected), counts?(predicted, expected))
  }

  /// The loss.
  ///
  /// - Parameters:
  ///   - predicted: The predictions, `[batch, ...]`.
  ///   - expected: The truth, as the loss says.
  ///   - sampleWeight: What multiplies the loss of each sample: `[batch]`, or `[batch, time]` for a number a step. Axes
  ///     that it lacks, or that have extent 1, are repeated. (Keras aligns `[batch]` with the last axis; here it is always
  ///     the batch.) All 1 if nil.
  ///   - mask: Which samples or steps count, `bool` and of a shape as weights have; the mask that `predicted` carries if
  ///     nil. Under ``Reduction/sumOverBatchSize`` the loss is the mean over those that do.
  /// - Returns: A scalar, or the loss of each sample if the reduction is ``Reduction/none``.
  public func callAsFunction(
    predicted: Tensor, expected: Tensor, sampleWeight: Tensor? = nil, mask: Tensor? = nil
  ) -> Tensor {
    Recording.inScope(name) {
      let (values, counts) = counted(predicted, expected)
      let weights = EntryWeights(
        sampleWeight: sampleWeight, masks: [mask ?? predicted.mask, counts], of: values, in: name)
      guard let weights else { return .zeros([]) }
      return reduce(values, weights)
    }
  }

  private func reduce(_ values: Tensor, _ weights: EntryWeights) -> Tensor {
    let weighted = weights.product.map { values * $0 } ?? values
    switch reduction {
    case .none: return weighted
    case .sum: return weighted.sum()
    case .sumOverBatchSize:
      guard let countedShare = weights.countedShare else { return weighted.mean() }
      return quotient(weighted.mean(), countedShare)
    case .meanWithSampleWeight:
      guard let total = weights.total else { return weighted.mean() }
      return quotient(weighted.sum(), total)
    }
  }
}

/// `a / b`, and 0 where `b` is 0, with slope 0 there.
func quotient(_ a: Tensor, _ b: Tensor) -> Tensor {
  let isZero = b .== 0
  return select(isZero, 0, a / select(isZero, 1, b))
}
