import Reel
import ReelTestSupport
import Testing

/// Faults that random programs have found, made small.
@Suite struct ProofRegressionTests {
  /// A carry that never changes, and one that is equal to it by what the body says.
  @Test func aCarryThatIsAlwaysEqualToOneThatNeverChanges() throws {
    let (x, start) = (sample([3, 2], seed: 1), sample([2], seed: 2))
    let run = { (x: Tensor, start: Tensor) -> [Tensor] in
      let (state, outputs) = scan(over: x, from: Pair(start, start)) { carry, x in
        (Pair(carry.first, carry.first), carry.second * x)
      }
      return [state.first, state.second, outputs]
    }
    for (found, expected) in zip(try compiled(run)(x, start), [start, start, start * x]) {
      expectSameBits(found, expected)
    }
  }
}
