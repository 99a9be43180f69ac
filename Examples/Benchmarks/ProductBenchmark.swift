import ExampleSupport
import Foundation
import Reel

/// One product of matrices, `[m, k] · [k, n]`, through a compiled function: on all threads, and on one.
enum ProductBenchmark {
  static func run(_ arguments: Arguments) throws -> Report {
    let m = try arguments.count("--m", default: 128)
    let n = try arguments.count("--n", default: 256)
    let k = try arguments.count("--k", default: 64)
    let iterations = try arguments.count("--iterations", default: 200)
    try Arguments.requireModest(m, k)
    try Arguments.requireModest(k, n)
    try Arguments.requireModest(m, n)
    let single = arguments.text("--threads") == "1" ? nil : try onOneThread()

    let (a, b) = (Tensor.random([m, k]), Tensor.random([k, n]))
    let product = compiled { (a: Tensor, b: Tensor) in a.matmul(b) }
    let measurement = try Measurement(iterations: iterations) { _ = try product(a, b) }
    let rate = 2 * Double(m) * Double(n) * Double(k) / measurement.median.microseconds / 1000

    var report = Report(measurement)
    report.add("gflops", rate)
    report.add("gflops_one_thread", single ?? rate)
    for (name, value) in [("m", m), ("n", n), ("k", k), ("iterations", iterations)] { report.add(name, value) }
    return report
  }

  /// The rate that this program reports with one thread. A process has one number of threads for its life, so this takes
  /// another one.
  private static func onOneThread() throws -> Double {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Bundle.main.executablePath ?? CommandLine.arguments[0])
    process.arguments = CommandLine.arguments.dropFirst() + ["--threads", "1"]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard let fields = try? JSONSerialization.jsonObject(with: text) as? [String: Any],
      let rate = fields["gflops"] as? Double
    else { throw Arguments.Problem(description: "the run with one thread gave no figure") }
    return rate
  }
}
