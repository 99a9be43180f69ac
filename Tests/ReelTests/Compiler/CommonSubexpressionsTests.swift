import Reel
import Testing

@Suite struct CommonSubexpressionsTests {
  private func names(_ graph: Graph) -> [String] { graph.nodes.map(\.operation.name).filter { $0 != "input" } }

  @Test func equalOperationsAreOne() throws {
    let graph = try Graph(tracing: [TensorType([3]), TensorType([3])]) { x in
      [tanh(x[0]) * 2 + tanh(x[0]) * 2, x[0] + x[1], x[1] + x[0]]
    }
    let found = graph.applying([.commonSubexpressions, .deadCode])
    // Operands the other way round are another sum.
    #expect(names(found) == ["tanh", "constant", "multiply", "add", "add", "add"])
    #expect(found.inputs.count == 2)
  }

  @Test func attributesAndSmallConstantsCount() throws {
    let graph = try Graph(tracing: [TensorType([4])]) { x in
      let slices = [x[0].sliced(0..<2, along: 0), x[0].sliced(1..<3, along: 0), x[0].sliced(0..<2, along: 0)]
      return slices.map { $0 + Tensor([1, 2] as [Float]) } + [x[0] * 0, x[0] * Tensor(-0.0 as Float)]
    }
    let found = graph.applying([.commonSubexpressions])
    #expect(names(found).filter { $0 == "slice" }.count == 2)
    #expect(names(found).filter { $0 == "constant" }.count == 3, "0 and -0 differ:\n\(found)")
    #expect(names(found).filter { $0 == "add" }.count == 2)
  }

  @Test func bodiesToo() throws {
    let graph = try Graph(tracing: [TensorType([5, 3])]) { x in
      [scan(over: x[0], from: Tensor.zeros([3])) { h, x in (tanh(h + x) * tanh(h + x), Empty()) }.state]
    }
    let found = graph.applying([.commonSubexpressions])
    let body = found.nodes.compactMap { ($0.operation as? any OperationWithBodies)?.bodies[0] }[0]
    #expect(names(body) == ["add", "tanh", "multiply"])
  }

  @Test func manyConstantsTakeLinearTime() throws {
    let graph = try Graph(tracing: [TensorType([100])]) { x in
      [(0..<4000).reduce(x[0]) { sum, _ in sum + Tensor(repeating: 1, shape: [100]) }]
    }
    let duration = ContinuousClock().measure { _ = graph.applying([.commonSubexpressions]) }
    #expect(duration < .seconds(2))
  }
}
