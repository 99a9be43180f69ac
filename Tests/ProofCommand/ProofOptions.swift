import ReelProof

/// The options of the command line.
struct ProofOptions {
  var count = 1000
  var seed: UInt64?
  var first = 0
  var effort = Campaign.Effort.full
  /// Whether programs are printed, and not checked.
  var showsOnly = false

  static let usage = """
    usage: reel-proof [options]
      --count N        how many random programs (default 1000)
      --seed S         the seed of the first; the next ones follow (default: a fresh one, which is printed)
      --first I        how many programs from the seed on are passed over, to go on with a run (default 0)
      --effort EFFORT  full, every check in every layout; sampled, a few of them for each program; or none, which prints
                       the programs instead (default full)
    """

  /// An option that cannot be.
  struct Problem: Error, CustomStringConvertible {
    let description: String
  }

  /// - Throws: ``Problem`` for an unknown option or a value that is not one of its kind.
  init(_ arguments: [String]) throws {
    var rest = arguments[...]
    while let option = rest.popFirst() {
      guard ["--count", "--seed", "--first", "--effort"].contains(option) else {
        throw Problem(description: "unknown option '\(option)'; --help lists them")
      }
      guard let value = rest.popFirst() else { throw Problem(description: "\(option) needs a value") }
      try set(option, value)
    }
  }

  private mutating func set(_ option: String, _ value: String) throws {
    if option == "--effort" {
      guard ["full", "sampled", "none"].contains(value) else {
        throw Problem(description: "--effort takes full, sampled or none, not '\(value)'")
      }
      showsOnly = value == "none"
      effort = value == "full" ? .full : .sampled
      return
    }
    guard let number = UInt64(value), option == "--seed" || number <= 1 << 40 else {
      throw Problem(description: "\(option) takes a whole number from 0, not '\(value)'")
    }
    switch option {
    case "--seed": seed = number
    case "--first": first = Int(number)
    default: count = Int(number)
    }
  }
}
