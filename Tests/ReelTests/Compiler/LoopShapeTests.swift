import Reel
import Testing

/// What is left in the loops of whole training steps: the products that wait for each other from step to step, and one or
/// two elementwise programs, forward and back. No product with the input and no gradient of a weight is among them.
@Suite struct LoopShapeTests {
  struct Expected {
    /// The products in each loop: forward ones, then reverse ones.
    let products: [Int]
    /// The elementwise programs in each loop.
    let programs: ClosedRange<Int>
    /// The products before and after the loops: with the input, and gradients of weights.
    let outside: Int
    /// What the loops keep of each step, in units of the state's size.
    let kept: [Double]
  }

  static let expected: [String: Expected] = [
    "SimpleRNN": Expected(products: [1, 1], programs: 1...1, outside: 3, kept: [1, 1]),
    // The gates, the cell, its activation and the output; back the cotangents of the gates.
    "LSTM": Expected(products: [1, 1], programs: 1...1, outside: 3, kept: [7, 4]),
    "LSTM of eight matrices": Expected(products: [1, 1], programs: 1...1, outside: 3, kept: [7, 4]),
    "LSTM [x, h]·W": Expected(products: [1, 1], programs: 1...1, outside: 3, kept: [7, 4]),
    "GRU, reset after": Expected(products: [1, 1], programs: 1...1, outside: 3, kept: [5, 4]),
    // A program before, between and after two products that wait for each other.
    "GRU, reset before": Expected(products: [2, 2], programs: 2...3, outside: 4, kept: [4, 3]),
    "MGU": Expected(products: [2, 2], programs: 2...2, outside: 4, kept: [3, 2]),
    "LSTM, peephole": Expected(products: [1, 1], programs: 1...1, outside: 3, kept: [7, 4]),
    // One program normalises rows of the four gates, the other those of the cell.
    "LSTM, layer norm": Expected(products: [1, 1], programs: 2...2, outside: 3, kept: [11.09375, 8.125]),
    // Each layer has loops of its own, and the input product of the second one is outside of both.
    "two layers in one body": Expected(products: [1, 1, 1, 1], programs: 1...1, outside: 7, kept: [7, 7, 4, 4]),
    // The dropped-out state is made before the product, and the mask of the step has a shape of its own.
    "LSTM, dropout and step mask": Expected(products: [1, 1], programs: 1...3, outside: 3, kept: [7, 4]),
  ]

  @Test func everyCellIsExpected() {
    #expect(Set(LoopCell.all.map(\.name)) == Set(Self.expected.keys))
  }

  @Test(arguments: LoopCell.all)
  func onlyWhatWaitsForTheLastStepIsLeft(cell: LoopCell) throws {
    let expected = try #require(Self.expected[cell.name])
    let sizes = LoopCell.Sizes(batch: 16, time: 28, features: 24, units: 32)
    let graph = try cell.trainingStep(sizes).applying(Pass.pipeline)
    let census = LoopCensus(graph)
    #expect(census.loops.map(\.products) == expected.products, "\(graph)")
    #expect(census.outside.products == expected.outside, "\(graph)")
    #expect(census.stacked.map { Double($0) / Double(sizes.batch * sizes.units) } == expected.kept, "\(graph)")
    for body in graph.nodes.compactMap({ ($0.operation as? any OperationWithBodies)?.bodies[0] }) {
      let programs = body.nodes.filter { $0.operation.name == "fused" || $0.operation.scalarCode != nil }
      #expect(expected.programs.contains(programs.count), "\(body)")
      #expect(!body.nodes.contains { $0.operation.rowCode != nil }, "\(body)")
    }
  }

  /// Gradients by the input and initial states, and a loss on all outputs, add one product outside and nothing within.
  @Test(arguments: LoopCell.all)
  func moreGradientsAddNoProductToALoop(cell: LoopCell) throws {
    let expected = try #require(Self.expected[cell.name])
    for isReversed in [false, true] {
      let graph = try cell.trainingStep(
        .init(batch: 16, time: 28, features: 24, units: 32),
        .init(givesInputGradient: true, readsOutputs: true, isReversed: isReversed)
      ).applying(Pass.pipeline)
      let census = LoopCensus(graph)
      #expect(census.loops.map(\.products) == expected.products, "\(graph)")
      #expect(census.outside.products == expected.outside + 1, "\(graph)")
    }
  }
}
