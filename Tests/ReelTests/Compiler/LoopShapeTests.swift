import Reel
import Testing

/// What is left in the loops of whole training steps: the products that wait for each other from step to step, and one or
/// two elementwise programs, forward and back. No product with the input and no gradient of a weight is among them.
@Suite struct LoopShapeTests {
  struct Expected {
    let products: [Int]
    let programs: ClosedRange<Int>
  }

  /// For each cell the products in the forward and in the reverse loop, and the elementwise programs in each.
  static let expected: [String: Expected] = [
    "SimpleRNN": Expected(products: [1, 1], programs: 1...1),
    "LSTM": Expected(products: [1, 1], programs: 1...1),
    "LSTM of eight matrices": Expected(products: [1, 1], programs: 1...1),
    "LSTM [x, h]·W": Expected(products: [1, 1], programs: 1...2),
    "GRU, reset after": Expected(products: [1, 1], programs: 1...1),
    // A program before, between and after two products that wait for each other.
    "GRU, reset before": Expected(products: [2, 2], programs: 2...3),
    "MGU": Expected(products: [2, 2], programs: 2...2),
    "LSTM, peephole": Expected(products: [1, 1], programs: 1...1),
    // Row means and variances stand between its programs.
    "LSTM, layer norm": Expected(products: [1, 1], programs: 1...10),
    // Its second layer waits for the first one inside of one loop: there are its input products, forward and back.
    "two layers in one body": Expected(products: [3, 3], programs: 2...3),
    // The dropped-out state is made before the product, and the mask of the step has a shape of its own.
    "LSTM, dropout and step mask": Expected(products: [1, 1], programs: 1...3),
  ]

  @Test func everyCellIsExpected() {
    #expect(Set(LoopCell.all.map(\.name)) == Set(Self.expected.keys))
  }

  @Test(arguments: LoopCell.all)
  func onlyWhatWaitsForTheLastStepIsLeft(cell: LoopCell) throws {
    let expected = try #require(Self.expected[cell.name])
    let graph = try cell.trainingStep(.init(batch: 16, time: 28, features: 24, units: 32)).applying(Pass.pipeline)
    let bodies = graph.nodes.compactMap { ($0.operation as? any OperationWithBodies)?.bodies[0] }
    #expect(bodies.map { LoopCensus.Counts($0).products } == expected.products, "\(graph)")
    for body in bodies {
      let programs = body.nodes.filter { $0.operation.name == "fused" || $0.operation.scalarCode != nil }
      #expect(expected.programs.contains(programs.count), "\(body)")
    }
  }
}
