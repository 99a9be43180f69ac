import Reel
import ReelTestSupport
import Testing

@Suite struct LoopTests {
  static let unrolls: [Unroll] = [false, 2, 3, true]

  /// A small recurrent program with two carries, a captured weight and an output.
  static func program(
    _ xs: Tensor, _ w: Tensor, _ h: Tensor, _ unroll: Unroll, reverse: Bool
  ) -> (state: Pair<Tensor, Tensor>, outputs: Tensor) {
    scan(over: xs, from: Pair(h, h * 0.5), reverse: reverse, unroll: unroll) { state, x in
      let next = tanh(x + state.first.matmul(w)) * sigmoid(state.second)
      return (Pair(next, state.second * 0.9 + x), next * state.second)
    }
  }

  @Test(arguments: unrolls, [false, true])
  func forwardBitsDoNotDependOnTheLayout(unroll: Unroll, reverse: Bool) throws {
    for length in [1, 2, 5, 6, 7] {
      let (xs, w, h) = (sample([length, 3, 4], seed: 1), sample([4, 4], seed: 2), sample([3, 4], seed: 3))
      let expected = Self.program(xs, w, h, .never, reverse: reverse)
      let found = Self.program(xs, w, h, unroll, reverse: reverse)
      expectSameBits(found.outputs, expected.outputs, "outputs at length \(length)")
      expectSameBits(found.state.first, expected.state.first)
      let staged = try compiled { (xs: Tensor, w: Tensor, h: Tensor) in
        Self.program(xs, w, h, unroll, reverse: reverse).outputs
      }(xs, w, h)
      expectSameBits(staged, expected.outputs, "staged outputs at length \(length)")
    }
  }

  @Test(arguments: unrolls, [false, true])
  func gradientsDoNotDependOnTheLayout(unroll: Unroll, reverse: Bool) throws {
    let (xs, w, h) = (sample([5, 3, 4], seed: 1), sample([4, 4], seed: 2), sample([3, 4], seed: 3))
    func loss(_ unroll: Unroll) -> (Tensor, Tensor, Tensor) -> Tensor {
      { xs, w, h in
        let (state, outputs) = Self.program(xs, w, h, unroll, reverse: reverse)
        return (outputs * outputs).sum() + state.first.sum() + sin(state.second).sum()
      }
    }
    let expected = gradient(at: xs, w, h, of: loss(.full))
    let found = gradient(at: xs, w, h, of: loss(unroll))
    let staged = try compiled { (xs: Tensor, w: Tensor, h: Tensor) in
      let (dx, dw, dh) = gradient(at: xs, w, h, of: loss(unroll))
      return [dx, dw, dh]
    }(xs, w, h)
    for (index, pair) in zip([found.0, found.1, found.2], [expected.0, expected.1, expected.2]).enumerated() {
      expectClose(pair.0, pair.1, relative: 1e-12, absolute: 1e-12, "eager gradient \(index)")
      expectClose(staged[index], pair.1, relative: 1e-12, absolute: 1e-12, "staged gradient \(index)")
      #expect(abs(pair.1).max().item > 1e-3)
    }
  }

  @Test(arguments: unrolls)
  func secondDerivativesGoThroughLoops(unroll: Unroll) throws {
    let (xs, w, h) = (sample([4, 2, 3], seed: 4), sample([3, 3], seed: 5), sample([2, 3], seed: 6))
    func penalty(_ unroll: Unroll) -> (Tensor) -> Tensor {
      { w in
        let dw = gradient(at: w) { w in (Self.program(xs, w, h, unroll, reverse: false).outputs).sum() }
        return (dw * dw).sum()
      }
    }
    let expected = gradient(at: w, of: penalty(.full))
    expectClose(gradient(at: w, of: penalty(unroll)), expected, relative: 1e-10, absolute: 1e-12)
    let staged = try compiled { (w: Tensor) in gradient(at: w, of: penalty(unroll)) }(w)
    expectClose(staged, expected, relative: 1e-10, absolute: 1e-12)
    let step = 1e-5
    let bump = Tensor.iota(9, elementType: .float64).reshaped(to: [3, 3]) / 9
    let numeric = (penalty(.full)(w + bump * Tensor(step)) - penalty(.full)(w - bump * Tensor(step))) / Tensor(2 * step)
    expectClose((expected * bump).sum(), numeric, relative: 1e-6, absolute: 1e-8)
  }

