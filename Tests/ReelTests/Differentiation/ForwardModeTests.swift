import Reel
import ReelTestSupport
import Testing

@Suite struct ForwardModeTests {
  /// A recurrent function of everything that a loop can take: a sequence, a captured weight and a first state.
  static func recurrence(_ x: Tensor, _ w: Tensor, _ h: Tensor, unroll: Unroll = .never) -> Tensor {
    let (state, outputs) = scan(over: x, from: h, unroll: unroll) { state, x in
      let next = tanh(x + state.matmul(w))
      return (next, next * x)
    }
    return state.sum() + (outputs * outputs).sum()
  }

  static let point = [sample([4, 2, 3], seed: 1), sample([3, 3], seed: 2), sample([2, 3], seed: 3)]
  static let direction = [sample([4, 2, 3], seed: 4), sample([3, 3], seed: 5), sample([2, 3], seed: 6)]

  static func function(_ x: [Tensor]) -> Tensor { recurrence(x[0], x[1], x[2]) }

  static func product(_ x: [Tensor], _ y: [Tensor]) -> Tensor {
    zip(x, y).reduce(number(0.0)) { $0 + ($1.0 * $1.1).sum() }
  }

  @Test func aLoopCarriesItsTangentsAlong() throws {
    let expected = Self.product(gradient(at: Self.point, of: Self.function), Self.direction)
    let (value, derivative) = valueWithDerivative(at: Self.point, along: Self.direction, of: Self.function)
    expectSameBits(value, Self.function(Self.point))
    expectClose(derivative, expected, relative: 1e-12)
    let program = try Graph(tracing: (Self.point + Self.direction).map(\.type)) { x in
      [jvp(at: Array(x[..<3]), along: Array(x[3...]), of: Self.function)]
    }
    let loops = program.nodes.filter { $0.operation.name == "scan" }
    #expect(loops.count == 1, "\(program)")
    // Two carries and the slice with its tangent: no stack of the steps is kept.
    #expect(loops[0].results.map(\.shape) == [[2, 3], [2, 3], [4, 2, 3], [4, 2, 3]])
    expectClose(program(Self.point + Self.direction)[0], expected, relative: 1e-12)
  }

  @Test func everyLayoutOfALoopGivesTheSameDerivative() {
    let expected = jvp(at: Self.point, along: Self.direction, of: Self.function)
    for unroll in [Unroll.full, .by(2), .by(3)] {
      let found = jvp(at: Self.point, along: Self.direction) {
        Self.recurrence($0[0], $0[1], $0[2], unroll: unroll)
      }
      expectClose(found, expected, relative: 1e-13, "\(unroll)")
    }
  }

  @Test func onlyWhatMovesIsCarried() throws {
    let graph = try Graph(tracing: Self.point.map(\.type)) { x in
      [jvp(at: x[0], along: .ones(like: x[0])) { Self.recurrence($0, x[1], x[2]) }]
    }
    let unmoved = try Graph(tracing: Self.point.map(\.type)) { x in
      [
        jvp(at: x[1], along: .ones(like: x[1])) { w in
          scan(over: x[0], from: x[2]) { state, x in (state + x, x.matmul(w)) }.state.sum()
        }
      ]
    }
    // The elements and the state move, the weight does not: two captured values would be its tangent.
    let loop = graph.nodes.first { $0.operation.name == "scan" }
    #expect(loop?.operation.attributes == "length=4, captured=1, carries=2", "\(graph)")
    expectSameBits(unmoved(Self.point)[0], number(0.0))
    #expect(!unmoved.nodes.contains { $0.operation.name == "scan" }, "\(unmoved)")
  }

  /// Every nesting of the two modes of the second derivative along a direction.
  @Test func theModesNestThroughALoop() throws {
    let (x, v) = (Self.point, Self.direction)
    let expected = gradient(at: x) { x in Self.product(gradient(at: x, of: Self.function), v) }
    let ways: [(String, ([Tensor]) -> [Tensor])] = [
      ("forward over reverse", { jvp(at: $0, along: v) { gradient(at: $0, of: Self.function) } }),
      ("reverse over forward", { gradient(at: $0) { jvp(at: $0, along: v, of: Self.function) } }),
      ("the product", { hessianVectorProduct(at: $0, along: v, of: Self.function) }),
    ]
    for (name, way) in ways {
      for (found, expected) in zip(way(x), expected) { expectClose(found, expected, relative: 1e-11, name) }
      for (found, expected) in zip(try compiled(way)(x), expected) {
        expectClose(found, expected, relative: 1e-11, "\(name), compiled")
      }
    }
    // The third derivative along one line, three times forward and three times reverse.
    let forward = jvp(at: x, along: v) { jvp(at: $0, along: v) { jvp(at: $0, along: v, of: Self.function) } }
    let second = { (x: [Tensor]) in
      Self.product(gradient(at: x) { Self.product(gradient(at: $0, of: Self.function), v) }, v)
    }
    expectClose(forward, Self.product(gradient(at: x, of: second), v), relative: 1e-10)
  }

