import Reel
import Testing

/// Recording, sweeping and releasing a tape are loops: its length does not meet the end of the stack.
@Suite struct LongTapeTests {
  @Test(.timeLimit(.minutes(2))) func aTapeOfAMillionNodes() {
    let found = valueWithGradient(at: Tensor([1.0, 2])) { x in
      var y = x
      for _ in 0..<1_000_000 { y = -y }
      return y.sum()
    }
    #expect(found.value.item == 3)
    #expect(found.gradient.numbers == [1, 1])
  }

  @Test func aGraphOfManyNodes() throws {
    let count = 20_000
    func slope(_ x: Tensor) -> Tensor { gradient(at: x) { x in (0..<count).reduce(x) { y, _ in sin(y) }.sum() } }
    let graph = try Graph(tracing: [TensorType([2])]) { [slope($0[0])] }
    #expect(graph.nodes.count > 2 * count)
    #expect(graph([[1, 2]])[0].numbers == slope([1, 2]).numbers)
    #expect(graph.applying([.commonSubexpressions, .deadCode])([[1, 2]])[0].numbers == slope([1, 2]).numbers)
  }
}
