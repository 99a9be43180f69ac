import Foundation
import Reel

/// How often something is saved.
public enum SavingFrequency: Hashable, Sendable {
  /// At the end of each epoch.
  case epoch
  /// After each so many batches, counted through the epochs.
  case batches(Int)
}

/// Saves the model while it is trained. Keras's `ModelCheckpoint`.
///
///     ModelCheckpoint("best.safetensors", saveBestOnly: true)
///     ModelCheckpoint("weights-{epoch:02d}-{val_loss:.3f}.safetensors", saveWeightsOnly: true)
///
/// A file is a ``Checkpoint`` with the optimizer's variables, or the weights alone, and is replaced in one step: whoever
/// reads it finds a whole one. ``Module/loadWeights(from:allowing:)`` reads both.
public final class ModelCheckpoint: Callback {
  private let pathTemplate: PathTemplate
  private let monitorName: String
  private let saveBestOnly, saveWeightsOnly, verbose: Bool
  private let mode: MonitorMode
  private let frequency: SavingFrequency
  private let initialValueThreshold: Double?
  private var monitor: Monitor?
  private var batches = 0

  /// The best number so far; nil before the first.
  public private(set) var best: Double?

  /// - Parameters:
  ///   - path: The file; its folder exists. `{epoch}`, counted from 1, and names of logs in braces are replaced, with the
  ///     formats of Keras: `{epoch:02d}`, `{val_loss:.3f}`.
  ///   - monitor: The name in the logs; `val_loss` by default. It plays a part only with `saveBestOnly`.
  ///   - saveBestOnly: Whether a file is written only if the number is the best so far; false by default.
  ///   - saveWeightsOnly: Whether the file has the weights alone; false by default.
  ///   - mode: Which numbers are better; by the name by default.
  ///   - saveFrequency: How often; at the end of each epoch by default.
  ///   - initialValueThreshold: A number that has to be bettered; none by default.
  ///   - verbose: Whether to say so; false by default.
  public init(
    _ path: String, monitor: String = "val_loss", saveBestOnly: Bool = false, saveWeightsOnly: Bool = false,
    mode: MonitorMode = .automatic, saveFrequency: SavingFrequency = .epoch, initialValueThreshold: Double? = nil,
    verbose: Bool = false
  ) {
    if case .batches(let count) = saveFrequency { precondition(count > 0, "ModelCheckpoint: batches(1) at least") }
    pathTemplate = PathTemplate(text: path)
    monitorName = monitor
    (self.saveBestOnly, self.saveWeightsOnly, self.verbose) = (saveBestOnly, saveWeightsOnly, verbose)
    self.mode = mode
    frequency = saveFrequency
    self.initialValueThreshold = initialValueThreshold
    best = initialValueThreshold
  }

  /// Saves, if it is time.
  public func onTrainBatchEnd(_ batch: Int, _ run: TrainingRun) throws {
    guard case .batches(let count) = frequency else { return }
    batches += 1
    if batches % count == 0 { try save(run) }
  }

  /// Saves, if it is time.
  public func onEpochEnd(_ epoch: Int, _ run: TrainingRun) throws { if frequency == .epoch { try save(run) } }

  private func save(_ run: TrainingRun) throws {
    if saveBestOnly {
      let value = try Monitor.value(monitorName, in: run, for: "ModelCheckpoint")
      let monitor = try self.monitor ?? Monitor(monitorName, mode, of: run, for: "ModelCheckpoint")
      self.monitor = monitor
      guard best.map({ monitor.isBetter(value, than: $0) }) ?? true else { return }
      best = value
    }
    let path = try pathTemplate.path(run)
    if verbose { run.say("Epoch \(run.epoch + 1): saving the model to \(path)") }
    if saveWeightsOnly { return try run.network.saveWeights(to: path) }
    let isEnd = run.batchesDone == run.batchCount
    try Checkpoint(
      of: run.network, optimizer: run.optimizer, epoch: run.epoch + (isEnd ? 1 : 0), step: isEnd ? 0 : run.batchesDone
    ).write(to: path)
  }

  /// What a resumed training has to know.
  public var memory: CallbackMemory {
    get {
      var numbers = ["batches": Double(batches)]
      numbers["best"] = best
      return CallbackMemory(numbers: numbers)
    }
    set {
      batches = Int(newValue.numbers["batches"] ?? 0)
      best = newValue.numbers["best"]
    }
  }
}

/// A path with places for the epoch and for what is logged.
struct PathTemplate {
  let text: String

  /// - Throws: ``MonitorError`` for a name that is not logged, ``DataError`` for a format that is none.
  func path(_ run: TrainingRun) throws -> String {
    var result = ""
    var rest = text[...]
    while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
      result += rest[..<open]
      let parts = rest[rest.index(after: open)..<close].split(separator: ":", maxSplits: 1).map(String.init)
      result += try field(parts.first ?? "", parts.count > 1 ? parts[1] : "", run)
      rest = rest[rest.index(after: close)...]
    }
    return result + rest
  }

  private func field(_ name: String, _ format: String, _ run: TrainingRun) throws -> String {
    let isEpoch = name == "epoch"
    let value = isEpoch ? 0 : try Monitor.value(name, in: run, for: "ModelCheckpoint")
    if format.isEmpty { return isEpoch ? "\(run.epoch + 1)" : "\(value)" }
    guard format.wholeMatch(of: isEpoch ? /0?\d{0,2}d/ : /\.?\d{0,2}[fe]/) != nil else {
      throw DataError(path: text, place: "'{\(name):\(format)}'", problem: "is no format; '02d' and '.3f' are")
    }
    return isEpoch
      ? String(format: "%\(format.dropLast())ld", run.epoch + 1) : String(format: "%\(format)", value)
  }
}
