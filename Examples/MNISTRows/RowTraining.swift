import ExampleSupport
import Foundation
import Reel
import ReelNN

/// The row classifier, a recurrent layer that reads an image row by row and a dense one on its last output, and its training.
struct RowTraining {
  let network: Sequential
  let model: Model<Sequential>
  private let options: Options
  private let training, test: DigitData
  /// The epochs that a checkpoint had behind it.
  private let epochsDone: Int

  /// - Throws: ``ReelNN/DataError`` and ``ReelNN/WeightsError`` if the checkpoint to go on from is none of this model.
  init(_ options: Options, training: DigitData, test: DigitData) throws {
    seedRandomness(options.seed)
    let recurrent: any Layer<Tensor, Tensor> =
      switch options.cell {
      case .lstm: LSTM(options.units, unroll: options.unroll)
      case .gru: GRU(options.units, unroll: options.unroll)
      case .simple: SimpleRNN(options.units, unroll: options.unroll)
      case .mgu: RNN(MinimalGatedUnit(units: options.units), unroll: options.unroll)
      }
    network = Sequential {
      recurrent
      Dense(10)
    }
    model = network.compile(
      optimizer: Adam(learningRate: options.learningRate), loss: .sparseCategoricalCrossEntropy(fromLogits: true),
      metrics: [.accuracy()])
    (self.options, self.training, self.test) = (options, training, test)
    if let path = options.resume {
      // With its parameters made, the shapes of the checkpoint are compared with them before anything is trained.
      try model.build(like: training.images)
      epochsDone = try Self.resume(network, model.optimizer, from: path, options)
    } else {
      epochsDone = 0
    }
  }

  /// Trains, and tells each epoch.
  ///
  /// - Parameter reporter: What is told the epochs.
  func run(_ reporter: EpochReporter) throws {
    guard options.mode == .compiled else { return try runEagerly(reporter) }
    try model.fit(
      training.images, training.labels, batchSize: options.batchSize, epochs: options.epochs,
      validationData: (test.images, test.labels), seed: options.seed,
      callbacks: [reporter] + (options.save.map { [ModelCheckpoint($0)] } ?? []), verbose: 0, initialEpoch: epochsDone)
  }

  /// How often each digit of the test was taken for each, `[10, 10]`.
  func confusion() -> Tensor {
    let metric = Metric.confusionMatrix(classes: 10)
    // On the tape, for once: a compiled prediction would keep memory of its own beside that of the training.
    for start in stride(from: 0, to: test.count, by: options.batchSize) {
      let range = start..<min(start + options.batchSize, test.count)
      metric.update(predicted: network(test.images[range]), expected: test.labels[range])
    }
    return metric.result
  }

  /// Gives the model what it had when a checkpoint was written.
  ///
  /// - Returns: The epochs that were done.
  private static func resume(
    _ network: Sequential, _ optimizer: any Optimizer, from path: String, _ options: Options
  ) throws -> Int {
    let checkpoint = try Checkpoint(path: path)
    try checkpoint.restore(network, optimizer: optimizer)
    guard checkpoint.epoch < options.epochs else {
      throw Arguments.Problem(
        description: "--resume: \(path) has \(checkpoint.epoch) epochs already; --epochs is to be more than that")
    }
    return checkpoint.epoch
  }

  // MARK: - Without a compiled step

  /// What `fit` does, operation by operation on the tape.
  private func runEagerly(_ reporter: EpochReporter) throws {
    let digits = try Dataset(inputs: [training.images], targets: [training.labels])
    for epoch in epochsDone..<options.epochs {
      reporter.begin()
      var sums = Sums()
      for batch in digits.batches(of: options.batchSize, shuffledBy: options.seed, epoch: epoch) {
        let cost = train(batch.inputs[0], batch.targets[0], &sums)
        guard cost.isFinite else { throw Diverged(epoch: epoch + 1) }
        reporter.step(epoch, cost: cost)
      }
      reporter.endTraining()
      let correct = correct(network(test.images), test.labels)
      reporter.end(
        epoch, of: options.epochs, cost: sums.cost / Double(training.count),
        accuracy: sums.correct / Double(training.count),
        test: correct / Double(test.count))
      try options.save.map { path in
        try Checkpoint(of: network, optimizer: model.optimizer, epoch: epoch + 1, step: 0).write(to: path)
      }
    }
  }

  private struct Sums { var (cost, correct) = (0.0, 0.0) }

  private func train(_ images: Tensor, _ labels: Tensor, _ sums: inout Sums) -> Double {
    var right = 0.0
    let (cost, gradients) = valueWithGradient(of: network) {
      let logits = network(images)
      right = correct(logits, labels)
      return softmaxCrossEntropy(logits: logits, labels: labels)
    }
    model.optimizer.update(network, along: gradients)
    sums.cost += cost.item * Double(labels.count)
    sums.correct += right
    return cost.item
  }

  private func correct(_ logits: Tensor, _ labels: Tensor) -> Double {
    (logits.argMax() .== labels).converted(to: .float32).sum().item
  }
}

/// The cost is no number any more.
private struct Diverged: Error, CustomStringConvertible {
  let epoch: Int
  var description: String { "the cost is no finite number in epoch \(epoch); try a smaller --learning-rate" }
}
