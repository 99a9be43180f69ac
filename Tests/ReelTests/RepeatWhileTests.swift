@testable import Reel
import ReelTestSupport
import Testing

/// Loops whose length depends on data.
@Suite struct RepeatWhileTests {
  /// A recurrence that goes on until it is large; the number of steps depends on the operands.
  static func program(_ h: Tensor, _ w: Tensor, limit: Double = 4) -> Tensor {
    repeatWhile(from: Pair(h, h * 0.5)) { state in
      (state.first * state.first).sum() .< Tensor(limit)
    } body: { state in
      Pair(state.first * 1.3 + tanh(state.second.matmul(w)), sin(state.second) + state.first * 0.1)
    }.second
  }

  static let starts: [Tensor] = [0.9, 0.3, 0.02, 5].map { sample([2, 3], seed: 1) * Tensor($0) }

  @Test(arguments: starts)
  func stagedAsEager(h: Tensor) throws {
    let w = sample([3, 3], seed: 2) * 0.3
    let expected = valueWithGradient(at: h, w) { cos(Self.program($0, $1)).sum() }
    let step = compiled { (h: Tensor, w: Tensor) in
      let (y, (dh, dw)) = valueWithGradient(at: h, w) { cos(Self.program($0, $1)).sum() }
      return [y, dh, dw]
    }
    for _ in 0..<2 {
      let found = try step(h, w)
      expectSameBits(found[0], expected.value)
      expectClose(found[1], expected.gradient.0, relative: 1e-12, absolute: 1e-13)
      expectClose(found[2], expected.gradient.1, relative: 1e-12, absolute: 1e-13)
    }
  }

  @Test(arguments: starts)
  func secondDerivatives(h: Tensor) throws {
    let w = sample([3, 3], seed: 2) * 0.3
    func penalty(_ h: Tensor) -> Tensor {
      let dw = gradient(at: w) { cos(Self.program(h, $0)).sum() }
      return sin(dw).sum() + (h * h).sum()
    }
    let found = try compiled { (h: Tensor) in gradient(at: h, of: penalty) }(h)
    expectClose(found, gradient(at: h, of: penalty), relative: 1e-10, absolute: 1e-11)
  }

  @Test func oneProgramServesEveryLength() throws {
    let doublings = compiled { (x: Tensor) in
      let (y, dx) = valueWithGradient(at: x) { x in
        repeatWhile(from: x) {
          $0 .< 1000
        } body: {
          $0 * 2
        }
      }
      return Pair(y, dx)
    }
    for exponent in [-40, -3, 0, 5, 9, 12] {
      let x = exponent < 0 ? 1 / Double(1 << -exponent) : Double(1 << exponent)
      let result = try doublings(Tensor(x))
      #expect(result.second.item * x == result.first.item && result.first.item >= 1000)
      #expect(result.first.item == max(1024, x))
    }
  }

  @Test func loopsOfDataInLoops() throws {
    let (xs, w) = (sample([5, 1, 3], seed: 6), sample([3, 3], seed: 7) * 0.4)
    func program(_ xs: Tensor, _ w: Tensor, _ unroll: Unroll) -> Tensor {
      scan(over: xs, from: Tensor.zeros([1, 3], elementType: .float64), unroll: unroll) { h, x in
        let next = repeatWhile(from: h * 0.1 + x) {
          ($0 * $0).sum() .< 6
        } body: {
          $0 * 1.4 + tanh($0.matmul(w))
        }
        return (sin(next), next)
      }.outputs.sum()
    }
    let expected = gradient(at: xs, w) { program($0, $1, true) }
    let eager = gradient(at: xs, w) { program($0, $1, false) }
    let staged = try compiled { (xs: Tensor, w: Tensor) in
      let (dx, dw) = gradient(at: xs, w) { program($0, $1, false) }
      return [dx, dw]
    }(xs, w)
    for (found, expected) in zip([eager.0, eager.1] + staged, [expected.0, expected.1, expected.0, expected.1]) {
      expectClose(found, expected, relative: 1e-11, absolute: 1e-12)
    }
  }

