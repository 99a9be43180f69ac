import Reel

/// Samples in memory, from which batches are taken: inputs and targets with one leading axis for the samples.
///
///     let digits = try Dataset(images, labels)
///     for epoch in 0..<10 {
///       for batch in digits.batches(of: 128, shuffledBy: 7, epoch: epoch).prefetched() {
///         loss = step(batch.inputs[0], batch.targets[0])
///       }
///     }
///
/// The order of an epoch depends on the seed and the number of the epoch only, so that a training that is resumed goes on
/// with the batches that it would have had.
public struct Dataset: Sendable {
  /// The inputs, each `[samples, ...]`.
  public let inputs: [Tensor]
  /// The targets, each `[samples, ...]`.
  public let targets: [Tensor]
  /// How much each sample counts, `[samples]`; nil if all count the same.
  public let sampleWeights: Tensor?
  /// The number of samples.
  public let count: Int

  /// Samples of several inputs and targets.
  ///
  /// - Parameters:
  ///   - inputs: One input or more, each `[samples, ...]`.
  ///   - targets: The targets, each `[samples, ...]`; none by default.
  ///   - sampleWeights: How much each sample counts, `[samples]`; all the same if nil.
  /// - Throws: ``Reel/TensorError`` if the tensors do not have the same number of samples.
  public init(
    inputs: [Tensor], targets: [Tensor] = [], sampleWeights: Tensor? = nil
  ) throws(TensorError) {
    let tensors = inputs + targets + (sampleWeights.map { [$0] } ?? [])
    let names =
      inputs.indices.map { "input \($0)" } + targets.indices.map { "target \($0)" }
      + (sampleWeights == nil ? [] : ["sample weights"])
    guard let first = inputs.first, first.rank > 0 else {
      throw TensorError(
        operation: "dataset", problem: inputs.isEmpty ? "no inputs" : "an input without axes",
        expected: "inputs [samples, ...]")
    }
    for (name, tensor) in zip(names, tensors) where tensor.rank == 0 || tensor.shape[0] != first.shape[0] {
      throw TensorError(
        operation: "dataset", problem: "\(name) of shape \(tensor.shape) beside input 0 of shape \(first.shape)",
        expected: "\(first.shape[0]) samples along the leading axis of each")
    }
    if let sampleWeights, sampleWeights.rank != 1 || !sampleWeights.elementType.isFloatingPoint {
      throw TensorError(
        operation: "dataset", operands: [TensorType(sampleWeights.shape, sampleWeights.elementType)],
        problem: "sample weights of another kind", expected: "floating-point [samples]")
    }
    self.inputs = inputs
    self.targets = targets
    self.sampleWeights = sampleWeights
    count = first.shape[0]
  }

  /// Samples of one input and one target.
  ///
  /// - Parameters:
  ///   - input: `[samples, ...]`.
  ///   - target: `[samples, ...]`.
  ///   - sampleWeights: How much each sample counts, `[samples]`; all the same if nil.
  /// - Throws: ``Reel/TensorError`` if the tensors do not have the same number of samples.
  public init(_ input: Tensor, _ target: Tensor, sampleWeights: Tensor? = nil) throws(TensorError) {
    try self.init(inputs: [input], targets: [target], sampleWeights: sampleWeights)
  }

  /// Windows over a series and the steps behind each; see ``Reel/Tensor/windows(of:stride:horizon:)``.
  ///
  /// - Parameters:
  ///   - series: `[time, ...]`.
  ///   - size: The steps of an input.
  ///   - stride: The distance between the starts of windows; 1 by default.
  ///   - horizon: The steps of a target; 1 by default.
  /// - Throws: ``Reel/TensorError`` if the series is too short for one window.
  public init(windowsOver series: Tensor, of size: Int, stride: Int = 1, horizon: Int = 1) throws(TensorError) {
    guard series.rank > 0, size > 0, stride > 0, horizon > 0, series.shape[0] >= size + horizon else {
      throw TensorError(
        operation: "dataset", operands: [TensorType(series.shape, series.elementType)],
        problem: "windows of \(size) by stride \(stride) with \(horizon) steps behind each",
        expected: "a series [time, ...] with \(size + horizon) steps at least, and positive numbers")
    }
    let (inputs, targets) = series.windows(of: size, stride: stride, horizon: horizon)
    try self.init(inputs, targets)
  }

  private init(rows: RowSelection, of dataset: Dataset) {
    inputs = dataset.inputs.map(rows.taken)
    targets = dataset.targets.map(rows.taken)
    sampleWeights = dataset.sampleWeights.map(rows.taken)
    count = rows.count
  }

  // MARK: - Parts