  @Test func loopsNest() throws {
    let (xs, w) = (sample([3, 4, 2], seed: 7), sample([2, 2], seed: 8))
    func nested(_ outer: Unroll, _ inner: Unroll) -> (Tensor, Tensor) -> Tensor {
      { xs, w in
        scan(over: xs, from: Tensor.zeros([2], elementType: .float64), unroll: outer) { total, rows in
          let (last, ys) = scan(over: rows, from: total, unroll: inner) { h, x in
            let next = tanh((x + h).expanded(at: 0).matmul(w)[0] * total)
            return (next + h, next)
          }
          return (last + ys.sum(along: [0]), last)
        }.outputs.sum()
      }
    }
    let expected = gradient(at: xs, w, of: nested(true, true))
    for (outer, inner) in [(Unroll.never, Unroll.never), (.never, .full), (.full, .never), (.by(2), .by(3))] {
      expectSameBits(nested(outer, inner)(xs, w), nested(true, true)(xs, w))
      let found = gradient(at: xs, w, of: nested(outer, inner))
      expectClose(found.0, expected.0, relative: 1e-12, absolute: 1e-12, "\(outer) \(inner)")
      expectClose(found.1, expected.1, relative: 1e-12, absolute: 1e-12, "\(outer) \(inner)")
      let staged = try compiled { (xs: Tensor, w: Tensor) in gradient(at: xs, w, of: nested(outer, inner)).1 }(xs, w)
      expectClose(staged, expected.1, relative: 1e-12, absolute: 1e-12, "staged \(outer) \(inner)")
    }
  }

  @Test func emptyLoopsGiveTheInitialState() {
    for unroll in Self.unrolls {
      let (state, outputs) = scan(over: Tensor.zeros([0, 3]), from: Tensor.ones([3]), unroll: unroll) { s, x in
        (s + x, stacked([s, x]))
      }
      expectSameBits(state, .ones([3]))
      #expect(outputs.shape == [0, 2, 3])
    }
  }

  @Test func theReverseOfASymbolicLoopIsASymbolicLoop() throws {
    let graph = try Graph(tracing: [TensorType([50, 2, 3]), TensorType([3, 3])]) { x in
      let (dx, dw) = gradient(at: x[0], x[1]) { xs, w in
        Self.program(xs, w, .zeros([2, 3]), .never, reverse: false).outputs.sum()
      }
      return [dx, dw]
    }
    let loops = graph.nodes.filter { $0.operation.name == "scan" }
    #expect(loops.count == 2)
    #expect(graph.nodes.count < 30, "the graph does not grow with the length:\n\(graph)")
  }

  @Test func operationsOnCapturedValuesLeaveTheLoop() throws {
    let graph = try Graph(tracing: [TensorType([4, 2, 3]), TensorType([3, 3])]) { x in
      [
        scan(over: x[0], from: Tensor.zeros([2, 3])) { h, element in
          let next = (h + element).matmul(x[1].matmul(x[1]))
          return (next, Empty())
        }.state
      ]
    }
    let loop = graph.nodes.first { $0.operation.name == "scan" }!
    let products = (loop.operation as! any OperationWithBodies).bodies[0].nodes.filter { $0.operation.name == "matmul" }
    #expect(products.count == 1)
    #expect(graph.nodes.filter { $0.operation.name == "matmul" }.count == 1)
  }

  @Test func anUnusedStateCostsNothingInReverse() throws {
    // The running sum is a carry that the result does not depend on.
    let graph = try Graph(tracing: [TensorType([6, 3])]) { x in
      [
        gradient(at: x[0]) { xs in
          scan(over: xs, from: Pair(Tensor.zeros([3]), Tensor.zeros([3]))) { state, x in
            (Pair(tanh(state.first + x), state.second + x), Empty())
          }.state.first.sum()
        }
      ]
    }
    let reverse = graph.nodes.last { $0.operation.name == "scan" }!
    #expect(reverse.operation.attributes.contains("carries=1"), "\(graph)")
  }
}
