import Foundation
import Reel

/// Keeps all that a training needs to go on after it was killed, and goes on from there when it is started again. Keras's
/// `BackupAndRestore`.
///
///     try model.fit(x, y, epochs: 100, seed: 1, callbacks: [BackupAndRestore("run.backup")])
///
/// A process that is killed at any moment and started again ends with the same weights, bit for bit, and the same history
/// as one that was never killed: the file has the weights, the optimizer's variables, the states of stateful layers, the
/// stream of random numbers, the seed of the order of the samples, the running loss and metrics, the history, and what the
/// other callbacks remember. It is replaced in one step, and removed when the training has come to its end; after Ctrl-C it
/// is kept. The program has to be the same: model, data, arguments, callbacks.
public final class BackupAndRestore: Callback {
  private let path: String
  private let frequency: SavingFrequency
  private let deletesAtEnd: Bool
  private var batches = 0

  /// - Parameters:
  ///   - path: The file; its folder exists.
  ///   - saveFrequency: How often; at the end of each epoch by default.
  ///   - deletesAtEnd: Whether the file is removed when the training has come to its end; true by default.
  public init(_ path: String, saveFrequency: SavingFrequency = .epoch, deletesAtEnd: Bool = true) {
    if case .batches(let count) = saveFrequency { precondition(count > 0, "BackupAndRestore: batches(1) at least") }
    self.path = path
    frequency = saveFrequency
    self.deletesAtEnd = deletesAtEnd
  }

  /// Goes on where the training was, if there is a file.
  public func onTrainBegin(_ run: TrainingRun) throws {
    batches = 0
    guard FileManager.default.fileExists(atPath: path) else { return }
    let backup = try Checkpoint(path: path)
    try backup.restore(run.network, optimizer: run.optimizer)
    try TrainingBackup.restore(run, from: backup, path: path)
    batches = run.batchesDone
  }

  /// Saves, if it is time.
  public func onTrainBatchEnd(_ batch: Int, _ run: TrainingRun) throws {
    batches += 1
    // The end of an epoch is saved when it has been validated and logged.
    guard case .batches(let count) = frequency, batches % count == 0, run.batchesDone < run.batchCount else { return }
    try save(run)
  }

  /// Saves.
  public func onEpochEnd(_ epoch: Int, _ run: TrainingRun) throws { try save(run) }

  /// Removes the file if there is nothing to go on with; after Ctrl-C, saves what was done.
  public func onTrainEnd(_ run: TrainingRun) throws {
    if run.history.ending == .interrupted {
      if run.batchesDone > 0 && run.batchesDone < run.batchCount { try save(run) }
      return
    }
    if deletesAtEnd { try? FileManager.default.removeItem(atPath: path) }
  }

  private func save(_ run: TrainingRun) throws { try TrainingBackup.checkpoint(of: run).write(to: path) }
}

/// What a backup has beside the weights: how a run is put into a checkpoint and taken out again.
private enum TrainingBackup {
  static func checkpoint(of run: TrainingRun) -> Checkpoint {
    // An epoch that is in the history is done: what is next is the beginning of another.
    let isBetween = run.history.epochs.last == run.epoch
    var tensors: [String: Tensor] = [:]
    for (name, sum) in run.objective.sums where !isBetween { tensors["sums.\(name)"] = sum }
    tensors["history.epochs"] = Tensor(run.history.epochs.map(Double.init))
    for (index, name) in run.history.names.enumerated() { tensors["history.\(index)"] = Tensor(run.history[name]) }
    var notes = ["history": run.history.names.joined(separator: "\n")]
    for (index, callback) in run.callbacks.enumerated() {
      let memory = callback.memory
      for (name, number) in memory.numbers { tensors["callback.\(index).number.\(name)"] = Tensor([number]) }
      for (name, weight) in memory.weights ?? [:] { tensors["callback.\(index).weight.\(name)"] = weight }
      notes["callback.\(index)"] = String(describing: type(of: callback))
    }
    notes["shuffleSeed"] = run.shuffleSeed.map(String.init)
    notes["stopReason"] = run.stopReason
    return Checkpoint(
      of: run.network, optimizer: run.optimizer, epoch: isBetween ? run.epoch + 1 : run.epoch,
      step: isBetween ? 0 : run.batchesDone, tensors: tensors, notes: notes)
  }

  static func restore(_ run: TrainingRun, from backup: Checkpoint, path: String) throws {
    let kinds = run.callbacks.map { String(describing: type(of: $0)) }
    let saved = run.callbacks.indices.map { backup.notes["callback.\($0)"] }
    guard saved == kinds, let epochs = backup.tensors["history.epochs"], let names = backup.notes["history"] else {
      throw DataError(path: path, problem: "is the backup of a training with other callbacks, or of none")
    }
    run.epoch = backup.epoch
    run.batchesDone = backup.step
    run.resumedEpoch = backup.epoch
    run.shuffleSeed = backup.notes["shuffleSeed"].flatMap { UInt64($0) }
    if backup.step > 0 { run.objective.sums = part("sums", of: backup) }
    run.history.epochs = epochs.numbers.map { Int($0) }
    run.history.names = names.split(separator: "\n").map(String.init)
    for (index, name) in run.history.names.enumerated() {
      run.history.values[name] = backup.tensors["history.\(index)"]?.numbers ?? []
    }
    for (index, callback) in run.callbacks.enumerated() {
      let weights = part("callback.\(index).weight", of: backup)
      callback.memory = CallbackMemory(
        numbers: part("callback.\(index).number", of: backup).mapValues { $0.numbers[0] },
        weights: weights.isEmpty ? nil : weights)
    }
    if let reason = backup.notes["stopReason"] { run.stop(because: reason) }
  }

  /// The tensors whose names begin with a prefix, without it.
  private static func part(_ prefix: String, of backup: Checkpoint) -> [String: Tensor] {
    let pairs = backup.tensors.compactMap { name, tensor in
      name.hasPrefix("\(prefix).") ? (String(name.dropFirst(prefix.count + 1)), tensor) : nil
    }
    return Dictionary(uniqueKeysWithValues: pairs)
  }
}
