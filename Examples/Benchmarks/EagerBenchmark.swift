import ExampleSupport
import Reel

/// What one small operation costs on the tape: 1000 times tanh(y + w) on 8×8, forward, and forward and backward.
enum EagerBenchmark {
  private static let steps = 1000
  private static let operations = 2 * steps

  static func run(_ arguments: Arguments) throws -> Report {
    let iterations = try arguments.count("--iterations", default: 30)
    let x = Tensor.randomNormal([8, 8], key: RandomKey(seed: 1))
    let w = Tensor.randomNormal([8, 8], key: RandomKey(seed: 2))
    let chain = { (w: Tensor) in
      var y = x
      for _ in 0..<steps { y = tanh(y + w) }
      return y.sum()
    }
    let forward = Measurement(iterations: iterations) { _ = valueWithPullback(at: w, of: chain).value.item }
    let both = Measurement(iterations: iterations) { _ = valueWithGradient(at: w, of: chain).gradient.shape }
    var report = Report(both)
    report.add("forward_us", forward.median.microseconds / Double(operations))
    report.add("forward_backward_us", both.median.microseconds / Double(operations))
    report.add("operations", operations)
    report.add("iterations", iterations)
    return report
  }
}
