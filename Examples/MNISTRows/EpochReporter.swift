import ExampleSupport
import Foundation
import Reel
import ReelNN

/// Tells a line for each epoch, and keeps what it told.
final class EpochReporter: Callback {
  /// What is known of an epoch.
  struct Epoch {
    /// Counted from 0, those before a checkpoint too.
    let number: Int
    /// The mean cost of the training digits, and the parts of the digits that were right.
    let cost, accuracy, test: Double
    /// Seconds for the steps, without the test.
    let seconds: Double
    let steps: Int
  }

  private(set) var epochs: [Epoch] = []
  /// The cost of the first step.
  private(set) var firstCost: Double?
  /// The seconds that the first step took, with all that is done once.
  private(set) var firstSeconds = 0.0
  private let isSilent: Bool
  private var start = ContinuousClock.now
  private var seconds = 0.0
  private var steps = 0

  /// - Parameter isSilent: Whether it only keeps what it is told.
  init(isSilent: Bool = false) { self.isSilent = isSilent }

  // MARK: - The moments of a training

  func onEpochBegin(_ epoch: Int, _ run: TrainingRun) { begin() }

  func onTrainBatchEnd(_ batch: Int, _ run: TrainingRun) { step(epoch: run.epoch, cost: run.batchLoss) }

  func onTestBegin(_ run: TrainingRun) { endTraining() }

  func onEpochEnd(_ epoch: Int, _ run: TrainingRun) {
    let logs = run.logs
    end(
      epoch, of: run.epochs, cost: logs["loss"] ?? .nan, accuracy: logs["accuracy"] ?? .nan,
      test: logs["val_accuracy"] ?? .nan)
  }

  func begin() { (start, steps) = (.now, 0) }

  func step(_ epoch: Int, cost: Double) { step(epoch: epoch, cost: Tensor(cost)) }

  func endTraining() { seconds = (ContinuousClock.now - start) / .seconds(1) }

  /// Ends an epoch, counted from 0.
  func end(_ epoch: Int, of count: Int, cost: Double, accuracy: Double, test: Double) {
    epochs.append(Epoch(number: epoch, cost: cost, accuracy: accuracy, test: test, seconds: seconds, steps: steps))
    guard !isSilent else { return ProgressLine.clear() }
    ProgressLine.keep(
      String(
        format: "epoch %2d/%d  cost %.4f  accuracy %.4f  test %.4f  %.2f s  %.2f ms a step",
        epoch + 1, count, cost, accuracy, test, seconds, seconds / Double(steps) * 1000))
  }

  private func step(epoch: Int, cost: Tensor?) {
    steps += 1
    guard let cost else { return }
    if firstCost == nil {
      (firstCost, firstSeconds) = (cost.item, (ContinuousClock.now - start) / .seconds(1))
      if !isSilent { ProgressLine.keep("first step: cost \(Float(cost.item))") }
    }
    ProgressLine.show("epoch \(epoch + 1): step \(steps), cost \(Float(cost.item))")
  }
}
