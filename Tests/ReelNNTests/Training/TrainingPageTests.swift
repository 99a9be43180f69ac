import Foundation
import Reel
import ReelNN
import ReelTestSupport
import Testing

/// The code of `Docs/Training.md`, compiled and run.
@Suite struct TrainingPageTests {
  // Page: block 2
  struct Announcer: Callback {
    func onEpochEnd(_ epoch: Int, _ run: TrainingRun) {
      run.say("the loss of epoch \(epoch) is \(run.logs["loss"]!)")
      if run.logs["loss"]! < 0.01 { run.stop(because: "it is small enough") }
    }
  }
  // Page: end

  @Test func theBlocksRun() throws {
    let (x, y) = (TrainingSamples.inputs(20), TrainingSamples.classes(20))
    // Page: block 1
    let network = Sequential {
      LSTM(16)
      Dense(2)
    }
    let model = network.compile(
      optimizer: Adam(learningRate: 0.01), loss: .sparseCategoricalCrossEntropy(fromLogits: true),
      metrics: [.accuracy()])
    let history = try model.fit(x, y, epochs: 3, validationSplit: 0.2)
    print(history["loss"], history["val_accuracy"])
    // Page: end
    #expect(history["loss"].count == 3 && history["val_accuracy"].count == 3)
    // Page: block 3
    let inspector = model.stepInspector(x[0..<4], y[0..<4])
    try model.fit(x, y, epochs: 2, callbacks: [Announcer(), inspector], verbose: 2)
    for step in inspector.inspections[1]![0].steps { print(step.time, step.gradientNorms) }
    // Page: end
    #expect(inspector.inspections[1]![0].steps.count == 4)
    try withTemporaryFolder { folder in
      let path = "\(folder)/backup"
      // Page: block 4
      try model.fit(x, y, epochs: 4, seed: 1, callbacks: [BackupAndRestore(path, saveFrequency: .batches(2))])
      // Page: end
      #expect(!FileManager.default.fileExists(atPath: path))
    }
  }

  @Test func theBlocksAreThoseOfThePage() throws { try expectBlocks(of: "Docs/Training.md") }
}
