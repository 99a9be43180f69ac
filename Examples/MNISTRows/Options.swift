import ExampleSupport
import Reel

/// The options of the command line.
struct Options {
  enum Cell: String, CaseIterable { case lstm, gru, simple, mgu }
  enum Mode: String, CaseIterable { case compiled, eager }

  let data: String
  let epochs, units, batchSize: Int
  let cell: Cell
  var unroll: Unroll
  let learningRate: Double
  let seed: UInt64
  let mode: Mode
  let comparesUnroll: Bool
  /// Where a picture, a checkpoint go, and the checkpoint to go on from.
  let plot, save, resume: String?

  static let command = Command(
    "mnist-rows", "reads handwritten digits row by row",
    options: [
      .init(
        "--data", "DIR", "MNIST in IDX form, also gzipped (default: 4,000 + 500 digits that come with the example)"),
      .init("--epochs", "N", "passes over the training digits (default 20)"),
      .init("--units", "N", "size of the recurrent state (default 64)"),
      .init("--cell", "NAME", "lstm, gru, simple or mgu (default lstm)"),
      .init("--unroll", "LAYOUT", "never, full, or the number of steps in a block (default never)"),
      .init("--batch-size", "N", "digits in a step (default 128)"),
      .init("--learning-rate", "X", "of Adam (default 0.001)"),
      .init("--seed", "N", "of weights and shuffling (default 0)"),
      .init("--mode", "MODE", "compiled or eager (default compiled)"),
      .init("--plot", "FILE", "an SVG of the training, and one of the confusion matrix beside it"),
      .init("--save", "FILE", "a checkpoint that is replaced after each epoch"),
      .init("--resume", "FILE", "the checkpoint to go on from; --epochs counts those before it too"),
      .init("--compare-unroll", "trains with a loop and with all steps written out, and shows both side by side"),
    ])

  /// - Throws: ``Arguments/Problem`` for a value that is not one of its kind.
  init(_ arguments: Arguments) throws {
    data = arguments.text("--data") ?? DigitData.bundledDirectory
    epochs = try arguments.count("--epochs", default: 20)
    units = try arguments.count("--units", default: 64)
    batchSize = try arguments.count("--batch-size", default: 128)
    cell = try arguments.choice("--cell", default: .lstm)
    unroll = try arguments.unroll()
    learningRate = try arguments.positive("--learning-rate", default: 0.001)
    seed = try arguments.seed()
    mode = try arguments.choice("--mode", default: .compiled)
    plot = try arguments.newFile("--plot")
    save = try arguments.newFile("--save")
    resume = arguments.text("--resume")
    comparesUnroll = arguments.has("--compare-unroll")
    for other in ["--unroll", "--mode", "--save", "--resume"] where comparesUnroll && arguments.has(other) {
      throw Arguments.Problem(description: "--compare-unroll trains two models of its own, without \(other)")
    }
    try Arguments.requireModest(units, 4 * units)
  }
}
