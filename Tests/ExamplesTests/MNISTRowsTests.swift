import Testing

@Suite struct MNISTRowsTests {
  static let example = ExampleProcess("mnist-rows")

  @Test func learnsInOneEpoch() throws {
    let run = try Self.example.run("--epochs", "1", "--units", "24", "--batch-size", "100", "--learning-rate", "0.01")
    #expect(run.status == 0, "\(run.errors)")
    let last = try #require(run.output.split(separator: "\n").last)
    let accuracy = try #require(last.firstMatch(of: /^test accuracy (0\.\d{4})$/))
    #expect(try #require(Double(accuracy.1)) > 0.3)
  }

  @Test func everyLayoutPrintsTheSameFirstCost() throws {
    let lines = try ["never", "full", "5"].map { unroll in
      let run = try Self.example.run("--epochs", "1", "--units", "4", "--batch-size", "4000", "--unroll", unroll)
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
    try Self.example.expectMistake(arguments, message)
  }
}
