import Reel
import ReelTestSupport
import Testing

/// The loop passes change no value: forward not a bit, gradients by rounding only.
@Suite struct LoopValueTests {
  static let variants: [LoopCell.Variant] = [
    .init(), .init(givesInputGradient: true), .init(givesInputGradient: true, readsOutputs: true),
    .init(givesInputGradient: true, readsOutputs: true, isReversed: true),
  ]

  static let passes: [Pass] = [.deadCode, .simplify, .commonSubexpressions, .deadCode, .loops]

  static func expectSameValues(_ graph: Graph, _ optimised: Graph, _ name: String) {
    let operands = LoopCell.operands(of: graph, seed: 1)
    let (expected, found) = (graph.interpreted(operands), optimised.interpreted(operands))
    expectSameBits(found[0], expected[0], "\(name): loss")
    for index in expected.indices.dropFirst() {
      expectClose(found[index], expected[index], relative: 1e-12, absolute: 1e-12, "\(name): gradient \(index)")
    }
  }

  @Test(arguments: LoopCell.all, variants)
  func trainingStepsKeepTheirValues(cell: LoopCell, variant: LoopCell.Variant) throws {
    for sizes in [LoopCell.Sizes(), .init(batch: 1, time: 4), .init(time: 1), .init(batch: 4, time: 4, features: 4)] {
      let graph = try cell.trainingStep(sizes, variant)
      Self.expectSameValues(graph, graph.applying(Self.passes), "\(cell.name) \(variant) \(sizes)")
    }
  }
}
