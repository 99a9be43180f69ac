import Reel

/// A loss that is NaN or infinite, or an update that made parameters so. The model is as it was before the batch that broke
/// it: nothing is lost.
public struct NonFiniteLoss: Error, Sendable, CustomStringConvertible {
  /// The epoch, from 0.
  public let epoch: Int
  /// The batch of the epoch, from 0.
  public let batch: Int
  /// The number of batches of an epoch.
  public let batchCount: Int
  /// The loss. It is finite if the last update of an epoch broke the parameters, and no batch has met them yet.
  public let loss: Double
  /// Which tensor went bad first, in words: an input, a parameter, or the result of an operation with its layer; nil if the
  /// batch was finite when it was done once more.
  public let culprit: String?
  /// The epochs before.
  public let history: History

  /// One line, with epoch and batch as they are shown, from 1.
  public var description: String {
    let place = "epoch \(epoch + 1), batch \(batch + 1) of \(batchCount)"
    let reason = culprit.map { "; first of all, \($0)" } ?? "; it was finite when the batch was done once more"
    return loss.isFinite
      ? "parameters are not finite after \(place)\(reason)"
      : "the loss is \(loss.withoutSignOfNaN) in \(place)\(reason)"
  }
}

extension Double {
  /// The number, where it is none the one that prints without a sign: which sign a NaN has differs from machine to machine.
  var withoutSignOfNaN: Double { isNaN ? .nan : self }
}

/// Finds out why a loss is not finite: goes back to the last state that was noted, repeats the batches since, which gives
/// the same bits, and does the last one eagerly with every result looked at.
///
/// Noting a state costs no copy, but the next step has to write its parameters somewhere else; so it is done now and then.
struct NonFiniteReplay<Network: Layer> where Network.Input: TensorStructure, Network.Output: TensorStructure {
  /// The batches from one noted state to the next.
  private static var interval: Int { 64 }

  private let loop: FitLoop<Network>
  private var noted: (batch: Int, state: Checkpoint)?
  private var model: Model<Network> { loop.model }

  init(_ loop: FitLoop<Network>) { self.loop = loop }

  /// Takes note of the state before a batch, if it is time.
  mutating func note(batch: Int) {
    if let noted, batch < noted.batch + Self.interval { return }
    noted = (batch, Checkpoint(of: model.network, optimizer: model.optimizer, epoch: 0, step: 0))
  }

  /// What to throw. Leaves the model as ``NonFiniteLoss`` says.
  func failure(inBatch batch: Int, loss: Double) throws -> NonFiniteLoss {
    let culprit = try culprit(inBatch: batch)
    let run = loop.run
    return NonFiniteLoss(
      epoch: run.epoch, batch: min(batch, run.batchCount - 1), batchCount: run.batchCount, loss: loss, culprit: culprit,
      history: run.history)
  }

  /// What to throw if the last update of an epoch broke the parameters, which the next batch would show; nil if they are
  /// finite.
  func failureAtEnd() throws -> NonFiniteLoss? {
    guard badParameter != nil, let loss = loop.run.batchLoss?.item else { return nil }
    return try failure(inBatch: loop.run.batchesDone, loss: loss)
  }

  private func culprit(inBatch batch: Int) throws -> String? {
    try repeatBatches(before: batch)
    if let name = badParameter {
      guard let noted, batch > noted.batch else { return "parameter '\(name)' before the batch" }
      // The batch before had a finite loss, and an update that broke the parameters.
      try repeatBatches(before: batch - 1)
      return try leavingAsIs { try gradientCulprit(in: data(batch - 1), parameter: name) }
    }
    return try leavingAsIs { try forwardCulprit(in: data(batch)) }
  }

  private func leavingAsIs<Result>(_ body: () throws -> Result) throws -> Result {
    let before = Checkpoint(of: model.network, optimizer: model.optimizer, epoch: 0, step: 0)
    let result = try body()
    try before.restore(model.network, optimizer: model.optimizer)
    return result
  }

  private func data(_ batch: Int) -> TrainingData<Network.Input, Network.Output>.Batch {
    batches(from: batch).next()!
  }

  private func batches(from batch: Int) -> AnyIterator<TrainingData<Network.Input, Network.Output>.Batch> {
    let run = loop.run
    return loop.data.batches(of: run.batchSize, shuffledBy: run.shuffleSeed, epoch: run.epoch, from: batch)
  }

  private func repeatBatches(before end: Int) throws {
    guard let noted else { return }
    try noted.state.restore(model.network, optimizer: model.optimizer)
    let rest = batches(from: noted.batch)
    for _ in noted.batch..<end {
      let batch = rest.next()!
      _ = try model.trainingStep(batch.x, batch.y!, batch.weight)
    }
  }

  private var badParameter: String? {
    model.network.parameters.first { !($0.parameter.variable?.concrete.isAllFinite ?? true) }?.name
  }

  // MARK: - One batch with every result looked at

  /// What is said of a batch that is not finite itself.
  private func badArgument(of batch: TrainingData<Network.Input, Network.Output>.Batch) -> String? {
    let arguments = [
      ("x", batch.x.tensors), ("y", batch.y!.tensors), ("sampleWeight", batch.weight.map { [$0] } ?? []),
    ]
    let bad = arguments.first { !$0.1.allSatisfy(\.isAllFinite) }
    return bad.map { "\($0.0) has numbers that are not finite" }
  }

  private func forwardCulprit(in batch: TrainingData<Network.Input, Network.Output>.Batch) throws -> String? {
    if let bad = badArgument(of: batch) { return bad }
    let found = try Recording.throwingErrors {
      withTraining {
        firstNotFiniteResult {
          let value = ActivityPenalties.added { loss(of: batch) }
          return model.network.penalty.map { value + $0 } ?? value
        }
      }
    }
    return found.map { result in
      let layer = result.path.isEmpty ? "" : " in '\(result.path.joined(separator: "."))'"
      let step = result.steps.map { ", step \($0)" }.joined()
      return "the result of '\(result.operation)'\(layer)\(step) has \(result.value)"
    }
  }

  private func gradientCulprit(
    in batch: TrainingData<Network.Input, Network.Output>.Batch, parameter: String
  ) throws -> String {
    if let bad = badArgument(of: batch) { return "\(bad), in the batch before" }
    let gradients = try Recording.throwingErrors { valueWithGradient(of: model.network) { loss(of: batch) }.gradients }
    let bad = gradients.parameters.first { !(gradients[$0.parameter]?.isAllFinite ?? true) }
    guard let bad else { return "parameter '\(parameter)', by the update of the batch before, along a finite gradient" }
    return "the gradient by '\(bad.name)' in the batch before, whose loss was finite"
  }

  private func loss(of batch: TrainingData<Network.Input, Network.Output>.Batch) -> Tensor {
    let predicted = model.network(batch.x)
    return model.objective.value(predicted: predicted, expected: batch.y!, sampleWeight: batch.weight).total
  }
}

extension Tensor {
  /// Whether no element is NaN or infinite.
  var isAllFinite: Bool {
    withBytes { bytes in
      switch elementType {
      case .float32: bytes.bindMemory(to: Float.self).allSatisfy { $0.isFinite }
      case .float64: bytes.bindMemory(to: Double.self).allSatisfy { $0.isFinite }
      case .int32, .bool: true
      }
    }
  }
}
