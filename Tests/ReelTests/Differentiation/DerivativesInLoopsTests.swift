import Reel
import ReelTestSupport
import Testing

/// Derivatives that are taken in every step of a loop, and loops that are differentiated around them.
@Suite struct DerivativesInLoopsTests {
  /// What a step does with its state and the weight, from which it takes a derivative.
  struct Step: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let apply: @Sendable (_ state: Tensor, _ w: Tensor) -> Tensor
  }

  static let steps = [
    Step(testDescription: "gradient") { state, w in gradient(at: state) { tanh($0.matmul(w)).sum() } },
    Step(testDescription: "jvp") { state, w in jvp(at: state, along: state * 0.5) { tanh($0.matmul(w)) } },
    Step(testDescription: "Hessian product") { state, w in
      hessianVectorProduct(at: state, along: state) { sin($0.matmul(w)).sum() }
    },
    Step(testDescription: "Jacobian, forward") { state, w in
      jacobian(at: state[0], mode: .forward) { tanh($0.expanded(at: 0).matmul(w))[0] }[0..<2]
    },
    Step(testDescription: "Jacobian, reverse") { state, w in
      jacobian(at: state[0], mode: .reverse) { tanh($0.expanded(at: 0).matmul(w))[0] }[0..<2]
    },
    Step(testDescription: "vectorized") { state, w in
      vectorize { (row: Tensor) in tanh(row.expanded(at: 0).matmul(w)).squeezed(at: 0) * row.sum() }(state)
    },
    Step(testDescription: "a loop's derivative") { state, w in
      jvp(at: state, along: state) { state in
        scan(over: Tensor.iota(3), from: state) { inner, _ in (tanh(inner.matmul(w)), Empty()) }.state
      }
    },
  ]

  static func run(_ step: Step, _ x: [Tensor], _ unroll: Unroll) -> Tensor {
    scan(over: x[0], from: x[1], unroll: unroll) { state, element in
      let next = tanh(step.apply(state, x[2]) + element)
      return (next, next)
    }.outputs.sum(along: [0, 2])[0]
  }

  @Test(arguments: steps)
  func loopsAreDifferentiatedAroundThem(step: Step) throws {
    let x = [sample([3, 2, 3], seed: 1), sample([2, 3], seed: 2), sample([3, 3], seed: 3)]
    let v = [sample([3, 2, 3], seed: 4), sample([2, 3], seed: 5), sample([3, 3], seed: 6)]
    let value = Self.run(step, x, .full)
    let gradients = gradient(at: x) { Self.run(step, $0, .full) }
    let failure = NumericDerivative(of: { Self.run(step, $0, .full) }).difference(gradients, at: x)
    #expect(failure == nil)
    let derivative = ForwardModeTests.product(gradients, v)
    for unroll in [Unroll.never, .by(2)] {
      expectClose(Self.run(step, x, unroll), value, relative: 1e-13, "\(unroll)")
      let found = gradient(at: x) { Self.run(step, $0, unroll) }
      for (found, expected) in zip(found, gradients) { expectClose(found, expected, relative: 1e-11, "\(unroll)") }
      expectClose(jvp(at: x, along: v) { Self.run(step, $0, unroll) }, derivative, relative: 1e-11, "\(unroll)")
    }
    for (found, expected) in zip(try compiled { gradient(at: $0) { Self.run(step, $0, .never) } }(x), gradients) {
      expectClose(found, expected, relative: 1e-11, "compiled")
    }
    let batch = vectorize { (state: Tensor) in Self.run(step, [x[0], state, x[2]], .never) }
    let states = sample([4, 2, 3], seed: 7)
    let rows = (0..<4).map { Self.run(step, [x[0], states[$0], x[2]], .full) }
    expectClose(batch(states), stacked(rows), relative: 1e-12, "vectorized")
  }
}
