import ExampleSupport
import Reel
import ReelNN

/// Time and memory of an LSTM's gradient along a long sequence, as one symbolic loop. The memory is above the start of the
/// program, so that the sequence itself, whose size is reported beside it, counts.
enum LengthBenchmark {
  static func run(_ arguments: Arguments) throws -> Report {
    let time = try arguments.count("--time", default: 1000)
    let batch = try arguments.count("--batch", default: 32)
    let input = try arguments.count("--input", default: 28)
    let units = try arguments.count("--units", default: 64)
    let iterations = try arguments.count("--iterations", default: 3)
    let every = arguments.has("--checkpoint-every") ? try arguments.count("--checkpoint-every", default: 1) : nil
    let memory: LoopMemory =
      arguments.has("--memory") ? .atMost(try arguments.count("--memory", default: 1) << 20) : .unlimited
    try Arguments.requireModest(batch, time, max(input, 4 * units))

    let start = Memory.peak
    let cell = LSTMCell(units)
    let step = compiled { (xs: Tensor) in
      let gradients = valueWithGradient(of: cell) {
        scan(
          over: xs.transposed([1, 0, 2]), from: cell.initialState(batchSize: batch), checkpointEvery: every,
          memory: memory
        ) { state, x in
          (cell(x, state).state, Empty())
        }.state.hidden.sum()
      }.gradients
      return gradients.parameters.compactMap { gradients[$0.parameter] }
    }
    // A long sequence repeats a short one: drawing random numbers takes several times the memory of the result.
    let period = Tensor.random([batch, min(time, 100), input])
    let repeated = concatenated(Array(repeating: period, count: (time + 99) / 100), along: 1)
    let xs = repeated.shape[1] == time ? repeated : repeated.sliced(0..<time, along: 1)
    let measurement = try Measurement(iterations: iterations) { _ = try step(xs) }

    var report = Report(measurement)
    report.add("step_us", measurement.median.microseconds / Double(time))
    report.add("memory_mib", Memory.peak - start)
    report.add("sequence_mib", Double(xs.count * 4) / 1_048_576)
    for (name, value) in [("batch", batch), ("time", time), ("input", input), ("units", units)] {
      report.add(name, value)
    }
    report.add("iterations", iterations)
    return report
  }
}
