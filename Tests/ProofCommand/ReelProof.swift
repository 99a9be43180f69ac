import Foundation
import Reel
import ReelProof

/// Runs random programs in all ways, and prints those whose ways do not agree, made small, as tests to paste.
@main
struct ReelProofCommand {
  static func main() {
    let arguments = Array(CommandLine.arguments.dropFirst())
    if arguments.contains("--help") { return say(ProofOptions.usage) }
    do {
      exit(run(try ProofOptions(arguments)) ? 0 : 1)
    } catch {
      FileHandle.standardError.write(Data("reel-proof: \(error)\n".utf8))
      exit(1)
    }
  }

  /// Prints a line at once, also into a file.
  private static func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

  /// Answers whether all ways agree.
  private static func run(_ options: ProofOptions) -> Bool {
    let seed = options.seed ?? UInt64.random(in: 0..<1 << 32)
    var campaign = Campaign(seed: seed, effort: options.effort)
    say("\(options.count) programs from seed \(seed), \(options.first) passed over; \(Runtime.threadCount) threads")
    let range = options.first..<options.first + options.count
    if options.showsOnly {
      for index in range { say("\nprogram \(index):\n\(Program.random(seed: seed &+ UInt64(index)))") }
      return true
    }
    var reported = 0
    for index in range {
      campaign.run(index)
      for fault in campaign.faults[reported...] { say("\nprogram \(index):\n\(fault.report)\n") }
      reported = campaign.faults.count
      if (index + 1) % 500 == 0 { say("\(index + 1) programs, \(reported) faults") }
    }
    for check in Agreement.Check.allCases {
      say("\(check.rawValue): \(campaign.decided[check] ?? 0) decided, \(campaign.undecided[check] ?? 0) not")
    }
    say("bits \(String(campaign.digest, radix: 16))")
    say(reported == 0 ? "all ways agree" : "\(reported) faults")
    return reported == 0
  }
}
