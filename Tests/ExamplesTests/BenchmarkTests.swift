import Foundation
import Testing

@Suite struct BenchmarkTests {
  static let example = ExampleProcess("reel-bench")

  /// The fields of the one line of JSON that a run prints.
  static func report(_ arguments: [String]) throws -> [String: Any] {
    let run = try example.run(arguments)
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.split(separator: "\n").count == 1, "\(run.output)")
    return try #require(JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
  }

  static let keys = ["form", "median_ms", "min_ms", "compile_ms", "peak_rss_mib", "threads", "isa", "iterations"]

  @Test(arguments: ["lstm", "lstm-gates", "lstm-norm", "gru", "rnn", "mgu"], ["loop", "unroll", "eager"])
  func aStepIsReported(cell: String, mode: String) throws {
    let report = try Self.report([
      "step", "--cell", cell, "--mode", mode, "--units", "8", "--batch", "4", "--time", "3", "--iterations", "2",
      "--threads", "1",
    ])
    for key in Self.keys + ["cell", "mode", "batch", "time", "input", "units"] {
      #expect(report[key] != nil, "\(key) in \(report)")
    }
    #expect(report["cell"] as? String == cell)
    #expect(report["units"] as? Int == 8)
    #expect(report["threads"] as? Int == 1)
    let (median, minimum) = (report["median_ms"] as? Double ?? 0, report["min_ms"] as? Double ?? 0)
    #expect(minimum > 0 && minimum <= median)
  }

  static let forms: [(arguments: [String], keys: [String])] = [
    (["eager"], ["forward_us", "forward_backward_us", "operations"]),
    (["stream", "--units", "4"], ["step_us", "sequence_us"]),
    (["length", "--time", "5", "--batch", "2", "--units", "4"], ["step_us", "memory_mib"]),
    (["product", "--m", "5", "--n", "6", "--k", "7", "--isa", "portable"], ["gflops", "gflops_one_thread"]),
  ]

  @Test(arguments: forms.indices)
  func theOtherFormsAreReported(index: Int) throws {
    let (arguments, keys) = Self.forms[index]
    let report = try Self.report(arguments + ["--iterations", "1"])
    for key in Self.keys + keys { #expect(report[key] != nil, "\(key) in \(report)") }
  }

  @Test(arguments: ["lstm", "gru", "rnn"])
  func masksAndDropoutAreReported(cell: String) throws {
    let options = ["--dropout", "0.1", "--recurrent-dropout", "0.2", "--activation", "softsign"]
    let report = try Self.report(
      [
        "step", "--mask", "--cell", cell, "--units", "4", "--batch", "3", "--time", "5", "--iterations", "1",
      ] + options + (cell == "rnn" ? [] : ["--implementation", "1"]))
    #expect(report["dropout"] as? Double == 0.1)
    #expect(report["recurrent_dropout"] as? Double == 0.2)
    #expect(report["activation"] as? String == "softsign")
    #expect(report["implementation"] as? Int == (cell == "rnn" ? 2 : 1))
    #expect(report["mask"] as? Bool == true)
  }

  @Test func fitIsReportedBesideTheBareStep() throws {
    let report = try Self.report([
      "fit", "--units", "4", "--batch", "3", "--time", "2", "--steps", "2", "--iterations", "2", "--threads", "1",
    ])
    for key in ["step_ms", "fit_ms", "fit_accuracy_ms", "ratio", "accuracy_ratio"] {
      #expect(report[key] as? Double ?? 0 > 0, "\(key) in \(report)")
    }
  }

  static let mistakes: [(arguments: [String], message: String)] = [
    ([], "the first argument is one of eager, fit, length, product, step, stream, and it is missing"),
    (["stop"], "not 'stop'"),
    (["step", "--batch", "0"], "--batch takes a positive whole number, not '0'"),
    (["step", "--cell", "qrnn"], "--cell takes one of lstm, lstm-gates, lstm-norm, gru, rnn, mgu, not 'qrnn'"),
    (["step", "--units"], "--units needs a value"),
    (["step", "--dropout", "1"], "--dropout takes a number from 0 to below 1, not '1'"),
    (["step", "--implementation", "3"], "--implementation takes a whole number from 1 to 2, not '3'"),
    (["step", "--cell", "mgu", "--dropout", "0.5"], "the cell mgu has no option --dropout"),
    (["step", "--cell", "rnn", "--implementation", "1"], "the cell rnn has no option --implementation"),
    (["eager", "--units", "4"], "unknown option '--units'"),
    (["step", "--batch", "1000000", "--time", "1000000"], "the sizes are too large"),
    (["step", "--isa", "abacus"], "not 'abacus'"),
  ]

  @Test(arguments: mistakes.indices)
  func aMistakeIsOneLineAndExitCodeOne(index: Int) throws {
    let (arguments, message) = Self.mistakes[index]
    try Self.example.expectMistake(arguments, message)
  }
}
