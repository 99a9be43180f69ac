import Foundation
import Reel

/// A training with a symbolic loop beside one in which every step of the sequence is written out.
enum Layouts {
  static func compare(
    _ options: Options, training: DigitData, test: DigitData
  ) throws -> (RowTraining, EpochReporter) {
    let runs = try [Unroll.never, .full].map { unroll in
      var options = options
      options.unroll = unroll
      let model = try RowTraining(options, training: training, test: test)
      let reporter = EpochReporter(isSilent: true)
      try model.run(reporter)
      return (model, reporter)
    }
    show(runs.map(\.1))
    return runs[0]
  }

  private static func show(_ runs: [EpochReporter]) {
    func row(_ title: String, _ texts: [String]) {
      let cells = texts.map { $0.padding(toLength: 26, withPad: " ", startingAt: 0) }.joined()
      print((title.padding(toLength: 14, withPad: " ", startingAt: 0) + cells).trimmingCharacters(in: .whitespaces))
    }
    print("")
    print(
      String(repeating: " ", count: 14) + "a loop (never)".padding(toLength: 26, withPad: " ", startingAt: 0)
        + "written out (full)")
    row("first step", runs.map { String(format: "cost %.6f", $0.firstCost ?? .nan) })
    row("which took", runs.map { String(format: "%.0f ms with all passes", $0.firstSeconds * 1000) })
    for epoch in runs[0].epochs.indices {
      row(
        "epoch \(epoch + 1)",
        runs.map { String(format: "cost %.4f, test %.4f", $0.epochs[epoch].cost, $0.epochs[epoch].test) })
    }
    row("a step", runs.map { String(format: "%.2f ms", stepTime($0) * 1000) })
    print("the first costs have the same bits: \(runs[0].firstCost == runs[1].firstCost)")
  }

  /// Seconds a step, without the first of all.
  private static func stepTime(_ run: EpochReporter) -> Double {
    let steps = run.epochs.reduce(0) { $0 + $1.steps } - 1
    return (run.epochs.reduce(0) { $0 + $1.seconds } - run.firstSeconds) / Double(max(steps, 1))
  }
}
