import Foundation
import Reel
import ReelTestSupport
import Testing

@Suite struct GradientTests {
  struct State: TensorFields {
    var hidden, cell: Tensor
    var extra: [Tensor] = []
    static var fields: Fields<Self> { .init(\.hidden, \.cell, \.extra) }
  }

  static func same(_ found: [Tensor], _ expected: [Tensor], sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(found.count == expected.count, sourceLocation: sourceLocation)
    for (index, pair) in zip(found, expected).enumerated() {
      expectSameBits(pair.0, pair.1, "tensor \(index)", sourceLocation: sourceLocation)
    }
  }

  @Test func severalArgumentsHaveAGradientEach() {
    let (x, y) = (Tensor([1.0, 2]), Tensor([3.0, 4]))
    let (value, (dx, dy, dz)) = valueWithGradient(at: x, y, Tensor([5.0])) { x, y, z in (x * y * y).sum() }
    expectSameBits(value, Tensor([41.0], shape: []))
    Self.same([dx, dy, dz], [Tensor([9.0, 16]), Tensor([6.0, 16]), Tensor([0.0])])
    Self.same([gradient(at: x) { ($0 * 3).sum() }], [Tensor([3.0, 3])])
  }

  @Test func structuresHaveGradientsOfTheirKind() {
    let x = Tensor([1.0, 2])
    let array = gradient(at: [x, x * 2, x]) { ($0[0] * $0[1]).sum() }
    Self.same(array, [x * 2, x, .zeros(like: x)])
    let dictionary = gradient(at: ["a": x, "b": x + 1]) { ($0["a"]! * $0["b"]!).sum() }
    Self.same([dictionary["a"]!, dictionary["b"]!], [x + 1, x])
    let state = gradient(at: State(hidden: x, cell: x + 2, extra: [x])) {
      ($0.hidden * $0.cell + $0.extra[0] * 5).sum()
    }
    Self.same(state.tensors, [x + 2, x, Tensor([5.0, 5])])
    #expect(state.tensorPaths == ["hidden", "cell", "extra.0"])
    let pair = gradient(at: Pair(x, Pair(x, [x]))) { ($0.first * $0.second.second[0]).sum() }
    Self.same(pair.tensors, [x, .zeros(like: x), x])
    #expect(pair.tensorPaths == ["first", "second.first", "second.second.0"])
    let present: Tensor? = x
    let found: Tensor? = gradient(at: present) { (part: Tensor?) in (part! * part!).sum() }
    Self.same(found.tensors, [x * 2])
    #expect(gradient(at: Tensor?.none, x) { $0 == nil ? $1.sum() : 0 }.0 == nil)
    Self.same([gradient(at: Empty(), x) { _, x in x.sum() }.1], [Tensor([1.0, 1])])
  }

  @Test func whatIsNotFloatingPointHasNoDerivative() {
    let (x, indices) = (Tensor([1.0, 2, 3]), Tensor([2, 0, 2] as [Int32]))
    let (dx, zeros) = gradient(at: x, indices) { x, indices in (x.gathered(at: indices) * x).sum() }
    Self.same([dx, zeros], [Tensor([5.0, 1, 7]), Tensor([0, 0, 0] as [Int32])])
  }

  @Test func theFunctionIsCalledOnceAndSeesValues() {
    var calls = 0
    _ = gradient(at: Tensor([2.0])) { x in
      calls += 1
      #expect(x.numbers == [2])
      #expect((x * x).item == 4)
      return x.item > 1 ? (x * 10).sum() : x.sum()
    }
    #expect(calls == 1)
  }

  @Test func pullbacksAnswerAsOftenAsAsked() {
    let x = Tensor([1.0, 2])
    let (value, pullback) = valueWithPullback(at: x, x + 1) { x, y in Pair(x * y, ["sum": sin(x).sum()]) }
    Self.same(value.tensors, [x * (x + 1), sin(x).sum()])
    for scale in [1.0, -2, 0] {
      let cotangent = Pair(Tensor([scale, 3 * scale]), ["sum": Tensor([scale], shape: [])])
      let (dx, dy) = pullback(cotangent)
      expectClose(dx, cotangent.first * (x + 1) + Tensor(scale as Double) * cos(x), relative: 1e-15, absolute: 0)
      Self.same([dy], [cotangent.first * x])
    }
  }

