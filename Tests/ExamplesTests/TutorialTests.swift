import Foundation
import ReelTestSupport
import Testing

/// The tutorials: what they print, what their pages show, and what they say to mistakes.
@Suite struct TutorialTests {
  static func output(_ name: String, _ arguments: String...) throws -> String {
    let run = try ExampleProcess(name).run(arguments)
    #expect(run.status == 0, "\(run.errors)")
    return run.output
  }

  /// The number behind some words, at their last occurrence.
  static func number(after words: String, in output: String) throws -> Double {
    let place = try #require(output.range(of: words, options: .backwards), "'\(words)' in\n\(output)")
    let text = output[place.upperBound...].drop { $0 == " " }.prefix { $0.isNumber || $0 == "." || $0 == "-" }
    return try #require(Double(text), "a number after '\(words)' in\n\(output)")
  }

  @Test func everyShapeIsThatOfThePage() throws {
    let page = "Docs/Tutorials/LSTMShapes.md"
    try expectBlocks(of: page, from: "Examples/LSTMShapes")
    let output = try Self.output("lstm-shapes")
    try expectOutput(output, on: page)
    #expect(!output.contains("false"))
    #expect(
      try Self.output("lstm-shapes", "--batch", "2", "--units", "5", "--features", "3").contains(
        "[2,25,5]  [2,5]  [2,5]"))
  }

  @Test func aWordIsLearned() throws {
    let page = "Docs/Tutorials/CharacterRNN.md"
    try expectBlocks(of: page, from: "Examples")
    let output = try Self.output("hello-rnn")
    try expectOutput(output, on: page)
    #expect(output.hasSuffix("It spells 'hello'.\n"))
    #expect(try Self.output("hello-rnn", "--epochs", "1").contains("It has not learned the word"))
  }

  @Test func aCharacterModelLearnsAndWritesTheSameAgain() throws {
    try withFolder { folder in
      let text = String(repeating: "abcabcabd ", count: 40)
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/text"))
      let settings = [
        "--text", "\(folder)/text", "--units", "12", "--batch", "4", "--steps", "10", "--learning-rate", "0.03",
        "--length",
        "20", "--temperature", "0.1", "--begin", "abc",
      ]
      let program = ExampleProcess("char-rnn")
      let first = try program.run(settings + ["--epochs", "60", "--save", "\(folder)/weights"])
      #expect(first.status == 0, "\(first.errors)")
      #expect(try Self.number(after: "accuracy", in: first.output) > 0.9)
      #expect(first.output.contains("\n\nabcabcabd abcabc"), "\(first.output)")
      // The weights that were saved go on where they were.
      let second = try program.run(
        settings + ["--epochs", "1", "--learning-rate", "0.0001", "--load", "\(folder)/weights"])
      #expect(try Self.number(after: "accuracy", in: second.output) > 0.9)
      try program.expectMistake(["--text", "\(folder)/none"], "\(folder)/none: cannot be read")
      try program.expectMistake(["--text", "\(folder)/text", "--steps", "500"], "too few for 8 streams of 500 steps")
      try program.expectMistake(["--load", "\(folder)/none"], "\(folder)/none: no such file")
    }
  }

  @Test func theCellIsCheckedAndTimed() throws {
    try expectBlocks(of: "Docs/Tutorials/CustomCell.md", from: "Examples/CustomCell")
    let output = try Self.output("custom-cell", "--units", "8", "--batch", "4", "--time", "5", "--steps", "3")
    let verdicts = output.matches(of: /(?m)^[12] +\w+ .*agrees$/)
    #expect(verdicts.count == 10, "\(output)")
    #expect(output.contains("the same bits true"))
    for name in ["ForgetGateCell(8)", "LSTM(8)"] { #expect(try Self.number(after: "  \(name)", in: output) > 0) }
  }

  @Test func theWeatherIsForetoldByNetworksOfKerasSize() throws {
    let page = "Docs/Tutorials/StackedRNN.md"
    try expectBlocks(of: page, from: "Examples/StackedRNN")
    try withFolder { folder in
      let output = try Self.output("stacked-rnn", "--hours", "600", "--epochs", "8", "--plot", "\(folder)/forecast.svg")
      // The counts of Keras 3.15, layer by layer.
      for count in ["1,472", "4,800", "98,432", "129", "1,952", "7,872", "10,992", "147,712", "257"] {
        #expect(output.contains(" \(count) │"), "\(count)")
      }
      #expect(output.contains("Total params: 104,833 ") && output.contains("Total params: 168,785 "))
      let now = try Self.number(after: "as it is now", in: output)
      for network in ["LSTM, GRU  ", "convolution, two ways"] {
        #expect(try Self.number(after: network, in: output) < now, "\(network)")
      }
      try expectPicture("\(folder)/forecast.svg")
    }
  }

  static let mistakes: [(program: String, arguments: [String], message: String)] = [
    ("lstm-shapes", ["--batch", "0"], "--batch takes a positive whole number, not '0'"),
    ("lstm-shapes", ["--time", "1000000", "--batch", "1000000"], "the sizes are too large"),
    ("lstm-shapes", ["many"], "unknown option 'many'"),
    ("bidirectional-states", ["--weights", "1"], "unknown option '--weights'"),
    ("bidirectional-states", ["--weight", "nan"], "--weight takes a positive number, not 'nan'"),
    ("next-number", ["--part", "nine"], "--part takes one of rows, stopping, deep, windows, scaled, all, not 'nine'"),
    ("next-number", ["--plot", "/no/such/folder/a.svg"], "--plot: there is no folder /no/such/folder"),
    ("stacked-rnn", ["--hours", "30"], "--hours 30 is too short for ten windows of 24 hours and 6 ahead"),
    ("stacked-rnn", ["--plot", "/"], "--plot takes the name of a file, not '/'"),
    ("stacked-rnn", ["--window", "1"], "--window takes two hours at least"),
    ("hello-rnn", ["--units", "5000"], "--units takes a whole number from 1 to 4096, not '5000'"),
    ("hello-rnn", ["--letters", "9"], "unknown option '--letters'"),
    ("hello-rnn", ["--word", "a"], "--word takes two characters at least"),
    ("char-rnn", ["--begin", "§"], "'§' is not known"),
    ("char-rnn", ["--units", "10000", "--layers", "100"], "the sizes are too large"),
    ("char-rnn", ["--text", "/no/such/file"], "/no/such/file: cannot be read"),
    ("char-rnn", ["--begin", ""], "--begin takes one character at least"),
    ("char-rnn", ["--temperature", "0"], "--temperature takes a positive number, not '0'"),
    ("custom-cell", ["--units", "1000000"], "the sizes are too large"),
    ("custom-cell", ["--steps"], "--steps needs a value"),
    ("custom-cell", ["--speed", "9"], "unknown option '--speed'; --help lists them"),
  ]

  /// A file that does not fit the network, and one that is none of its kind.
  @Test func aFileThatDoesNotFitIsOneLineAndExitCodeOne() throws {
    try withFolder { folder in
      let settings = ["--units", "8", "--layers", "1", "--epochs", "1", "--length", "1"]
      let program = ExampleProcess("char-rnn")
      #expect(try program.run(settings + ["--save", "\(folder)/weights"]).status == 0)
      try program.expectMistake(
        ["--load", "\(folder)/weights", "--units", "9", "--layers", "1"], "'lstm.kernel' is f32")
      let noise = Data((0..<64).map { UInt8($0 * 37 % 251 | 0x80) })
      try noise.write(to: URL(fileURLWithPath: "\(folder)/noise"))
      try program.expectMistake(["--text", "\(folder)/noise"], "\(folder)/noise: is not UTF-8")
      try program.expectMistake(["--load", "\(folder)/noise"], "\(folder)/noise: header")
      // A text of one line, without an end, begins with itself.
      try Data("to be or not to be, or to be".utf8).write(to: URL(fileURLWithPath: "\(folder)/line"))
      let run = try program.run(settings + ["--text", "\(folder)/line", "--batch", "2", "--steps", "4"])
      #expect(run.output.contains("\n\nto be or not to be, or to be"), "\(run.errors)")
      #expect(run.status == 0)
    }
  }

  @Test(arguments: mistakes.indices)
  func aMistakeIsOneLineAndExitCodeOne(index: Int) throws {
    let (program, arguments, message) = Self.mistakes[index]
    try ExampleProcess(program).expectMistake(arguments, message)
  }

  static let examples = [
    "mnist-rows", "lstm-shapes", "bidirectional-states", "next-number", "stacked-rnn", "hello-rnn", "char-rnn",
    "custom-cell", "reel-bench",
  ]

  @Test func theReadmeHasTheCommandOfEachExample() throws {
    let page = URL(filePath: #filePath).appending(path: "../../../README.md").standardizedFileURL
    let commands = try String(contentsOf: page, encoding: .utf8)
    for program in Self.examples { #expect(commands.contains("| `swift run -c release \(program)"), "\(program)") }
  }

  @Test(arguments: examples + ["reel-proof"])
  func helpListsTheOptions(program: String) throws {
    let output = try Self.output(program, "--help")
    #expect(output.hasPrefix("usage: \(program) ") && output.contains("  --"), "\(output)")
  }
}
