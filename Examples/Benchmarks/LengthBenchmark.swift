import Reel
import ReelNN

/// Time and memory of an LSTM's gradient along a long sequence, as one symbolic loop.
enum LengthBenchmark {
  static func run(_ arguments: Arguments) throws -> Report {
    if arguments.has("--checkpoint-every") {
      _ = try arguments.count("--checkpoint-every", default: 1)
      throw Arguments.Problem(description: "--checkpoint-every: the library cannot recompute the steps of a loop yet")
    }
    let time = try arguments.count("--time", default: 1000)
    let batch = try arguments.count("--batch", default: 32)
    let input = try arguments.count("--input", default: 28)
    let units = try arguments.count("--units", default: 64)
    let iterations = try arguments.count("--iterations", default: 3)
    try Arguments.requireModest(batch, time, max(input, 4 * units))

    let start = Memory.peak
    let layer = LSTM(units)
    let step = compiled { (xs: Tensor) in
      let gradients = valueWithGradient(of: layer) { layer(xs).sum() }.gradients
      return gradients.parameters.compactMap { gradients[$0.parameter] }
    }
    let xs = Tensor.random([batch, time, input])
    let measurement = try Measurement(iterations: iterations) { _ = try step(xs) }

    var report = Report(measurement)
    report.add("step_us", measurement.median.microseconds / Double(time))
    report.add("memory_mib", Memory.peak - start)
    for (name, value) in [("batch", batch), ("time", time), ("input", input), ("units", units)] {
      report.add(name, value)
    }
    report.add("iterations", iterations)
    return report
  }
}
