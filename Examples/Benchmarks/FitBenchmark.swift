import ExampleSupport
import Foundation
import Reel
import ReelNN

/// What `fit` costs beside the bare compiled step that it runs, on the row classifier: both in turn, epoch by epoch.
struct FitBenchmark {
  private let cell: CellName
  private let batch, time, input, units, steps, iterations: Int

  init(_ arguments: Arguments) throws {
    cell = try arguments.choice("--cell", default: .lstm)
    batch = try arguments.count("--batch", default: 128)
    time = try arguments.count("--time", default: 28)
    input = try arguments.count("--input", default: 28)
    units = try arguments.count("--units", default: 64)
    steps = try arguments.count("--steps", default: 32)
    iterations = try arguments.count("--iterations", default: 20)
    try Arguments.requireModest(batch * steps, time, input)
    try Arguments.requireModest(batch, time, 4 * units)
  }

  func run() throws -> Report {
    let images = Tensor.random([batch * steps, time, input])
    let labels = Tensor((0..<batch * steps).map { Int32($0 % 10) })
    let bare = try bareEpoch(images, labels)
    let plain = try fittedEpoch(images, labels, metrics: [])
    let measured = try fittedEpoch(images, labels, metrics: [.accuracy()])
    var times: [[Double]] = [[], [], []]
    for round in 0...iterations {
      for (index, epoch) in [bare, plain, measured].enumerated() {
        let time = try ContinuousClock().measure(epoch).milliseconds / Double(steps)
        // The first round records, and gets its memory.
        if round > 0 { times[index].append(time) }
      }
    }
    let medians = times.map { $0.sorted()[$0.count / 2] }
    // The rounds are compared one by one: what else the machine does is much the same for all of one round.
    func ratio(_ index: Int) -> Double { zip(times[index], times[0]).map(/).sorted()[iterations / 2] }
    var report = Report()
    report.add("step_ms", medians[0])
    report.add("fit_ms", medians[1])
    report.add("fit_accuracy_ms", medians[2])
    report.add("ratio", ratio(1))
    report.add("accuracy_ratio", ratio(2))
    report.add("cell", cell.rawValue)
    for (name, value) in [("batch", batch), ("time", time), ("input", input), ("units", units), ("steps", steps)] {
      report.add(name, value)
    }
    report.add("iterations", iterations)
    return report
  }

  /// An epoch of the step that `reel-bench step` measures, on batches that are there already.
  private func bareEpoch(_ images: Tensor, _ labels: Tensor) throws -> () throws -> Void {
    let model = network()
    let adam = Adam()
    let step = compiled { (images: Tensor, labels: Tensor) in
      let (loss, gradients) = valueWithGradient(of: model) {
        softmaxCrossEntropy(logits: model(images), labels: labels)
      }
      adam.update(model, along: gradients)
      return loss
    }
    let batches = (0..<steps).map { index in
      let range = index * batch..<(index + 1) * batch
      return (images[range], labels[range])
    }
    return { for (images, labels) in batches { _ = try step(images, labels) } }
  }

  private func fittedEpoch(_ images: Tensor, _ labels: Tensor, metrics: [Metric]) throws -> () throws -> Void {
    let model = network().compile(
      optimizer: Adam(), loss: .sparseCategoricalCrossEntropy(fromLogits: true), metrics: metrics)
    return { try model.fit(images, labels, batchSize: batch, verbose: 0) }
  }

  private func network() -> Sequential {
    func layer<Cell: RecurrentCell>(_ cell: Cell) -> any Layer<Tensor, Tensor> { RNN(cell) }
    return Sequential([layer(cell.cell(units: units)), Dense(10)])
  }
}
