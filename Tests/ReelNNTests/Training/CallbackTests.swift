import Foundation
import Reel
import ReelNN
import ReelTestSupport
import Testing

@Suite struct CallbackTests {
  typealias Samples = TrainingSamples

  /// Writes down every moment.
  final class Recorder: Callback {
    var moments: [String] = []
    func onTrainBegin(_ run: TrainingRun) { moments.append("train begin") }
    func onTrainEnd(_ run: TrainingRun) { moments.append("train end \(run.history.epochs.count)") }
    func onEpochBegin(_ epoch: Int, _ run: TrainingRun) { moments.append("epoch \(epoch) begin") }
    func onEpochEnd(_ epoch: Int, _ run: TrainingRun) { moments.append("epoch \(epoch) end \(run.logs.names)") }
    func onTrainBatchBegin(_ batch: Int, _ run: TrainingRun) { moments.append("batch \(batch) begin") }
    func onTrainBatchEnd(_ batch: Int, _ run: TrainingRun) { moments.append("batch \(batch) end \(run.batchesDone)") }
    func onTestBegin(_ run: TrainingRun) { moments.append("test begin") }
    func onTestEnd(_ run: TrainingRun) { moments.append("test end") }
    func onTestBatchBegin(_ batch: Int, _ run: TrainingRun) { moments.append("test batch \(batch) begin") }
    func onTestBatchEnd(_ batch: Int, _ run: TrainingRun) {
      moments.append("test batch \(batch) end \(run.logs.names)")
    }
    func onPredictBegin(_ run: TrainingRun) { moments.append("predict begin") }
    func onPredictEnd(_ run: TrainingRun) { moments.append("predict end") }
    func onPredictBatchBegin(_ batch: Int, _ run: TrainingRun) { moments.append("predict batch \(batch) begin") }
    func onPredictBatchEnd(_ batch: Int, _ run: TrainingRun) { moments.append("predict batch \(batch) end") }
  }

