import Reel
import ReelTestSupport
import Testing

@Suite struct CompiledTests {
  @Test func aFunctionIsRecordedOnceForEachTypeOfItsArguments() throws {
    var calls = 0
    let step = compiled { (x: Tensor) in
      calls += 1
      return (x * 2).sum()
    }
    for _ in 0..<3 { #expect(try step([1, 2]).item == 6) }
    #expect(calls == 1)
    #expect(try step([1, 2, 3]).item == 12)
    #expect(try step(Tensor([1.0, 2])).elementType == .float64)
    #expect(calls == 3)
    #expect(try step([5, 5]).item == 20)
    #expect(calls == 3)
  }

  @Test func structuresAreRecordedByTheirPaths() throws {
    var calls = 0
    let step = compiled { (x: [String: Tensor], y: Tensor?) -> Pair<Tensor, [Tensor]> in
      calls += 1
      let total = x.values.reduce(0) { $0 + $1 }
      return Pair(total, y.map { [$0, total] } ?? [])
    }
    #expect(try step(["a": 1, "b": 2], nil).second.isEmpty)
    #expect(try step(["a": 1, "b": 2], 5).second[0].item == 5)
    #expect(try step(["a": 3, "c": 2], nil).first.item == 5)
    #expect(calls == 3)
    #expect(try step(["c": 30, "a": 2], nil).first.item == 32)
    #expect(calls == 3)
  }

  @Test func resultsOutliveTheNextCall() throws {
    let step = compiled { (x: Tensor) in [x, x * 2, x.reshaped(to: [2, 1]), Tensor([7, 8]), x * 2, x.transposed()] }
    let first = try step([1, 2])
    let second = try step([10, 20])
    #expect(first.map(\.numbers) == [[1, 2], [2, 4], [1, 2], [7, 8], [2, 4], [1, 2]])
    #expect(second.map(\.numbers) == [[10, 20], [20, 40], [10, 20], [7, 8], [20, 40], [10, 20]])
    // Results are arguments of the next call.
    #expect(try step(first[1])[1].numbers == [4, 8])
    #expect(first[1].numbers == [2, 4])
  }

  @Test func errorsAreThrownBeforeAnythingIsAssigned() throws {
    let w = Variable([1, 2], name: "w")
    let step = compiled { (x: Tensor) in
      w.value = w.value * 10
      let product = w.value * x
      w.value = product
      return product
    }
    let message =
      "multiply: shapes that do not broadcast (operands: f32[2], f32[3]); expected extents that agree or are 1, aligned at the last axis"
    for _ in 0..<2 { expectError(message) { _ = try step([1, 2, 3]) } }
    #expect(w.value.numbers == [1, 2])
    #expect(try step([1, 2]).numbers == [10, 40])
    expectError(message) { _ = try step([1, 2, 3]) }
    #expect(w.value.numbers == [10, 40])
  }

  @Test func theFirstErrorIsThrown() {
    expectError(
      "sum: axis 3 of an operand of shape [2]; expected an axis in -1...0"
    ) {
      _ = try compiled { (x: Tensor) in x.sum(along: [3]).matmul(x).reshaped(to: [17])[5] }([1, 2])
    }
  }

  @Test func errorsNameTheLayers() {
    expectError(
      "outer.inner: reshape: 2 elements do not fill shape [5] (operands: f32[2]); expected a shape of 2 elements"
    ) {
      _ = try compiled { (x: Tensor) in
        Recording.inScope("outer") { Recording.inScope("inner") { x.reshaped(to: [5]) } }
      }([1, 2])
    }
  }

  @Test func compiledFunctionsNest() throws {
    let inner = compiled { (x: Tensor) in tanh(x) * 2 }
    let outer = compiled { (x: Tensor) in try! inner(x) + (try! inner(x * 2)) }
    let x = Tensor([0.1, 0.2])
    expectSameBits(try outer(x), tanh(x) * 2 + tanh(x * 2) * 2)
    #expect(try outer.graph(for: x).outputTypes == [TensorType([2], .float64)])
  }

  @Test func compiledFunctionsAreDifferentiated() throws {
    let function = { (x: Tensor) in (tanh(x) * x).sum() }
    let step = compiled(function)
    let x = Tensor([0.1, 0.2])
    expectSameBits(gradient(at: x) { try! step($0) }, gradient(at: x, of: function))
    let second = gradient(at: x) { x in gradient(at: x) { try! step($0) }.sum() }
    expectSameBits(second, gradient(at: x) { x in gradient(at: x, of: function).sum() })
  }

  @Test func compiledFunctionsRunInLoops() throws {
    let cell = compiled { (h: Tensor, x: Tensor) in tanh(h + x) }
    let x = sample([4, 2], seed: 1)
    for unroll in [Unroll.never, .full] {
      let found = scan(over: x, from: Tensor([0.0, 0]), unroll: unroll) { h, x in
        let next = try! cell(h, x)
        return (next, next)
      }
      let expected = scan(over: x, from: Tensor([0.0, 0]), unroll: true) { h, x in (tanh(h + x), h) }
      expectSameBits(found.state, expected.state, "\(unroll)")
    }
  }

  @Test func argumentsUnderAGradientAreTakenAsTheyAre() throws {
    let x = Tensor([1.0, 2])
    let (_, pullback) = valueWithPullback(at: x) { $0 * $0 }
    // The tape of the pullback is open no more, so its result is a plain argument.
    #expect(try compiled { (x: Tensor) in x + 1 }(pullback(x)).numbers == [3, 9])
  }

  @Test func functionsOfNothing() throws {
    #expect(try compiled { Tensor([1, 2]) * 2 }().numbers == [2, 4])
    #expect(try compiled { (_: Tensor) in Empty() }([1]) == Empty())
  }

  @Test func emptyTensorsGoThrough() throws {
    let step = compiled { (x: Tensor) in [exp(x) + 1, x.sum(along: [0]), x.matmul(x.transposed())] }
    let found = try step(.zeros([0, 3]))
    #expect(found.map(\.shape) == [[0, 3], [3], [0, 0]])
    #expect(found[1].numbers == [0, 0, 0])
  }
}
