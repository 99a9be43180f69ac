// A small training in a process of its own, to be killed by a test and started again.
//
// usage: training-process BACKUP RESULT BATCHES     BATCHES: after how many batches to save; 0 for each epoch

import Foundation
import Reel
import ReelNN

@main
enum TrainingProcess {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 4, let batches = Int(arguments[3]) else { exit(2) }
    seedRandomness(5)
    let (x, y) = (Tensor.random([22, 4, 3]), Tensor((0..<22).map { Int32($0 * 5 % 7 % 3) }))
    // Dropout draws from the stream of random numbers; the schedule of the callbacks depends on what they remember.
    let network = Sequential {
      LSTM(6, dropout: 0.2)
      Dense(3)
    }
    let model = network.compile(
      optimizer: Adam(learningRate: 0.02), loss: .sparseCategoricalCrossEntropy(fromLogits: true),
      metrics: [.accuracy()])
    let callbacks: [any Callback] = [
      BackupAndRestore(arguments[1], saveFrequency: batches == 0 ? .epoch : .batches(batches)),
      EarlyStopping(patience: 12, restoreBestWeights: true),
      ReduceLROnPlateau(factor: 0.7, patience: 2),
      CSVLogger(arguments[2] + ".csv"),
    ]
    let history = try model.fit(
      x, y, batchSize: 4, epochs: 24, validationSplit: 0.2, callbacks: callbacks, verbose: 0)
    var notes = ["ending": "\(history.ending)", "epochs": "\(history.epochs)"]
    for name in history.names { notes[name] = "\(history[name].map(\.bitPattern))" }
    try Checkpoint(of: network, optimizer: model.optimizer, epoch: 0, step: 0, notes: notes).write(to: arguments[2])
  }
}