  @Test func pullbacksCanBeDifferentiated() {
    // The product of the second derivative with a direction.
    let (x, direction) = (Tensor([0.5, -1]), Tensor([2.0, 1]))
    let product = gradient(at: x) { x in
      let (_, pullback) = valueWithPullback(at: x) { ($0 * $0 * $0).sum() }
      return (pullback(Tensor([1.0], shape: [])) * direction).sum()
    }
    expectClose(product, 6 * x * direction, relative: 1e-15, absolute: 0)
  }

  @Test func nestedGradientsDoNotMix() throws {
    let x = Tensor([3.0], shape: [])
    let programs: [(@Sendable (Tensor) -> Tensor, Double)] = [
      ({ x in gradient(at: x) { x in x * gradient(at: 2.0 as Tensor) { y in (x * y) } } }, 6),
      ({ x in gradient(at: x) { x in x * gradient(at: x) { y in x + y } } }, 1),
      ({ x in gradient(at: x) { x in gradient(at: x) { y in x * x * y }.sum() * x } }, 27),
      ({ x in gradient(at: x) { x in gradient(at: x) { _ in x * x } + x } }, 1),
      ({ x in gradient(at: x) { x in gradient(at: x) { y in y * gradient(at: y) { z in x * y * z } } } }, 12),
    ]
    for (index, (program, expected)) in programs.enumerated() {
      let (eager, staged) = try ElementType.withDefault(.float64) { (program(x), try compiled(program)(x)) }
      #expect(eager.item == expected, "program \(index)")
      #expect(staged.item == expected, "compiled program \(index)")
    }
  }

  static let thirds: [(String, @Sendable (Tensor) -> Tensor, @Sendable (Double) -> [Double])] = [
    (
      "tanh", { tanh($0) },
      { x in
        let t = Foundation.tanh(x)
        return [t, 1 - t * t, -2 * t * (1 - t * t), (1 - t * t) * (6 * t * t - 2)]
      }
    ),
    ("exp", { exp(2 * $0) }, { x in [1, 2, 4, 8].map { $0 * Foundation.exp(2 * x) } }),
    ("x⁴", { $0 * $0 * $0 * $0 }, { x in [x * x * x * x, 4 * x * x * x, 12 * x * x, 24 * x] }),
    ("power", { power($0, 3) }, { x in [x * x * x, 3 * x * x, 6 * x, 6] }),
    (
      "x · sin x", { $0 * sin($0) },
      { x in
        let (s, c) = (Foundation.sin(x), Foundation.cos(x))
        return [x * s, s + x * c, 2 * c - x * s, -3 * s - x * c]
      }
    ),
    ("1 / x", { 1 / $0 }, { x in [1 / x, -1 / (x * x), 2 / (x * x * x), -6 / (x * x * x * x)] }),
  ]

  @Test func derivativesOfThirdOrder() throws {
    let x = Tensor([-0.7, 0.3, 1.1])
    for (name, function, derivatives) in Self.thirds {
      func derivative(_ order: Int, _ x: Tensor) -> Tensor {
        order == 0 ? function(x) : gradient(at: x) { derivative(order - 1, $0).sum() }
      }
      for order in 0...3 {
        let expected = Tensor(x.numbers.map { derivatives($0)[order] })
        expectClose(derivative(order, x), expected, relative: 1e-13, absolute: 1e-14, "\(name), order \(order)")
        let staged = try compiled { derivative(order, $0) }(x)
        expectClose(staged, expected, relative: 1e-13, absolute: 1e-14, "compiled \(name), order \(order)")
      }
    }
  }

  @Test func noDerivativeFlowsThroughStopGradient() {
    let x = Tensor([2.0, 3])
    expectSameBits(stopGradient(x), x)
    expectSameBits(gradient(at: x) { ($0 * stopGradient($0)).sum() }, x)
    expectSameBits(gradient(at: x) { stopGradient($0 * $0).sum() }, .zeros(like: x))
    expectSameBits(gradient(at: x) { x in gradient(at: x) { ($0 * stopGradient($0)).sum() }.sum() }, .zeros(like: x))
  }

  @Test func graphsCanBeCalledUnderAGradient() throws {
    let types = [TensorType([2], .float64), TensorType([2], .float64)]
    let graph = try Graph(tracing: types) { x in [tanh(x[0]) * x[1], x[0]] }
    let (x, y) = (Tensor([0.1, 0.2]), Tensor([2.0, 3]))
    let found = gradient(at: x, y) { x, y in graph([x, y])[0].sum() + graph([x, y])[1].sum() }
    let expected = gradient(at: x, y) { x, y in (tanh(x) * y).sum() + x.sum() }
    Self.same([found.0, found.1], [expected.0, expected.1])
    Self.same(graph([x, y]), [tanh(x) * y, x])
  }
}