  @Test func vectorizedItGoesOnUntilAllAreDone() throws {
    let graph = try Graph(tracing: [TensorType([2, 3], .float64), TensorType([3, 3], .float64)]) { x in
      let (y, dh) = valueWithGradient(at: x[0]) { cos(Self.program($0, x[1])).sum() }
      return [y, dh]
    }
    let w = sample([3, 3], seed: 2) * 0.3
    let found = graph.vectorized([stacked(Self.starts), w], isBatched: [true, false], count: 4).outputs
    let expected = Self.starts.map { graph([$0, w]) }
    expectSameBits(found[0], stacked(expected.map { $0[0] }))
    expectClose(found[1], stacked(expected.map { $0[1] }), relative: 1e-12, absolute: 1e-13)
  }

  @Test func aLoopThatTakesNoStep() throws {
    let step = compiled { (x: Tensor) in
      valueWithGradient(at: x) { x in
        repeatWhile(from: x) {
          $0 .< 0
        } body: {
          $0 * 2
        }
      }.gradient
    }
    #expect(try step(Tensor(3.0)).item == 1)
  }

  @Test func theGraphPrintsBothPrograms() throws {
    let graph = try Graph(tracing: [TensorType([], .float64)]) { x in
      [
        repeatWhile(from: x[0]) {
          $0 .< 10
        } body: {
          $0 * x[0]
        }
      ]
    }
    #expect(graph.description.contains("= repeatWhile") && graph.description.contains("captured=1, carries=2"))
    #expect(graph.description.contains("less") && graph.description.contains("multiply"))
    try graph.validate()
  }
}

/// Forward mode through branches, loops of data, and pieces that are computed again.
@Suite struct ControlTangentTests {
  static let programs: [(String, @Sendable (Tensor, Tensor) -> Tensor)] = [
    ("a branch", { ConditionalTests.branch($0, $1) }),
    ("a loop of data", { RepeatWhileTests.program($0, $1 * 0.3) }),
    ("a piece", { x, w in rematerialized { tanh(x.matmul(w)) } * x }),
    (
      "checkpoints",
      { x, w in
        scan(over: stacked([x, x * 2, x * 3, x]), from: x, checkpointEvery: 2) { h, x in
          let next = tanh(x + h.matmul(w))
          return (next, next * h)
        }.outputs
      }
    ),
  ]

  @Test(arguments: programs.indices)
  func tangentsAreThoseOfTheReverse(index: Int) throws {
    let (name, program) = Self.programs[index]
    let (x, w) = (sample([3, 3], seed: 1), sample([3, 3], seed: 2))
    let (dx, dw) = (sample([3, 3], seed: 3), sample([3, 3], seed: 4))
    let loss: (Tensor, Tensor) -> Tensor = { sin(program($0, $1)).sum() }
    let (gx, gw) = gradient(at: x, w, of: loss)
    let expected = (gx * dx).sum() + (gw * dw).sum()
    let (value, derivative) = valueWithDerivative(at: x, w, along: dx, dw, of: loss)
    expectSameBits(value, loss(x, w), name)
    expectClose(derivative, expected, relative: 1e-11, absolute: 1e-12, name)
    // A tangent of the gradient, against the gradient of the derivative.
    let second = jvp(at: x, along: dx) { x in gradient(at: w) { loss(x, $0) } }
    let mixed = gradient(at: w) { w in jvp(at: x, along: dx) { loss($0, w) } }
    expectClose(second, mixed, relative: 1e-10, absolute: 1e-11, name)
    let staged = try compiled { (x: Tensor, w: Tensor) in jvp(at: x, w, along: dx, dw, of: loss) }(x, w)
    expectClose(staged, expected, relative: 1e-11, absolute: 1e-12, "\(name), staged")
  }
}
