import Reel

/// The options of the command line.
struct Options {
  enum Cell: String, CaseIterable { case lstm, gru, simple, mgu }
  enum Mode: String, CaseIterable { case compiled, eager }

  var data = DigitData.bundledDirectory
  var epochs = 20
  var units = 64
  var cell = Cell.lstm
  var unroll = Unroll.never
  var batchSize = 128
  var learningRate = 0.001
  var seed: UInt64 = 0
  var mode = Mode.compiled

  static let usage = """
    usage: mnist-rows [options]
      --data DIR            MNIST in IDX form, also gzipped (default: 4,000 + 500 digits that come with the example)
      --epochs N            passes over the training digits (default 20)
      --units N             size of the recurrent state (default 64)
      --cell NAME           lstm, gru, simple or mgu (default lstm)
      --unroll LAYOUT       never, full, or the number of steps in a block (default never)
      --batch-size N        digits in a step (default 128)
      --learning-rate X     of Adam (default 0.001)
      --seed N              of weights and shuffling (default 0)
      --mode MODE           compiled or eager (default compiled)
    """

  /// An option that cannot be.
  struct Problem: Error, CustomStringConvertible {
    let description: String
  }

  /// - Throws: ``Problem`` for an unknown option or a value that is not one of its kind.
  init(_ arguments: [String]) throws {
    var rest = arguments[...]
    while let option = rest.popFirst() {
      guard Self.names.contains(option) else {
        throw Problem(description: "unknown option '\(option)'; --help lists them")
      }
      guard let value = rest.popFirst() else { throw Problem(description: "\(option) needs a value") }
      try set(option, value)
    }
  }

  private static let names = [
    "--data", "--epochs", "--units", "--cell", "--unroll", "--batch-size", "--learning-rate", "--seed", "--mode",
  ]

  private mutating func set(_ option: String, _ value: String) throws {
    switch option {
    case "--epochs": epochs = try Self.count(option, value)
    case "--units": units = try Self.count(option, value)
    case "--batch-size": batchSize = try Self.count(option, value)
    case "--cell": cell = try Self.choice(option, value)
    case "--mode": mode = try Self.choice(option, value)
    case "--unroll":
      unroll = value == "never" ? .never : value == "full" ? .full : .by(try Self.count(option, value))
    case "--learning-rate":
      guard let rate = Double(value), rate > 0, rate.isFinite else {
        throw Problem(description: "\(option) takes a positive number, not '\(value)'")
      }
      learningRate = rate
    case "--seed":
      guard let number = UInt64(value) else {
        throw Problem(description: "\(option) takes a whole number from 0, not '\(value)'")
      }
      seed = number
    default: data = value
    }
  }

  private static func count(_ option: String, _ value: String) throws -> Int {
    guard let number = Int(value), number > 0, number <= 1 << 30 else {
      let words = option == "--unroll" ? "never, full or a positive whole number" : "a positive whole number"
      throw Problem(description: "\(option) takes \(words), not '\(value)'")
    }
    return number
  }

  private static func choice<Choice: RawRepresentable & CaseIterable>(
    _ option: String, _ value: String
  ) throws -> Choice where Choice.RawValue == String {
    guard let choice = Choice(rawValue: value) else {
      let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw Problem(description: "\(option) takes one of \(names), not '\(value)'")
    }
    return choice
  }
}