  /// Derivatives of a recurrence of one number, order by order: of the loop by either mode, and of its steps.
  @Test func everyOrderOfALoopIsThatOfItsSteps() {
    func recurrence(_ w: Tensor, _ unroll: Unroll) -> Tensor {
      scan(over: Tensor([0.3, -0.2, 0.5]), from: number(0.4), unroll: unroll) { h, x in (sin(w * h + x), Empty()) }
        .state
    }
    typealias Function = (Tensor) -> Tensor
    let modes: [(String, (@escaping Function) -> Function)] = [
      ("reverse", { function in { gradient(at: $0, of: function) } }),
      ("forward", { function in { jvp(at: $0, along: number(1), of: function) } }),
    ]
    for (name, differentiated) in modes {
      var (loop, steps): (Function, Function) = ({ recurrence($0, .never) }, { recurrence($0, .full) })
      var numeric = steps
      for order in 1...4 {
        let before = numeric
        (loop, steps) = (differentiated(loop), differentiated(steps))
        numeric = steps
        let expected = NumericDerivative { before($0[0]) }.gradient(at: [number(1.1)])[0]
        expectClose(steps(number(1.1)), expected, relative: 1e-8, absolute: 1e-8, "\(name), order \(order)")
        expectClose(loop(number(1.1)), steps(number(1.1)), relative: 1e-11, absolute: 1e-12, "\(name), order \(order)")
      }
    }
  }

  @Test func structuresAndSeveralArgumentsGoInAndOut() {
    let (x, y) = (Tensor([1.0, 2]), ["a": number(3.0), "b": Tensor([4.0, 5])])
    let (value, derivative) = valueWithDerivative(
      at: x, y, along: Tensor([1.0, 0]), ["a": number(0.0), "b": Tensor([0.0, 1])]
    ) { x, y in Pair(x * y["a"]!, [y["b"]! * y["b"]!, Tensor([2, 3] as [Int32])]) }
    expectSameBits(value.first, Tensor([3.0, 6]))
    expectSameBits(derivative.first, Tensor([3.0, 0]))
    expectSameBits(derivative.second[0], Tensor([0.0, 10]))
    // Integers do not move.
    expectSameBits(derivative.second[1], Tensor([0, 0] as [Int32]))
  }

  @Test func literalsAreTensorsOfTheirType() {
    let (value, derivative) = valueWithDerivative(at: 2 as Tensor, along: 3 as Tensor) { $0 * $0 }
    expectSameBits(value, Tensor(Float(4)))
    expectSameBits(derivative, Tensor(Float(12)))
  }

  @Test func variablesAreReadAndAssigned() throws {
    let (w, count) = (Variable(Tensor([2.0, 3]), name: "w"), Variable(number(0.0), name: "count"))
    let derivative = { (x: Tensor) in
      jvp(at: x, along: .ones(like: x)) { x in
        count.value += 1
        return (x * w.value * count.value).sum()
      }
    }
    expectSameBits(derivative(Tensor([1.0, 1])), number(5.0))
    #expect(count.value.item == 1)
    expectSameBits(try compiled(derivative)(Tensor([1.0, 1])), number(10.0))
    #expect(count.value.item == 2)
    expectSameBits(gradient(at: Tensor([1.0, 1])) { derivative($0) * 0 + count.value }, Tensor([0.0, 0]))
    #expect(count.value.item == 3)
  }

  @Test func randomNumbersAreDrawnAsWithoutTheDerivative() {
    let x = Tensor([1.0, 2, 3])
    let function = { (x: Tensor) in x * Tensor.randomUniform([3], elementType: .float64) }
    let expected = withRandomSeed(7) { [function(x), function(x)] }
    let found = withRandomSeed(7) { [jvp(at: x, along: x, of: function), function(x)] }
    for (found, expected) in zip(found, expected) { expectSameBits(found, expected) }
  }

  @Test func aStoppedGradientStopsTangentsToo() {
    let x = Tensor([1.0, 2])
    expectSameBits(jvp(at: x, along: x) { stopGradient($0) }, Tensor([0.0, 0]))
    expectSameBits(jvp(at: x, along: x) { $0 * stopGradient($0) }, x * x)
  }

  @Test func aPullbackOfOnesOwnIsTransposed() throws {
    let x = Tensor([1.0, 2])
    for unroll in [Unroll.never, .full] {
      let function = { (x: Tensor) in
        scan(over: x, from: number(0.0), unroll: unroll) { ($0 + CustomPullbackTests.square($1), Empty()) }.state
      }
      expectSameBits(jvp(at: x, along: Tensor([1.0, 1]), of: function), number(60.0))
      let product = hessianVectorProduct(at: x, along: Tensor([1.0, 2]), of: function)
      expectSameBits(product, Tensor([20.0, 40]))
      expectSameBits(try compiled { hessianVectorProduct(at: $0, along: Tensor([1.0, 2]), of: function) }(x), product)
    }
  }

  @Test func aPullbackThatIsNotLinearHasNoTranspose() {
    expectError(
      """
      clip: a derivative along a direction through a pullback that is not linear in its cotangent (operands: f32[2]); \
      expected a linear pullback, which has a transpose
      """
    ) {
      _ = try compiled { (x: Tensor) in
        jvp(at: x, along: x) {
          withCustomPullback(at: $0, name: "clip") {
            $0 * 2
          } pullback: { _, _, cotangent in
            maximum(minimum(cotangent, 1), -1)
          }
        }
      }([1, 2])
    }
  }
}
