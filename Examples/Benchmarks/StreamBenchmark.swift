import ExampleSupport
import Reel
import ReelNN

/// Latency at batch 1: one step of a cell whose state the caller carries, and one call of the layer for a sequence.
struct StreamBenchmark {
  private let cell: CellName
  private let time, input, units, iterations: Int

  init(_ arguments: Arguments) throws {
    cell = try arguments.choice("--cell", default: .lstm)
    time = try arguments.count("--time", default: 28)
    input = try arguments.count("--input", default: 28)
    units = try arguments.count("--units", default: 64)
    iterations = try arguments.count("--iterations", default: 300)
    try Arguments.requireModest(time, max(input, 4 * units))
    try Arguments.requireModest(max(input, units), 4 * units)
  }

  func run() throws -> Report { try run(cell.cell(units: units)) }

  private func run<Cell: RecurrentCell>(_ cell: Cell) throws -> Report {
    let step = compiled { (x: Tensor, state: Cell.State) in
      let (output, next) = cell(x, state)
      return Pair(output, next)
    }
    let x = Tensor.random([1, input])
    var state = cell.initialState(batchSize: 1)
    let one = try Measurement(iterations: iterations) { state = try step(x, state).second }

    let layer = RNN(cell)
    let sequence = compiled { (x: Tensor) in layer(x) }
    let xs = Tensor.random([1, time, input])
    let whole = try Measurement(iterations: iterations) { _ = try sequence(xs) }

    var report = Report(one)
    report.add("step_us", one.median.microseconds)
    report.add("sequence_us", whole.median.microseconds)
    report.add("sequence_compile_ms", whole.compilation.milliseconds)
    report.add("cell", self.cell.rawValue)
    for (name, value) in [("time", time), ("input", input), ("units", units)] { report.add(name, value) }
    report.add("iterations", iterations)
    return report
  }
}
