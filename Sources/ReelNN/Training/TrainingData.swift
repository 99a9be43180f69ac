import Reel

/// Inputs, targets and weights of samples, checked, from which batches are taken. The masks of inputs go with them.
struct TrainingData<Input: TensorStructure, Target: TensorStructure> {
  /// One batch as a step takes it.
  struct Batch {
    let x: Input
    let y: Target?
    let weight: Tensor?
    /// The number of samples.
    let count: Int
  }

  private let x: Input
  private let y: Target?
  private let dataset: Dataset
  private let isWeighted: Bool

  /// The number of samples.
  var count: Int { dataset.count }

  /// - Parameters:
  ///   - x: The inputs, each `[samples, ...]`.
  ///   - y: The targets, each `[samples, ...]`; none to predict.
  ///   - sampleWeight: `[samples]` or `[samples, time]`.
  ///   - operation: What asks, for errors.
  /// - Throws: ``Reel/TensorError`` if there are no samples, or they are not as many everywhere.
  init(_ x: Input, _ y: Target?, sampleWeight: Tensor? = nil, in operation: String) throws(TensorError) {
    let inputs = Self.named(x, "x")
    let targets = y.map { Self.named($0, "y") } ?? []
    let weights = sampleWeight.map { [("sampleWeight", $0)] } ?? []
    guard let first = inputs.first else {
      throw TensorError(operation: operation, problem: "x without a tensor", expected: "input [samples, ...]")
    }
    for (name, tensor) in inputs + targets + weights {
      guard tensor.rank > 0 else {
        throw TensorError(operation: operation, problem: "\(name) is a scalar", expected: "[samples, ...]")
      }
      if tensor.shape[0] == first.1.shape[0] { continue }
      throw TensorError(
        operation: operation,
        problem: "\(name) has \(tensor.shape[0]) samples (shape \(tensor.shape)) and \(first.0) has "
          + "\(first.1.shape[0]) (shape \(first.1.shape))",
        expected: "as many in each")
    }
    guard first.1.shape[0] > 0 else {
      throw TensorError(
        operation: operation, problem: "no samples: x has shape \(first.1.shape)", expected: "at least one")
    }
    if let sampleWeight, !sampleWeight.elementType.isFloatingPoint, sampleWeight.elementType != .int32 {
      throw TensorError(
        operation: operation, problem: "sampleWeight of type \(sampleWeight.elementType)", expected: "numbers")
    }
    self.x = x
    self.y = y
    isWeighted = sampleWeight != nil
    let masks = x.tensors.compactMap(\.mask)
    dataset = try Dataset(
      inputs: (x.tensors + masks + (sampleWeight.map { [$0] } ?? [])).map(\.detached),
      targets: targets.map(\.1.detached))
  }

  private init(_ other: Self, _ dataset: Dataset) {
    (x, y, isWeighted) = (other.x, other.y, other.isWeighted)
    self.dataset = dataset
  }

  /// The samples of a range.
  subscript(range: Range<Int>) -> Self { Self(self, dataset[range]) }

  private static func named(_ structure: some TensorStructure, _ name: String) -> [(String, Tensor)] {
    zip(structure.tensorPaths, structure.tensors).map { ($0.isEmpty ? name : "\(name).\($0)", $1) }
  }

  // MARK: - Batches

  /// The number of batches of a size.
  func batchCount(of size: Int) -> Int { (count + size - 1) / size }

  /// The batches of an epoch; the order is a function of the seed and the epoch, that of the samples if there is no seed.
  ///
  /// - Parameter start: The number of batches to pass over.
  func batches(of size: Int, shuffledBy seed: UInt64? = nil, epoch: Int = 0, from start: Int = 0) -> AnyIterator<Batch>
  {
    let iterator = dataset.batches(of: size, shuffledBy: seed, epoch: epoch, from: start).makeIterator()
    return AnyIterator { iterator.next().map(assembled) }
  }

  /// The first batch in the order of the samples.
  func firstBatch(of size: Int) -> Batch { batches(of: size).next()! }

  private func assembled(_ rows: Dataset.Batch) -> Batch {
    var inputs = rows.inputs[...]
    let values = x.tensors.map { _ in inputs.removeFirst() }
    var pairs = zip(x.tensors, values).map { given, taken in
      given.mask == nil ? taken : taken.withMask(inputs.removeFirst())
    }[...]
    return Batch(
      x: x.mapTensors { _ in pairs.removeFirst() }, y: y.map { $0.replacingTensors(rows.targets) },
      weight: isWeighted ? inputs.first : nil, count: rows.count)
  }
}

/// What each sample counts by its class. Keras's `class_weight`.
enum ClassWeights {
  /// The weight of each sample, times those given.
  ///
  /// - Parameters:
  ///   - weights: The weight of each class; 1 for classes that are not listed.
  ///   - targets: Classes `[samples]` or `[samples, 1]`, or one-hot targets `[samples, classes]`.
  ///   - sampleWeight: `[samples]`, or nil.
  static func sampleWeights(
    _ weights: [Int: Double], of targets: [Tensor], times sampleWeight: Tensor?
  ) throws(TensorError) -> Tensor {
    guard targets.count == 1, let target = targets.first, (1...2).contains(target.rank) else {
      throw TensorError(
        operation: "fit",
        problem: "classWeight for targets of shape \(targets.map { "\($0.shape)" }.joined(separator: " and "))",
        expected: "one target of classes [samples] or one-hot [samples, classes]; sampleWeight for anything else")
    }
    let isOneHot = target.rank == 2 && target.shape[1] > 1
    let classes = (isOneHot ? target.argMax() : target).numbers
    let counts = Tensor(classes.map { Float(weights[Int($0)] ?? 1) }).converted(to: .default)
    guard let sampleWeight else { return counts }
    let given = sampleWeight.labels(as: .default).converted(to: .default)
    let columns = [Int](repeating: 1, count: sampleWeight.rank - 1)
    return given * counts.reshaped(to: Shape([counts.count] + columns))
  }
}
