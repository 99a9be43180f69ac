import Reel
import ReelTestSupport
import Testing

/// Programs of which the rules leave little: results that are arguments, constants or one another still run.
@Suite struct SimplifyCompiledTests {
  private let x = sample([3, 4], seed: 1, elementType: .float32)

  private func expectSame(_ function: @escaping (Tensor) -> [Tensor]) throws {
    let staged = compiled(function)
    for _ in 0..<2 {
      for (found, expected) in zip(try staged(x), function(x)) { expectSameBits(found, expected) }
    }
  }

  @Test func resultsThatAreArguments() throws {
    try expectSame { [-(-$0), $0, $0 * 1] }
    try expectSame { [$0.transposed().transposed(), $0.reshaped(to: [12])] }
  }

  @Test func resultsThatAreConstants() throws {
    try expectSame { x in [select(x .> x, x, x) - 0, select(true, Tensor(3), x[0][0]), .ones([2])] }
    try expectSame { x in [(x[0] .== x[0]).converted(to: .int32) .== 5, Tensor.zeros([2, 2])] }
  }

  @Test func resultsThatAreViewsAndOneAnother() throws {
    try expectSame { x in [stacked([x[0], x[1], x[2]]), concatenated([x, x])[3], x[1], tanh(x), tanh(x)] }
    try expectSame { x in [concatenated([x, -x]).split(into: 2, along: 0)[1], x.broadcasted(to: [2, 3, 4])[1]] }
  }

  @Test func bodiesThatComputeNothing() throws {
    try expectSame { x in
      let (state, outputs) = scan(over: x, from: Pair(x[0], x[1])) { state, element in
        (Pair(-(-state.second), element * 1), [state.first, element, x[2] + 0 * element])
      }
      return [state.first, state.second] + outputs
    }
    try expectSame { x in
      let (state, outputs) = scan(over: x, from: x[0]) { state, _ in
        (select(true, x[1], state), select(true, Tensor.zeros([2]), state[0..<2]))
      }
      return [state, outputs]
    }
  }
}
