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

  /// What a reverse loop gives at every step and adds up as well, and sums that are scalars.
  @Test func cotangentsThatAreGivenAndAddedUp() throws {
    let h = sample([2, 3], seed: 1)
    for shape in [[1], []] as [Shape] {
      let (xs, b) = (sample(Shape([4] + shape.extents), seed: 2), sample(shape, seed: 3))
      let run = { (xs: Tensor, b: Tensor) -> [Tensor] in
        let (dx, db) = gradient(at: xs, b) { xs, b in
          scan(over: xs, from: h) { h, x in (tanh(h + x + b), Empty()) }.state.sum()
        }
        return [dx, db]
      }
      for (found, expected) in zip(try compiled(run)(xs, b), run(xs, b)) {
        expectClose(found, expected, relative: 1e-13, absolute: 1e-14)
      }
    }
  }

  /// A state that stays as it is: what adds up its cotangent is given from outside, and starts from what blocks before left.
  @Test func theCotangentOfAStateThatStaysGoesThroughCheckpoints() throws {
    let (x, start) = (sample([3], seed: 1), sample([2, 1, 1, 2], seed: 2))
    let run = { (x: Tensor, start: Tensor) in
      gradient(at: start) { start in
        let outputs = scan(over: x, from: start, checkpointEvery: 2) { state, x in
          (state, state.transposed([3, 2, 0, 1]))
        }.outputs
        return (outputs * outputs).sum()
      }
    }
    expectClose(try compiled(run)(x, start), run(x, start), relative: 1e-13)
  }

  /// A loop whose body has a constant of more than a few elements. Recorded anew in every run, it was never found to be
  /// equal to the one before, so that it was prepared anew in every run too, and what was prepared stayed in memory.
  @Test func aLoopWithALargeConstantIsPreparedOnce() throws {
    let x = sample([3, 100], seed: 1)
    let run = { (x: Tensor) in
      scan(over: x, from: Tensor.zeros([100], elementType: .float64)) { state, x in
        (state + x * Tensor.ones([100], elementType: .float64), Empty())
      }.state
    }
    let program = { try Graph(tracing: [x.type]) { [run($0[0])] } }
    #expect(try program() == program())
    #expect(try program().hashValue == program().hashValue)
    let other = try Graph(tracing: [x.type]) { x in
      [scan(over: x[0], from: Tensor.zeros([100], elementType: .float64)) { ($0 + $1 * 1.5, Empty()) }.state]
    }
    #expect(try program() != other)
  }

  /// The slope of a power in its base has a slope in the exponent where the exponent is 0.
  @Test func aPowerWithExponentZeroHasAMixedSecondDerivative() throws {
    let x = [Tensor([0.5, 0.25, 2], shape: [3]), Tensor([0.0, -0.0, 0], shape: [3])]
    let agreement = Agreement(at: x) { x, _ in [power(x[0] * x[0] + 0.375, x[1])] }
    #expect(agreement.failure() == nil)
    // ∂²/∂a∂b aᵇ = aᵇ⁻¹·(1 + b·ln a)
    let mixed = gradient(at: x[1]) { b in gradient(at: x[0]) { a in power(a, b).sum() }.sum() }
    expectClose(mixed, 1 / x[0])
    // Where a⁻¹ is infinite or no number there is no such derivative, and the slopes are 0 as before.
    let bad = Tensor([0, Double.leastNonzeroMagnitude, .nan], shape: [3])
    expectClose(gradient(at: bad) { a in power(a, x[1]).sum() }, Tensor([0.0, 0, 0]))
    expectClose(gradient(at: x[1]) { b in gradient(at: bad) { a in power(a, b).sum() }.sum() }, Tensor([0.0, 0, 0]))
  }

  /// Vectorized with a batch of tangents alone, the cotangents of two slices of one value were put side by side though only
  /// one of them had the batch axis.
  @Test func slicesOfOneValueOfWhichOneIsBatched() {
    let agreement = Agreement(at: [sample([2, 3, 3], seed: 1)]) { x, unroll in
      let loop = scan(over: [x[0]], from: [x[0]], reverse: true, unroll: unroll) {
        (state: [Tensor], element: [Tensor]) -> ([Tensor], [Tensor]) in
        let sum = state[0] + state[0].sliced(2..<3, along: 1, step: 1)
        return ([tanh(sum)], [state[0].sliced(1..<2, along: -2, step: 2)])
      }
      return [loop.state[0], loop.outputs[0], loop.outputs[0]]
    }
    #expect(agreement.failure() == nil)
  }
}
