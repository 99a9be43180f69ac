import Foundation
import ReelTestSupport
import Testing

/// The tutorials that end in numbers: those of Keras, and those that should come next.
@Suite struct NumberTests {
  /// What Keras 3.15 gives for the same layer and input, with `Constant(0.1)` for both kernels and zeros for the bias.
  static let states: [(title: String, numbers: [Double])] = [
    ("output", [0.6303138136863708, 0.7038733959197998]),
    ("output, step 0", [0.3590646982192993, 0.7038733959197998]),
    ("output, step 1", [0.5511132478713989, 0.5886358618736267]),
    ("output, step 2", [0.5911574363708496, 0.3951699137687683]),
    ("output, step 3", [0.6303138136863708, 0.21942245960235596]),
    ("forward hidden", [0.6303138136863708]),
    ("forward cell", [1.5707086324691772]),
    ("backward hidden", [0.7038733959197998]),
    ("backward cell", [1.640244722366333]),
  ]

  @Test func theStatesAreThoseOfKeras() throws {
    let page = "Docs/Tutorials/BidirectionalStates.md"
    try expectBlocks(of: page, from: "Examples/BidirectionalStates")
    let output = try TutorialTests.output("bidirectional-states")
    try expectOutput(output, on: page)
    var count = 0
    for line in output.split(separator: "\n") {
      guard let (title, expected) = Self.states.first(where: { line.hasPrefix("\($0.title) ") }) else { continue }
      count += 1
      let found = line.dropFirst(title.count).split(separator: " ").compactMap { Double($0) }
      // Three units with the same weights have the same state.
      let wanted = expected.flatMap { [$0, $0, $0] }
      #expect(found.count == wanted.count)
      for (found, wanted) in zip(found, wanted) { #expect(abs(found - wanted) < 1e-6, "\(line)") }
    }
    #expect(count == 1 + 4 + 4 + 4, "\(output)")
    #expect(output.matches(of: /(?m)hidden state +true$/).count == 2, "\(output)")
  }

  /// The parts of `next-number`, and how far what they say may be from what it should be.
  static let parts: [(part: String, words: String, expected: Double, within: Double)] = [
    ("rows", "after 6 7 8 comes", 9, 0.3), ("stopping", "after 25 35 45 comes", 55, 3),
    ("deep", "after 25 35 45 comes", 55, 6), ("windows", "after 7 8 9 10 comes", 11, 0.5),
  ]

  @Test(arguments: parts.indices)
  func theNextNumberIsFound(index: Int) throws {
    let (part, words, expected, within) = Self.parts[index]
    let said = try TutorialTests.number(after: words, in: try TutorialTests.output("next-number", "--part", part))
    #expect(abs(said - expected) <= within, "\(part): \(said)")
  }

  @Test func aScalerGoesFurther() throws {
    try expectBlocks(of: "Docs/Tutorials/NextNumber.md", from: "Examples/NextNumber")
    try withFolder { folder in
      let output = try TutorialTests.output("next-number", "--part", "scaled", "--plot", "\(folder)/next.svg")
      let errors = output.matches(of: /off by (\d+\.\d+) at most/).compactMap { Double($0.output.1) }
      #expect(errors.count == 2 && errors[1] < 1 && errors[1] < errors[0], "\(output)")
      try expectPicture("\(folder)/next.svg")
    }
  }
}
