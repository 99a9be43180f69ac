import ReelTestSupport
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

  static let short = ["--units", "8", "--batch-size", "200"]

  @Test func aRunThatIsResumedEndsAsOneThatNeverStopped() throws {
    try withFolder { folder in
      let whole = try Self.example.run(Self.short + ["--epochs", "2"])
      let first = try Self.example.run(Self.short + ["--epochs", "1", "--save", "\(folder)/run"])
      let second = try Self.example.run(Self.short + ["--epochs", "2", "--resume", "\(folder)/run"])
      #expect(first.status == 0 && second.status == 0, "\(first.errors)\(second.errors)")
      func ending(_ run: ExampleProcess.Run) -> [Substring] {
        Array(run.output.split(separator: "\n").drop { !$0.hasPrefix("confusion matrix") })
      }
      #expect(ending(whole).count == 13 && ending(second) == ending(whole), "\(second.output)")
      try Self.example.expectMistake(
        ["--units", "9", "--epochs", "2", "--resume", "\(folder)/run"], "lstm.kernel")
      try Self.example.expectMistake(
        Self.short + ["--epochs", "1", "--resume", "\(folder)/run"], "has 1 epochs already")
    }
  }

  @Test func bothLayoutsStandSideBySide() throws {
    try withFolder { folder in
      let run = try Self.example.run(Self.short + ["--epochs", "1", "--compare-unroll", "--plot", "\(folder)/run.svg"])
      #expect(run.status == 0, "\(run.errors)")
      #expect(run.output.contains("the first costs have the same bits: true"))
      let costs = try #require(run.output.firstMatch(of: /epoch 1 +cost (\S+), test \S+ +cost (\S+), test/))
      #expect(costs.output.1 == costs.output.2)
      for name in ["run", "run-confusion"] { try expectPicture("\(folder)/\(name).svg") }
    }
  }

  @Test func theTapeTrainsAsTheCompiledStep() throws {
    let runs = try ["compiled", "eager"].map { mode in
      try Self.example.run(Self.short + ["--epochs", "1", "--mode", mode]).output
    }
    let first = runs.map { $0.split(separator: "\n").first { $0.hasPrefix("first step: cost") } }
    #expect(first[0] != nil && first[0] == first[1], "\(runs)")
    // Sums of gradients may be in another order: a digit or two may fall otherwise.
    let accuracies = try runs.map { try TutorialTests.number(after: "test accuracy", in: $0) }
    #expect(abs(accuracies[0] - accuracies[1]) <= 0.01, "\(accuracies)")
  }

  @Test func thePageShowsTheCode() throws {
    try expectBlocks(of: "Docs/Tutorials/MNISTRows.md", from: "Examples/MNISTRows")
  }

  static let mistakes: [(arguments: [String], message: String)] = [
    (["--epochs", "0"], "--epochs takes a positive whole number, not '0'"),
    (["--cell", "rnn"], "--cell takes one of lstm, gru, simple, mgu, not 'rnn'"),
    (["--unroll", "sometimes"], "--unroll takes never, full or a positive whole number, not 'sometimes'"),
    (["--learning-rate", "-1"], "--learning-rate takes a positive number, not '-1'"),
    (["--seed"], "--seed needs a value"),
    (["--speed", "9"], "unknown option '--speed'"),
    (["--data", "/no/such/folder"], "train-images-idx3-ubyte: no such file"),
    (["--plot", "/no/such/folder/a.svg"], "--plot: there is no folder /no/such/folder"),
    (["--save", "/no/such/folder/run"], "--save: there is no folder /no/such/folder"),
    (["--resume", "/no/such/file"], "/no/such/file: no such file"),
    (["--compare-unroll", "--mode", "eager"], "--compare-unroll trains two models of its own, without --mode"),
    (["--units", "100000000"], "the sizes are too large"),
  ]

  @Test(arguments: mistakes.indices)
  func aMistakeIsOneLineAndExitCodeOne(index: Int) throws {
    let (arguments, message) = Self.mistakes[index]
    try Self.example.expectMistake(arguments, message)
  }
}
