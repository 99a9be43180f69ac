import Reel
import Testing

/// Recording, sweeping and releasing a tape are loops: its length does not meet the end of the stack.
@Suite struct LongTapeTests {
  @Test func aTapeOfAMillionNodes() {
    let count = 1_000_000
    let clock = ContinuousClock()
    let x = Tensor([1.0, 2])
    var found: (value: Tensor, gradient: Tensor)?
    let time = clock.measure {
      found = valueWithGradient(at: x) { x in
        var y = x
        for _ in 0..<count { y = -y }
        return y.sum()
      }
    }
    #expect(found?.value.item == 3)
    #expect(found?.gradient.numbers == [1, 1])
    #expect(time < .seconds(60), "\(time)")
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
