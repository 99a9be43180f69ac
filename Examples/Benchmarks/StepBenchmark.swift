import ExampleSupport
import Reel
import ReelNN

/// A whole training step of the row classifier: forward, backward, and the update of Adam.
struct StepBenchmark {
  enum Mode: String, CaseIterable {
    /// Compiled, with the sequence as one symbolic loop.
    case loop
    /// Compiled, with a copy of the cell for every step.
    case unroll
    /// On the tape, operation by operation.
    case eager
  }

  private let cell: CellName
  private let options: CellOptions
  private let mode: Mode
  private let batch, time, input, units, iterations: Int
  private let isForwardOnly, isMasked: Bool

  init(_ arguments: Arguments) throws {
    cell = try arguments.choice("--cell", default: .lstm)
    options = try CellOptions(arguments, for: cell)
    mode = try arguments.choice("--mode", default: .loop)
    batch = try arguments.count("--batch", default: 128)
    time = try arguments.count("--time", default: 28)
    input = try arguments.count("--input", default: 28)
    units = try arguments.count("--units", default: 64)
    iterations = try arguments.count("--iterations", default: 60)
    isForwardOnly = arguments.has("--forward-only")
    isMasked = arguments.has("--mask")
    try Arguments.requireModest(batch, time, max(input, 4 * units))
    try Arguments.requireModest(max(input, units), 4 * units)
  }

  func run() throws -> Report {
    let model = model(cell.cell(units: units, options))
    let adam = Adam()
    let images = isMasked ? masked(.random([batch, time, input])) : .random([batch, time, input])
    let labels = Tensor((0..<batch).map { Int32($0 % 10) })
    let train = { (images: Tensor, labels: Tensor) in
      let (loss, gradients) = valueWithGradient(of: model) {
        softmaxCrossEntropy(logits: model(images), labels: labels)
      }
      adam.update(model, along: gradients)
      return loss
    }
    let function = isForwardOnly ? { images, _ in model(images) } : train
    let step = compiled(function)
    let measurement = try Measurement(iterations: iterations) {
      _ = mode == .eager ? function(images, labels) : try step(images, labels)
    }
    var report = Report(measurement)
    report.add("cell", cell.rawValue)
    report.add("mode", mode.rawValue)
    options.add(to: &report)
    report.add("mask", isMasked)
    report.add("forward_only", isForwardOnly)
    for (name, value) in [("batch", batch), ("time", time), ("input", input), ("units", units)] {
      report.add(name, value)
    }
    report.add("iterations", iterations)
    report.add("parameters", model.parameterCount)
    return report
  }

  /// Sequences of different lengths, from half of the steps to all.
  private func masked(_ images: Tensor) -> Tensor {
    images.withMask(lengths: Tensor((0..<batch).map { Int32(time - $0 % (time / 2 + 1)) }))
  }

  private func model<Cell: RecurrentCell>(_ cell: Cell) -> Sequential {
    Sequential {
      RNN(cell, unroll: mode == .loop ? .never : .full)
      Dense(10)
    }
  }
}
