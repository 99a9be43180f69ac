@testable import Reel
import ReelTestSupport
import Testing

/// Branches: only the chosen one is done, and it has the gradients.
@Suite struct ConditionalTests {
  /// Newton's step where it helps, and a plain step elsewhere, with a captured weight.
  static func branch(_ x: Tensor, _ w: Tensor) -> Tensor {
    conditional((x * w).sum() .> 0) {
      tanh(x.matmul(w))
    } else: {
      sin(x) * w.sum() + x
    }
  }

  static let points = [sample([3, 3], seed: 1), -sample([3, 3], seed: 1), sample([3, 3], seed: 5)]

  @Test(arguments: points)
  func gradientsAreThoseOfTheChosenBranch(x: Tensor) throws {
    let w = sample([3, 3], seed: 2)
    let isTrue = (x * w).sum().item > 0
    func plain(_ x: Tensor, _ w: Tensor) -> Tensor { isTrue ? tanh(x.matmul(w)) : sin(x) * w.sum() + x }
    let expected = valueWithGradient(at: x, w) { cos(plain($0, $1)).sum() }
    let step = compiled { (x: Tensor, w: Tensor) in
      let (y, (dx, dw)) = valueWithGradient(at: x, w) { cos(Self.branch($0, $1)).sum() }
      return [y, dx, dw]
    }
    let eager = valueWithGradient(at: x, w) { cos(Self.branch($0, $1)).sum() }
    let staged = try step(x, w)
    for found in [[eager.value, eager.gradient.0, eager.gradient.1], staged] {
      expectSameBits(found[0], expected.value)
      expectClose(found[1], expected.gradient.0, relative: 1e-13, absolute: 1e-14)
      expectClose(found[2], expected.gradient.1, relative: 1e-13, absolute: 1e-14)
    }
  }

  @Test(arguments: points)
  func secondDerivatives(x: Tensor) throws {
    let w = sample([3, 3], seed: 2)
    func penalty(_ x: Tensor) -> Tensor {
      let dw = gradient(at: w) { cos(Self.branch(x, $0)).sum() }
      return (dw * dw).sum()
    }
    let found = try compiled { (x: Tensor) in gradient(at: x, of: penalty) }(x)
    expectClose(found, gradient(at: x, of: penalty), relative: 1e-11, absolute: 1e-12)
  }

  @Test func onlyTheChosenBranchRuns() throws {
    // The loop of the other branch would never end.
    let step = compiled { (x: Tensor) in
      conditional(x .> 0) {
        x * 2
      } else: {
        repeatWhile(from: x) {
          $0 .< 1
        } body: {
          $0 - 1
        }
      }
    }
    #expect(try step(Tensor(3.0)).item == 6)
    var calls: [String] = []
    let y = conditional(Tensor(false)) {
      calls.append("then")
      return Tensor(1.0)
    } else: {
      calls.append("else")
      return Tensor(2.0)
    }
    #expect(y.item == 2 && calls == ["else"])
  }

  @Test func branchesAssignVariables() throws {
    let (count, sum) = (Variable(Tensor(0.0), name: "count"), Variable(Tensor(10.0), name: "sum"))
    let step = compiled { (x: Tensor) in
      conditional(x .> 0) {
        count.value = count.value + 1
        return x
      } else: {
        sum.value = sum.value + x
        return -x
      }
    }
    #expect(try step(Tensor(2.0)).item == 2 && count.value.item == 1 && sum.value.item == 10)
    #expect(try step(Tensor(-3.0)).item == 3 && count.value.item == 1 && sum.value.item == 7)
  }

  @Test func branchesInLoopsInBranches() throws {
    let (xs, w) = (sample([6, 2], seed: 3), sample([2, 2], seed: 4))
    func program(_ xs: Tensor, _ w: Tensor, _ unroll: Unroll) -> Tensor {
      conditional(xs.sum() .> -100) {
        scan(over: xs, from: Tensor.ones([1, 2], elementType: .float64), unroll: unroll) { h, x in
          let next = conditional(x[0] .> 0) {
            tanh(h.matmul(w) + x)
          } else: {
            scan(over: stacked([x, x * 2]), from: h, unroll: unroll) { h, x in (sin(h + x), Empty()) }.state
          }
          return (next, next)
        }.outputs.sum()
      } else: {
        w.sum()
      }
    }
    let expected = gradient(at: xs, w) { program($0, $1, true) }
    for unroll in [Unroll.never, .by(2)] {
      let staged = try compiled { (xs: Tensor, w: Tensor) in
        let (dx, dw) = gradient(at: xs, w) { program($0, $1, unroll) }
        return [dx, dw]
      }(xs, w)
      let eager = gradient(at: xs, w) { program($0, $1, unroll) }
      for (found, expected) in zip(staged + [eager.0, eager.1], [expected.0, expected.1, expected.0, expected.1]) {
        expectClose(found, expected, relative: 1e-12, absolute: 1e-13)
      }
    }
  }

  @Test func vectorizedWithAPredicateForEachItSelects() throws {
    let graph = try Graph(tracing: [TensorType([3, 3], .float64), TensorType([3, 3], .float64)]) {
      [Self.branch($0[0], $0[1])]
    }
    let (x, w) = (stacked(Self.points), sample([3, 3], seed: 2))
    let found = graph.vectorized([x, w], isBatched: [true, false], count: 3).outputs[0]
    expectSameBits(found, stacked(Self.points.map { Self.branch($0, w) }))
  }

  @Test func anUnusedResultLeavesBothBranches() throws {
    let graph = try compiled { (x: Tensor) in
      conditional(x.sum() .> 0) {
        Pair(scan(over: x, from: Tensor.zeros([], elementType: .float64)) { ($0 + tanh($1), Empty()) }.state, x * 2)
      } else: {
        Pair(x.sum(), x)
      }.second
    }.graph(for: sample([4], seed: 1))
    #expect(!graph.description.contains("scan") && graph.description.contains("conditional"), "\(graph)")
  }
}