  @Test func momentsComeInKerassOrder() throws {
    let (x, y) = (Samples.inputs(5), Samples.classes(5))
    let model = Samples.model(metrics: [])
    let recorder = Recorder()
    try model.fit(x, y, batchSize: 3, validationSplit: 0.2, callbacks: [recorder], verbose: 0)
    #expect(
      recorder.moments == [
        "train begin", "epoch 0 begin", "batch 0 begin", "batch 0 end 1", "batch 1 begin", "batch 1 end 2",
        "test begin", "test batch 0 begin", "test batch 0 end [\"loss\"]", "test end",
        "epoch 0 end [\"loss\", \"val_loss\"]", "train end 1",
      ])
    recorder.moments = []
    _ = try model.predict(x, batchSize: 3, callbacks: [recorder], verbose: 0)
    #expect(
      recorder.moments == [
        "predict begin", "predict batch 0 begin", "predict batch 0 end", "predict batch 1 begin",
        "predict batch 1 end", "predict end",
      ])
    recorder.moments = []
    try model.evaluate(x, y, batchSize: 5, callbacks: [recorder], verbose: 0)
    #expect(recorder.moments == ["test begin", "test batch 0 begin", "test batch 0 end [\"loss\"]", "test end"])
  }

  @Test func closuresAreCalledAndCanStop() throws {
    var count = 0
    let callback = LambdaCallback(
      onEpochEnd: { epoch, run in
        run.logs["twice"] = run.logs["loss"]! * 2
        if epoch == 1 { run.stop(because: "enough") }
      }, onTrainBatchEnd: { _, _ in count += 1 })
    let history = try Samples.model().fit(
      Samples.inputs(6), Samples.classes(6), batchSize: 4, epochs: 9, callbacks: [callback], verbose: 0)
    #expect(count == 4 && history.epochs == [0, 1] && history.ending == .stopped(reason: "enough"))
    #expect(history["twice"] == history["loss"].map { $0 * 2 })
  }

  // MARK: - Early stopping

  struct Fact: Sendable {
    let values: [Double]
    let patience: Int
    var baseline: Double?
    var mode = MonitorMode.automatic
    var monitor = "val_loss"
    var startFromEpoch = 0
    var minDelta = 0.0
    /// How many epochs run.
    let epochs: Int
    /// The epoch whose weights are restored.
    let best: Int
  }

  static let keras = [10, 9, 8, 9, 8.9, 8.8, 8.7, 8.6, 8.5]
  static let facts: [Fact] =
    (0...5).map { Fact(values: keras, patience: $0, epochs: max($0, 1) + 3, best: 2) } + [
      Fact(values: [0.2, 0.15, 0.1, 0.11, 0.12], patience: 2, epochs: 5, best: 2),
      Fact(values: [0.9, 0.8, 0.7, 0.71, 0.72, 0.73], patience: 5, baseline: 0.5, epochs: 5, best: 2),
      Fact(values: [1, 2, 3, 2, 2, 9], patience: 2, mode: .max, epochs: 5, best: 2),
      Fact(values: [1, 2, 3, 2, 2, 9], patience: 2, monitor: "accuracy", epochs: 5, best: 2),
      Fact(values: [3, 2, 1], patience: 1, epochs: 3, best: 2),
      Fact(values: [5, 9, 9, 4, 5, 5, 1], patience: 2, startFromEpoch: 2, epochs: 6, best: 3),
      Fact(values: [5, 4.95, 4.9, 4.85, 1], patience: 2, minDelta: 0.5, epochs: 3, best: 0),
      Fact(values: [.nan, 1, 1, 1], patience: 2, epochs: 3, best: 0),
    ]

  @Test(arguments: facts.indices)
  func earlyStoppingIsThatOfKeras(index: Int) throws {
    let fact = Self.facts[index]
    var weights: [[String: [Double]]] = []
    let script = LambdaCallback(onEpochEnd: { epoch, run in
      run.logs[fact.monitor] = fact.values[epoch]
      weights.append(weightsOf(run.network))
    })
    let stopping = EarlyStopping(
      monitor: fact.monitor, minDelta: fact.minDelta, patience: fact.patience, mode: fact.mode,
      baseline: fact.baseline, restoreBestWeights: true, startFromEpoch: fact.startFromEpoch)
    let model = Samples.model()
    // A second training starts anew.
    for _ in 0..<2 {
      weights = []
      let history = try model.fit(
        Samples.inputs(4), Samples.classes(4), epochs: fact.values.count, callbacks: [script, stopping], verbose: 0)
      #expect(history.epochs.count == fact.epochs, "\(fact)")
      #expect(stopping.bestEpoch == fact.best, "\(fact)")
      #expect(weightsOf(model.network) == weights[fact.best], "\(fact)")
      #expect((stopping.stoppedEpoch != nil) == (fact.epochs < fact.values.count || fact.epochs == 5 && fact.best == 2))
    }
  }

  // MARK: - Learning rates

  @Test func theLearningRateFollowsAPlateau() throws {
    let values: [Double] = [5, 5, 5, 5, 5, 5, 4, 4, 4]
    let script = LambdaCallback(onEpochEnd: { epoch, run in run.logs["val_loss"] = values[epoch] })
    let plateau = ReduceLROnPlateau(factor: 0.5, patience: 2, cooldown: 1, minLearningRate: 0.002)
    let model = Samples.model()
    let history = try model.fit(
      Samples.inputs(4), Samples.classes(4), epochs: values.count, callbacks: [script, plateau], verbose: 0)
    // Keras's on_epoch_end, step by step: the rate is logged before it is reduced; of the cooldown the last epoch counts.
    #expect(history["learningRate"] == [0.01, 0.01, 0.01, 0.005, 0.005, 0.0025, 0.0025, 0.0025, 0.0025])
    #expect(model.optimizer.learningRate == 0.002)
  }

  @Test func aSchedulerSetsTheRateOfEachEpoch() throws {
    let model = Samples.model()
    let history = try model.fit(
      Samples.inputs(4), Samples.classes(4), epochs: 3,
      callbacks: [LearningRateScheduler { epoch, rate in epoch == 0 ? rate : rate / 2 }], verbose: 0)
    #expect(history["learningRate"] == [0.01, 0.005, 0.0025])
  }

  // MARK: - Files

  @Test func checkpointsAreWrittenByTheirTemplates() throws {
    try withTemporaryFolder { folder in
      let values: [Double] = [3, 4, 2]
      let script = LambdaCallback(onEpochEnd: { epoch, run in run.logs["val_loss"] = values[epoch] })
      let best = ModelCheckpoint("\(folder)/best-{epoch:02d}-{val_loss:.2f}", saveBestOnly: true)
      let all = ModelCheckpoint("\(folder)/all-{epoch}", saveWeightsOnly: true)
      let some = ModelCheckpoint("\(folder)/some", saveFrequency: .batches(5))
      let model = Samples.model()
      try model.fit(
        Samples.inputs(6), Samples.classes(6), batchSize: 3, epochs: 3, callbacks: [script, best, all, some], verbose: 0
      )
      let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      #expect(names == ["all-1", "all-2", "all-3", "best-01-3.00", "best-03-2.00", "some"])
      let checkpoint = try Checkpoint(path: "\(folder)/some")
      #expect(checkpoint.epoch == 2 && checkpoint.step == 1)
      let other = Samples.classifier()
      try other.loadWeights(from: "\(folder)/all-3")
      #expect(weightsOf(other) == weightsOf(model.network))
      try other.loadWeights(from: "\(folder)/best-03-2.00")
      #expect(weightsOf(other) == weightsOf(model.network))
    }
  }

  @Test func logsAreWrittenAsLines() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/log.csv"
      let model = Samples.model()
      func train(_ logger: CSVLogger, epochs: Range<Int>) throws -> History {
        try model.fit(
          Samples.inputs(4), Samples.classes(4), epochs: epochs.upperBound, callbacks: [logger], verbose: 0,
          initialEpoch: epochs.lowerBound)
      }
      let first = try train(CSVLogger(path, separator: ";"), epochs: 0..<2)
      let second = try train(CSVLogger(path, separator: ";", append: true), epochs: 2..<3)
      let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
      let (loss, accuracy) = (first["loss"] + second["loss"], first["accuracy"] + second["accuracy"])
      #expect(lines == ["epoch;loss;accuracy"] + (0..<3).map { "\($0);\(loss[$0]);\(accuracy[$0])" })
      _ = try train(CSVLogger(path), epochs: 0..<1)
      #expect(try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").count == 2)
    }
  }
}