  /// The samples at some places, in their order.
  public subscript(indices: [Int]) -> Dataset {
    precondition(indices.allSatisfy((0..<count).contains), "samples out of 0..<\(count)")
    return Dataset(rows: .list(indices[...]), of: self)
  }

  /// The samples of a range.
  public subscript(range: Range<Int>) -> Dataset {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "samples \(range) of \(count)")
    return Dataset(rows: .range(range), of: self)
  }

  /// The samples cut in two: the last ones are kept for validation. Keras's `validation_split`.
  ///
  /// - Parameter fraction: The part for validation, in 0...1.
  public func split(validation fraction: Double) -> (training: Dataset, validation: Dataset) {
    precondition((0...1).contains(fraction), "a fraction in 0...1, not \(fraction)")
    let border = Int(Double(count) * (1 - fraction))
    return (self[0..<border], self[border..<count])
  }

  /// The samples in an order that depends on a seed, for a split after it.
  public func shuffled(seed: UInt64) -> Dataset { self[EpochOrder.permutation(of: count, seed: seed, epoch: 0)] }

  // MARK: - Batches

  /// The batches of one epoch, in order.
  ///
  /// - Parameters:
  ///   - size: The samples of a batch. The last batch has what is left.
  ///   - seed: The seed of the order; the order of the samples if nil, the default.
  ///   - epoch: The number of the epoch, from 0; each has an order of its own. 0 by default.
  ///   - dropsRemainder: Whether a last batch that is smaller is left out; false by default.
  ///   - start: The number of batches to pass over, for a training that is resumed in the middle of an epoch; 0 by default.
  public func batches(
    of size: Int, shuffledBy seed: UInt64? = nil, epoch: Int = 0, dropsRemainder: Bool = false, from start: Int = 0
  ) -> Batches {
    precondition(size > 0 && epoch >= 0 && start >= 0, "batches of one sample at least, from an epoch and batch ≥ 0")
    return Batches(
      dataset: self, size: size, order: seed.map { EpochOrder.permutation(of: count, seed: $0, epoch: epoch) },
      dropsRemainder: dropsRemainder, start: start)
  }

  fileprivate func batch(_ rows: RowSelection) -> Batch {
    Batch(
      inputs: inputs.map(rows.taken), targets: targets.map(rows.taken), sampleWeights: sampleWeights.map(rows.taken))
  }
}

extension Dataset {
  /// Some of the samples.
  public struct Batch: TensorFields, Sendable {
    /// The inputs, each `[batch, ...]`.
    public var inputs: [Tensor]
    /// The targets, each `[batch, ...]`.
    public var targets: [Tensor]
    /// How much each sample counts, `[batch]`; nil if all count the same.
    public var sampleWeights: Tensor?

    /// The tensors of the structure.
    public static var fields: Fields<Self> { .init(\.inputs, \.targets, \.sampleWeights) }

    /// The number of samples.
    public var count: Int { inputs[0].shape[0] }
  }

  /// The batches of an epoch, each made when it is asked for.
  public struct Batches: Sequence, Sendable {
    fileprivate let dataset: Dataset
    fileprivate let size: Int
    fileprivate let order: [Int]?
    fileprivate let dropsRemainder: Bool
    fileprivate let start: Int
    fileprivate var transform: (@Sendable (Batch) -> Batch)?

    /// The number of batches.
    public var count: Int {
      let whole = dropsRemainder ? dataset.count / size : (dataset.count + size - 1) / size
      return Swift.max(whole - start, 0)
    }

    /// As many as there are.
    public var underestimatedCount: Int { count }

    /// The same batches, each changed by a function that runs where the batch is made: with ``prefetched(_:)``, on another
    /// thread.
    public func transformed(_ transform: @escaping @Sendable (Batch) -> Batch) -> Batches {
      var copy = self
      if let before = self.transform {
        copy.transform = { transform(before($0)) }
      } else {
        copy.transform = transform
      }
      return copy
    }

    /// The same batches in the same order, made on another thread while the ones before are used.
    ///
    /// - Parameter capacity: How many wait at most; 2 by default.
    public func prefetched(_ capacity: Int = 2) -> Prefetched<Batches> { Prefetched(self, capacity: capacity) }

    /// Starts with the first batch.
    public func makeIterator() -> AnyIterator<Batch> {
      var next = start
      let end = start + count
      return AnyIterator {
        guard next < end else { return nil }
        defer { next += 1 }
        return batch(next)
      }
    }

    private func batch(_ index: Int) -> Batch {
      let range = index * size..<Swift.min((index + 1) * size, dataset.count)
      let batch = dataset.batch(order.map { .list($0[range]) } ?? .range(range))
      return transform?(batch) ?? batch
    }
  }
}
