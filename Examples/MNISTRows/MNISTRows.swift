// Reads handwritten digits row by row with a recurrent network: the main job of the project.

import Foundation
import Reel
import ReelNN

@main
enum MNISTRows {
  static func main() {
    let arguments = Array(CommandLine.arguments.dropFirst())
    if arguments.contains("--help") {
      print(Options.usage)
      return
    }
    do {
      try run(Options(arguments))
    } catch {
      FileHandle.standardError.write(Data("mnist-rows: \(error)\n".utf8))
      exit(1)
    }
  }

  private static func run(_ options: Options) throws {
    let training = try DigitData("train", in: options.data)
    let test = try DigitData("t10k", in: options.data)
    print(
      """
      \(training.count) training and \(test.count) test digits, each \(training.images.shape[1]) rows \
      of \(training.images.shape[2])
      \(options.cell.rawValue) of \(options.units) units, unroll \(options.unroll), batch \(options.batchSize), \
      Adam \(options.learningRate), seed \(options.seed), \(options.mode.rawValue)
      """)
    seedRandomness(options.seed)
    var generator = SplitMix64(seed: options.seed)
    let classifier = Classifier(options)
    var accuracy = 0.0
    for epoch in 1...options.epochs {
      let order = Array(0..<training.count).shuffled(using: &generator)
      let start = Date()
      let (cost, trained) = try pass(over: training, order, options.batchSize, progress: epoch) { batch, step in
        let result = try classifier.train(batch)
        if epoch == 1 && step == 0 { print("first step: cost \(Float(result.cost))") }
        return result
      }
      let seconds = Date().timeIntervalSince(start)
      let steps = (training.count + options.batchSize - 1) / options.batchSize
      accuracy = try pass(over: test, Array(0..<test.count), options.batchSize, progress: nil) { batch, _ in
        try classifier.evaluate(batch)
      }.accuracy
      print(
        String(
          format: "epoch %2d/%d  cost %.4f  accuracy %.4f  test %.4f  %.2f s  %.2f ms a step",
          epoch, options.epochs, cost, trained, accuracy, seconds, seconds / Double(steps) * 1000))
    }
    print(String(format: "test accuracy %.4f", accuracy))
  }

  /// Goes over the data in batches and gives the mean cost and the part of digits that were right.
  private static func pass(
    over data: DigitData, _ order: [Int], _ batchSize: Int, progress epoch: Int?,
    _ body: (_ batch: (images: Tensor, labels: Tensor), _ step: Int) throws -> (cost: Double, correct: Double)
  ) throws -> (cost: Double, accuracy: Double) {
    var (cost, correct) = (0.0, 0.0)
    let starts = Array(stride(from: 0, to: order.count, by: batchSize))
    for (step, start) in starts.enumerated() {
      let indices = order[start..<min(start + batchSize, order.count)]
      let result = try body(data.batch(indices), step)
      guard result.cost.isFinite else { throw Diverged(epoch: epoch ?? 0, step: step + 1) }
      cost += result.cost * Double(indices.count)
      correct += result.correct
      if let epoch {
        ProgressLine.show("epoch \(epoch): step \(step + 1) of \(starts.count), cost \(Float(result.cost))")
      }
    }
    ProgressLine.clear()
    return (cost / Double(order.count), correct / Double(order.count))
  }
}

/// The cost is no number any more.
private struct Diverged: Error, CustomStringConvertible {
  let epoch, step: Int
  var description: String {
    "the cost is no finite number in step \(step) of epoch \(epoch); try a smaller --learning-rate"
  }
}

/// A line that is overwritten on a terminal, and not written at all anywhere else.
private enum ProgressLine {
  private static let isTerminal = isatty(1) == 1

  static func show(_ text: String) { write("\r\u{1B}[K" + text) }

  static func clear() { write("\r\u{1B}[K") }

  private static func write(_ text: String) {
    guard isTerminal else { return }
    FileHandle.standardOutput.write(Data(text.utf8))
  }
}
