import Foundation
import Testing

/// Runs the example as a person would, from the folder the build puts it in.
@Suite struct MNISTRowsTests {
  struct Run {
    let status: Int32
    let output: String
    let errors: String
  }

  static let program = Bundle.allBundles.map(\.bundleURL).first { $0.pathExtension == "xctest" }?
    .deletingLastPathComponent().appendingPathComponent("mnist-rows")
    ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent("mnist-rows")

  static func run(_ arguments: String...) throws -> Run {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    let errorText = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Run(
      status: process.terminationStatus, output: String(decoding: text, as: UTF8.self),
      errors: String(decoding: errorText, as: UTF8.self))
  }

  @Test func learnsInOneEpoch() throws {
    let run = try Self.run("--epochs", "1", "--units", "24", "--batch-size", "100", "--learning-rate", "0.01")
    #expect(run.status == 0, "\(run.errors)")
    let last = try #require(run.output.split(separator: "\n").last)
    let accuracy = try #require(last.firstMatch(of: /^test accuracy (0\.\d{4})$/))
    #expect(try #require(Double(accuracy.1)) > 0.3)
  }

  @Test func everyLayoutPrintsTheSameFirstCost() throws {
    let lines = try ["never", "full", "5"].map { unroll in
      let run = try Self.run("--epochs", "1", "--units", "4", "--batch-size", "4000", "--unroll", unroll)
      return try #require(run.output.split(separator: "\n").first { $0.hasPrefix("first step: cost") }, "\(run.errors)")
    }
    #expect(Set(lines).count == 1, "\(lines)")
  }

  static let mistakes: [(arguments: [String], message: String)] = [
    (["--epochs", "0"], "--epochs takes a positive whole number, not '0'"),
    (["--cell", "rnn"], "--cell takes one of lstm, gru, simple, mgu, not 'rnn'"),
    (["--unroll", "sometimes"], "--unroll takes never, full or a positive whole number, not 'sometimes'"),
    (["--learning-rate", "-1"], "--learning-rate takes a positive number, not '-1'"),
    (["--seed"], "--seed needs a value"),
    (["--speed", "9"], "unknown option '--speed'"),
    (["--data", "/no/such/folder"], "train-images-idx3-ubyte: no such file"),
  ]

  @Test(arguments: mistakes.indices)
  func aMistakeIsOneLineAndExitCodeOne(index: Int) throws {
    let (arguments, message) = Self.mistakes[index]
    let process = try Self.run(arguments)
    #expect(process.status == 1)
    #expect(process.errors.contains(message), "\(process.errors)")
    #expect(process.errors.split(separator: "\n").count == 1)
  }

  static func run(_ arguments: [String]) throws -> Run {
    switch arguments.count {
    case 1: try run(arguments[0])
    default: try run(arguments[0], arguments[1])
    }
  }
}
