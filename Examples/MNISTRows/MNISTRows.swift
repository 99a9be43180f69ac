// Reads handwritten digits row by row with a recurrent network: the main job of the project.

import ExampleSupport
import Foundation
import Reel
import ReelNN

@main
enum MNISTRows {
  static func main() {
    Options.command.run { arguments in
      let options = try Options(arguments)
      let training = try DigitData("train", in: options.data)
      let test = try DigitData("t10k", in: options.data)
      try Arguments.requireModest(min(options.batchSize, training.count), training.images.shape[1], 4 * options.units)
      let single = options.comparesUnroll ? nil : try RowTraining(options, training: training, test: test)
      let unroll = options.comparesUnroll ? "never and full" : "\(options.unroll)"
      print(
        """
        \(training.count) training and \(test.count) test digits, each \(training.images.shape[1]) rows \
        of \(training.images.shape[2])
        \(options.cell.rawValue) of \(options.units) units, unroll \(unroll), batch \(options.batchSize), \
        Adam \(options.learningRate), seed \(options.seed), \(options.mode.rawValue)
        """)
      let (model, reporter) =
        try single.map(run) ?? Layouts.compare(options, training: training, test: test)
      let confusion = model.confusion()
      print("\n\(ConfusionTable(confusion))\n")
      if let plot = options.plot { try Pictures(reporter, confusion).write(to: plot) }
      print(String(format: "test accuracy %.4f", reporter.epochs.last?.test ?? .nan))
    }
  }

  private static func run(_ model: RowTraining) throws -> (RowTraining, EpochReporter) {
    let reporter = EpochReporter()
    try model.run(reporter)
    return (model, reporter)
  }
}
