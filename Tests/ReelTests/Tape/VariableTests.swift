import Reel
import ReelTestSupport
import Testing

@Suite struct VariableTests {
  static func variable(_ numbers: Double...) -> Variable { Variable(Tensor(numbers), name: "w") }

  @Test func readingAndAssigning() {
    let w = Self.variable(1, 2)
    #expect(w.name == "w")
    w.value = w.value * 3
    #expect(w.value.numbers == [3, 6])
    w.value += 1
    #expect(w.value.numbers == [4, 7])
  }

  @Test func gradientsByTheVariablesThatAreRead() {
    let (w, b, unused) = (Self.variable(1, 2), Self.variable(5), Self.variable(9))
    let (value, gradients) = valueWithVariableGradients { (w.value * w.value + b.value * w.value).sum() }
    #expect(value.item == 20)
    #expect(gradients.count == 2)
    #expect(gradients[ObjectIdentifier(w)]?.numbers == [7, 9])
    #expect(gradients[ObjectIdentifier(b)]?.numbers == [3])
    #expect(gradients[ObjectIdentifier(unused)] == nil)
  }

  @Test func integersHaveNoGradient() {
    let (w, steps) = (Self.variable(2), Variable(Tensor(Int32(3)), name: "steps"))
    let gradients = valueWithVariableGradients {
      steps.value += 1
      return (w.value * steps.value.converted(to: .float64)).sum()
    }.gradients
    #expect(gradients[ObjectIdentifier(w)]?.numbers == [4])
    #expect(gradients.count == 1)
    #expect(steps.value.item == 4)
  }

  @Test func gradientsAreByTheValueOnEntry() throws {
    // What is assigned depends on what was read before.
    let w = Self.variable(2)
    let loss = { () -> Tensor in
      w.value = w.value * w.value
      return (w.value * 3).sum()
    }
    let (value, gradients) = valueWithVariableGradients(loss)
    #expect(value.item == 12)
    #expect(gradients[ObjectIdentifier(w)]?.numbers == [12])
    #expect(w.value.numbers == [4])
    let step = compiled { (_: Empty) in valueWithVariableGradients(loss).gradients[ObjectIdentifier(w)]! }
    #expect(try step(Empty()).numbers == [24])
    #expect(w.value.numbers == [16])
  }

  @Test func nestedGradientsSeeTheirOwnVariable() throws {
    let w = Self.variable(3)
    let id = ObjectIdentifier(w)
    // d/dw (w · d/dw w³) = d/dw 3w³ = 9w²
    func outer() -> Tensor {
      valueWithVariableGradients {
        let inner = valueWithVariableGradients { (w.value * w.value * w.value).sum() }.gradients[id]!
        return (inner * w.value).sum()
      }.gradients[id]!
    }
    #expect(outer().numbers == [81])
    #expect(try compiled { (_: Empty) in outer() }(Empty()).numbers == [81])
    // Mixed with a gradient by an argument: d/dx (x · d/dw (w² · x)) = d/dx 2w·x² = 4wx
    let mixed = gradient(at: Tensor([5.0])) { x in
      (x * valueWithVariableGradients { (w.value * w.value * x).sum() }.gradients[id]!).sum()
    }
    #expect(mixed.numbers == [60])
  }

  @Test func anEagerGradientMayAssign() {
    let (w, mean) = (Self.variable(2), Self.variable(0))
    let gradients = valueWithVariableGradients {
      let y = w.value * 5
      mean.value = 0.5 * mean.value + 0.5 * stopGradient(y)
      return y.sum()
    }.gradients
    #expect(mean.value.numbers == [5])
    #expect(gradients[ObjectIdentifier(w)]?.numbers == [5])
  }

  @Test func compiledCodeReadsAndAssigns() throws {
    let (w, count) = (Self.variable(1, 2), Variable(Tensor(Int32(0)), name: "count"))
    let step = compiled { (x: Tensor) in
      let before = w.value
      w.value = before * x
      count.value += 1
      w.value += 1
      return before + w.value
    }
    #expect(try step(Tensor([10.0, 10])).numbers == [12, 23])
    #expect(w.value.numbers == [11, 21])
    let kept = w.value
    #expect(try step(Tensor([2.0, 2])).numbers == [34, 64])
    #expect(count.value.item == 2)
    // Assigned from outside, the next call sees it; what was read before keeps its elements.
    w.value = Tensor([0.0, 1])
    #expect(try step(Tensor([1.0, 1])).numbers == [1, 3])
    #expect(kept.numbers == [11, 21])
  }

  @Test func aVariableThatIsOnlyAssigned() throws {
    let (w, copy) = (Self.variable(1), Self.variable(0))
    let set = compiled { (x: Tensor) -> Empty in
      w.value = x
      copy.value = x
      return Empty()
    }
    _ = try set(Tensor([7.0]))
    #expect(w.value.numbers == [7] && copy.value.numbers == [7])
    #expect(try set.graph(for: Tensor([7.0])).inputTypes.count == 1)
  }

  @Test func variablesThatSwapTheirValues() throws {
    let (a, b) = (Self.variable(1), Self.variable(2))
    let swap = compiled { (_: Empty) -> Empty in
      (a.value, b.value) = (b.value, a.value)
      return Empty()
    }
    for round in 1...3 {
      _ = try swap(Empty())
      #expect([a.value.item, b.value.item] == (round % 2 == 1 ? [2, 1] : [1, 2]))
    }
  }

  @Test func aVariableOfANewTypeIsRecordedAgain() throws {
    let w = Self.variable(1, 2)
    let step = compiled { (_: Empty) in w.value.sum() }
    #expect(try step(Empty()).item == 3)
    w.value = Tensor([1, 2, 4] as [Float])
    #expect(try step(Empty()).item == 7)
  }

  @Test func loopBodiesReadVariables() throws {
    let w = Self.variable(2)
    func loss() -> Tensor {
      scan(over: Tensor([1.0, 2, 3]), from: Tensor([0.0])) { ($0 * w.value + $1, Empty()) }.state.sum()
    }
    #expect(loss().item == 11)
    // ((1)·w + 2)·w + 3 has the slope 2w + 2.
    #expect(valueWithVariableGradients(loss).gradients[ObjectIdentifier(w)]?.numbers == [6])
    let step = compiled { (_: Empty) in valueWithVariableGradients(loss).gradients[ObjectIdentifier(w)]! }
    #expect(try step(Empty()).numbers == [6])
    w.value = Tensor([3.0])
    #expect(try step(Empty()).numbers == [8])
  }

  @Test func loopBodiesMayNotAssign() {
    let w = Self.variable(2)
    let message =
      "assign: variable 'w' is assigned in the body of a loop or a vectorized function; expected the value to be carried or returned, and the assignment after it"
    expectError(message) {
      _ = try compiled { (x: Tensor) in
        scan(over: x, from: Tensor([0.0])) { state, x in
          w.value = state
          return (state + x, Empty())
        }.state
      }(Tensor([1.0, 2]))
    }
    #expect(w.value.numbers == [2])
  }
}
