// Times Reel on the work of recurrent networks; compare.py sets the figures beside those of other frameworks.

import ExampleSupport
import Foundation
import Reel

@main
enum ReelBench {
  /// What can be measured: its options, and what runs it.
  private struct Form: Sendable {
    let options: [String]
    var flags: [String] = []
    let run: @Sendable (Arguments) throws -> Report
  }

  private static let forms: [String: Form] = [
    "step": Form(
      options: ["--cell", "--mode", "--batch", "--time", "--input", "--units", "--iterations"] + CellOptions.names,
      flags: ["--forward-only", "--mask"],
      run: { try StepBenchmark($0).run() }),
    "fit": Form(
      options: ["--cell", "--batch", "--time", "--input", "--units", "--steps", "--iterations"],
      run: { try FitBenchmark($0).run() }),
    "eager": Form(options: ["--iterations"], run: { try EagerBenchmark.run($0) }),
    "stream": Form(
      options: ["--cell", "--time", "--input", "--units", "--iterations"], run: { try StreamBenchmark($0).run() }),
    "length": Form(
      options: ["--time", "--batch", "--input", "--units", "--checkpoint-every", "--memory", "--iterations"],
      run: { try LengthBenchmark.run($0) }),
    "product": Form(options: ["--m", "--n", "--k", "--iterations"], run: { try ProductBenchmark.run($0) }),
  ]

  private static let usage = """
    usage: reel-bench FORM [options]     prints one line of JSON
      step                    a training step of the row classifier: forward, backward, Adam
        --cell NAME           lstm, lstm-gates, lstm-norm, gru, rnn or mgu (default lstm)
        --mode MODE           loop, unroll or eager (default loop)
        --batch N --time N --input N --units N    (default 128, 28, 28, 64)
        --forward-only        the logits alone
        --mask                sequences of different lengths
        --dropout P --recurrent-dropout P         of lstm, gru and rnn (default 0)
        --activation NAME     of the candidate of lstm, gru and rnn (default tanh)
        --implementation N    of lstm and gru: 2 for one product for all gates, 1 for one each (default 2)
      fit                     an epoch of the row classifier through fit, beside the bare step, in turn
        --cell NAME --batch N --time N --input N --units N    (as above)
        --steps N             batches of an epoch (default 32)
      eager                   1000 times tanh(y + w) on 8×8, recorded on the tape: microseconds an operation
      stream                  one step at batch 1 with its state carried by the caller, and one call for a sequence
        --cell NAME --time N --input N --units N  (default lstm, 28, 28, 64)
      length                  an LSTM's gradient along a long sequence: time, and memory above the start
        --time N --batch N --input N --units N    (default 1000, 32, 28, 64)
        --checkpoint-every N  keep every N-th state only
        --memory MIB          keep states at distances for which the reverse needs so much
      product                 one product of matrices, on one thread and on all
        --m N --n N --k N     (default 128, 256, 64)
    with every form:
      --iterations N          calls that are measured
      --threads N             as REEL_THREADS does (default: the number of cores)
      --isa NAME              as REEL_ISA does (default: the best there is)
    """

  static func main() {
    let arguments = Array(CommandLine.arguments.dropFirst())
    if arguments.contains("--help") {
      print(usage)
      return
    }
    Command.exitingOnFailure(of: "reel-bench") { print(try report(arguments)) }
  }

  private static func report(_ arguments: [String]) throws -> Report {
    guard let name = arguments.first, let form = forms[name] else {
      let found = arguments.first.map { "not '\($0)'" } ?? "and it is missing"
      throw Arguments.Problem(
        description: "the first argument is one of \(forms.keys.sorted().joined(separator: ", ")), \(found)")
    }
    let options = try Arguments(
      Array(arguments.dropFirst()), options: form.options + ["--threads", "--isa"], flags: form.flags)
    try configureRuntime(options)
    seedRandomness(0)
    var report = try form.run(options)
    report.insert("form", name)
    report.add("threads", Runtime.threadCount)
    report.add("isa", Runtime.instructionSet)
    report.add("peak_rss_mib", Memory.peak)
    return report
  }

  /// Sets what Reel reads from the environment once, at its first operation: nothing of it has run yet.
  private static func configureRuntime(_ options: Arguments) throws {
    if options.has("--threads") {
      setenv("REEL_THREADS", "\(try options.count("--threads", default: 1, atMost: 256))", 1)
    }
    if let name = options.text("--isa") {
      let supported = Runtime.supportedInstructionSets
      guard supported.contains(name) else {
        let names = supported.joined(separator: ", ")
        throw Arguments.Problem(description: "--isa takes one of \(names) on this machine, not '\(name)'")
      }
      setenv("REEL_ISA", name, 1)
    }
  }
}
