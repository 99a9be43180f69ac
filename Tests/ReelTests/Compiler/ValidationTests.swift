import Reel
import Testing

@Suite struct ValidationTests {
  private let graph = try! Graph(tracing: [TensorType([2, 3])]) { [tanh($0[0]).sum(along: [1])] }

  private func expectDefect(
    _ words: String, inputs: [Value]? = nil, outputs: [Value]? = nil, sourceLocation: SourceLocation = #_sourceLocation,
    _ change: (inout [Node]) -> Void = { _ in }
  ) {
    var nodes = graph.nodes
    change(&nodes)
    let changed = Graph(nodes: nodes, inputs: inputs ?? graph.inputs, outputs: outputs ?? graph.outputs)
    do {
      try changed.validate()
      Issue.record("no defect was found", sourceLocation: sourceLocation)
    } catch {
      #expect(error.description.contains(words), sourceLocation: sourceLocation)
    }
  }

  @Test func whatATapeRecordsIsValid() throws {
    try graph.validate()
  }

  @Test func defectsAreNamed() {
    expectDefect("%1 tanh: recorded as [f32[3,2]], by its type rule [f32[2,3]]") {
      $0[1].results = [TensorType([3, 2])]
    }
    expectDefect("%1 tanh: the operand 2.0 is no older result") { $0[1].operands = graph.outputs }
    expectDefect("input 0 is no input", inputs: graph.outputs)
    expectDefect("an input that nobody gives", inputs: [])
  }
}
