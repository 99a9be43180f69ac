import Foundation
import Reel
@testable import ReelProof
import ReelTestSupport
import Testing

/// Random programs: all ways to run and to differentiate each of them agree. See `Docs/Testing.md`.
@Suite struct ProofTests {
  /// A fresh seed for every run of the tests; `REEL_SEED` in the environment repeats one.
  static let seed =
    ProcessInfo.processInfo.environment["REEL_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0..<1 << 32)

  @Test(arguments: 0..<10) func randomProgramsAgree(group: Int) {
    if group == 0 { print("random programs from seed \(Self.seed); REEL_SEED=\(Self.seed) repeats them") }
    var campaign = Campaign(seed: Self.seed, effort: .sampled)
    for index in group * 30..<(group + 1) * 30 { campaign.run(index) }
    for fault in campaign.faults { Issue.record("REEL_SEED=\(Self.seed)\n\(fault.report)") }
    #expect(campaign.decided.values.reduce(0, +) > 30)
  }

  @Test func programsAreTheSameForTheSameSeed() {
    for seed in UInt64(0)..<5 { #expect(Program.random(seed: seed) == Program.random(seed: seed)) }
    #expect(Set((UInt64(0)..<20).map { Program.random(seed: $0) }).count == 20)
  }

  /// A line that can never be run would never be drawn.
  @Test func everyKindOfLineIsDrawnInEveryElementType() {
    func kinds(_ block: Program.Block) -> [String] {
      block.steps.flatMap { step in
        [String(describing: step.action).prefix { $0 != "(" }.description] + step.action.blocks.flatMap(kinds)
      }
    }
    var found: [ElementType: Set<String>] = [:]
    for seed in UInt64(0)..<500 {
      let program = Program.random(seed: seed)
      found[program.elementType, default: []].formUnion(kinds(program.block))
    }
    let all: Set = [
      "map", "number", "pair", "select", "matmul", "fold", "normalize", "place", "cumulativeSum", "reshape",
      "transpose",
      "broadcast", "slice", "part", "reverse", "pad", "concatenate", "stack", "split", "gather", "scatterAdd", "oneHot",
      "windows", "overlapAdd", "convert", "stopGradient", "indices", "fill", "iota", "uniform", "scan", "conditional",
      "repeatWhile", "gradient",
    ]
    #expect(found == [.float32: all, .float64: all])
  }

  /// What is wrong is found, and the program made as small as can be: here loops whose compiled or unrolled result would
  /// differ are made by a function that looks at how it is run.
  @Test func disagreementsAreFound() {
    let x = [sample([3, 2], seed: 1)]
    let other = Agreement(at: x) { x, unroll in [unroll == .full ? x[0] : x[0] * 2] }
    #expect(other.failure(of: [.unrolled])?.hasPrefix("unrolled: unroll never: output 0 element 0 is") == true)
    let staged = Agreement(at: x) { x, _ in [Recording.tape?.kind == .staged ? x[0] + 1e-9 : x[0]] }
    #expect(staged.failure(of: [.compiled])?.hasPrefix("compiled: compiled, unroll full") == true)
    let stopped = Agreement(at: x) { x, _ in [stopGradient(x[0]) * x[0]] }
    #expect(stopped.failure(of: [.gradients]) == nil)
    #expect(stopped.failure(of: [.numeric])?.hasPrefix("numeric: gradient along a direction is") == true)
    #expect(stopped.failure(of: [.secondOrder]) != nil)
    let wrong = Agreement(at: x) { x, _ in
      [
        withCustomPullback(at: x[0]) {
          sin($0)
        } pullback: { x, _, cotangent in
          cotangent * cos(x) * 1.0001
        }
      ]
    }
    #expect(wrong.failure(of: [.numeric]) != nil)
  }

  @Test func programsAreMadeSmall() throws {
    // A fault that shows in every program with a loop that runs in reverse.
    func fails(_ program: Program) -> Bool { program.description.contains("reverse: true") }
    let program = try #require((UInt64(0)...).lazy.map { Program.random(seed: $0) }.first { fails($0) && $0.size > 10 })
    let small = program.shrunk(fails)
    #expect(fails(small) && small.size <= 2, "\(small)")
    let test = small.test(named: "found", failing: "compiled: output 0")
    #expect(test.hasPrefix("// compiled: output 0\n@Test func found() {\n  let x = [\n    Tensor(["))
    #expect(test.contains("let agreement = Agreement(at: x) { x, unroll in"))
  }
}
