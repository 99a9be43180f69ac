import Reel

/// Many random programs, one after another, from one seed.
package struct Campaign {
  /// A program that fails, and what is wrong.
  package struct Fault {
    package let seed: UInt64
    package let check: Agreement.Check
    package let message: String
    /// The smallest program that fails in the same check.
    package let program: Program
    package let original: Program

    /// The fault as a test to paste.
    package var report: String {
      program.test(named: "seed\(seed)", failing: "\(check.rawValue): \(message)")
    }
  }

  /// How much is checked.
  package enum Effort: Sendable {
    /// Every check in every layout; of the process's memory too, so that nothing else may run beside.
    case full
    /// For each program a few checks in a few layouts, drawn by chance, so that a run of many soon covers all.
    case sampled
  }

  /// The seed of the first program; those of the next ones follow.
  let seed: UInt64
  let effort: Effort
  package private(set) var faults: [Fault] = []
  /// How often each check said something, and how often it could say nothing.
  package private(set) var decided: [Agreement.Check: Int] = [:]
  package private(set) var undecided: [Agreement.Check: Int] = [:]

  /// A digest of the bits of all values and gradients: equal for every number of threads.
  package private(set) var digest: UInt64 = 0xCBF2_9CE4_8422_2325

  package init(seed: UInt64, effort: Effort) {
    (self.seed, self.effort) = (seed, effort)
  }

  /// Checks a program, and makes it smaller if it fails.
  package mutating func run(_ index: Int) {
    let seed = seed &+ UInt64(index)
    let program = Program.random(seed: seed)
    var agreement = Agreement(program)
    digest(agreement)
    var generator = SplitMix(seed: seed ^ 0x5EED)
    var checks = Agreement.Check.allCases
    if effort == .sampled {
      checks = Array(Agreement.Check.independent.shuffled(using: &generator).prefix(2))
      agreement.unrolls = Array(agreement.unrolls.shuffled(using: &generator).prefix(1))
    }
    for check in checks {
      switch agreement.outcome(of: check) {
      case .agrees: decided[check, default: 0] += 1
      case .undecided: undecided[check, default: 0] += 1
      case .fails(let message):
        decided[check, default: 0] += 1
        faults.append(fault(seed, program, check, message))
      }
    }
  }

  /// Takes in the bits of a compiled program, and of its compiled gradients.
  private mutating func digest(_ agreement: Agreement) {
    let run = compiled { (x: [Tensor]) in
      agreement.function(x, .never) + agreement.gradients(at: x, .never)
    }
    for tensor in (try? run(agreement.inputs)) ?? [] {
      for number in tensor.numbers {
        digest = (digest ^ (number.isNaN ? 0 : number.bitPattern)) &* 0x0000_0100_0000_01B3
      }
    }
  }

  private func fault(_ seed: UInt64, _ program: Program, _ check: Agreement.Check, _ message: String) -> Fault {
    func failure(_ program: Program) -> String? {
      if case .fails(let message) = Agreement(program).outcome(of: check) { return message }
      return nil
    }
    let smallest = program.shrunk { failure($0) != nil }
    return Fault(
      seed: seed, check: check, message: failure(smallest) ?? message, program: smallest, original: program)
  }
}
