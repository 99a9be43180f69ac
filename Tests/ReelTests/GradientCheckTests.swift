import Reel
import ReelTestSupport
import Testing

@Suite struct GradientCheckTests {
  static let modes: [GradientCheckMode] = [.automatic, .directional, .complete]

  @Test(arguments: modes)
  func rightGradientsOfAnyOrderPass(mode: GradientCheckMode) throws {
    let report = try checkGradients(
      of: { (x: Tensor, y: Tensor) in tanh(x.matmul(y)) / (1 + x.sum() * x.sum()) }, at: sample([3, 4], seed: 1),
      sample([4, 2], seed: 2), order: 3, mode: mode)
    #expect(report.entries.map(\.tensor) == ["input0", "input1", "input0", "input1", "input0", "input1"])
    #expect(report.entries.map(\.order) == [1, 1, 2, 2, 3, 3])
    #expect(report.worstRelativeError < 1e-6 && report.kinks == 0)
    let counts = report.entries.map { [$0.elementCount, $0.directionCount] }
    switch mode {
    case .automatic: #expect(counts == [[12, 0], [8, 0], [0, 2], [8, 0], [0, 2], [8, 0]])
    case .directional: #expect(counts == [[0, 3], [0, 3], [0, 2], [0, 2], [0, 2], [0, 2]])
    case .complete: #expect(counts == [[12, 0], [8, 0], [12, 0], [8, 0], [12, 0], [8, 0]])
    }
  }

  @Test func structuresAreNamedByTheirPaths() throws {
    let state = ["hidden": sample([2], seed: 1), "cell": sample([3], seed: 2)]
    let report = try checkGradients(
      of: { (state: [String: Tensor], x: Tensor) in [state["hidden"]! * x, exp(state["cell"]!)] }, at: state,
      Tensor(2.0))
    #expect(report.entries.map(\.tensor) == ["input0.cell", "input0.hidden", "input1"])
  }

  @Test func whatIsNoFloatingPointNumberIsPassedOn() throws {
    let labels = Tensor([2, 0] as [Int32])
    let report = try checkGradients(
      of: { (x: Tensor, labels: Tensor) in (x * labels.oneHot(3)).sum() }, at: sample([2, 3], seed: 1), labels)
    #expect(report.entries.map(\.tensor) == ["input0"])
  }

  @Test func float32ArgumentsAreConverted() throws {
    let report = try checkGradients(
      of: { (x: Tensor) in
        #expect(x.elementType == .float64)
        return sigmoid(x) * Tensor.ones([4])
      }, at: sample([4], seed: 1, elementType: .float32))
    #expect(report.worstRelativeError < 1e-8)
  }

  @Test func variablesAreCheckedAndRestored() throws {
    let first = Variable(sample([3], seed: 1, elementType: .float32), name: "first")
    let second = Variable(sample([3], seed: 2))
    let values = (first.value, second.value)
    let report = try checkGradients(
      of: { (x: Tensor) in
        scan(over: x, from: Tensor.zeros([3])) { h, x in
          let next = tanh(h * first.value + x)
          return (next, next * second.value)
        }.outputs
      }, at: sample([4, 3], seed: 3), order: 2)
    #expect(report.entries.map(\.tensor) == ["input", "first", "variable1", "input", "first", "variable1"])
    expectSameBits(first.value, values.0)
    expectSameBits(second.value, values.1)
  }

  @Test func aVariableThatTheFunctionAssignsStartsOverInEveryCall() throws {
    let count = Variable(Tensor(1.0), name: "count")
    let report = try checkGradients(
      of: { (x: Tensor) in
        count.value = count.value + 1
        return x * count.value * count.value
      }, at: sample([2], seed: 1), order: 2)
    #expect(report.entries.map(\.tensor) == ["input", "count", "input", "count"])
    #expect(count.value.item == 1)
  }

  @Test(arguments: [Unroll.never, .by(2), .full])
  func loopsWithGradientsInside(unroll: Unroll) throws {
    try checkGradients(
      of: { (xs: Tensor, w: Tensor) in
        scan(over: xs, from: Tensor.zeros([2]), unroll: unroll) { h, x in
          let slope = gradient(at: h) { h in (tanh(h * w) * x).sum() }
          return (h + slope, slope * w)
        }.outputs
      }, at: sample([3, 2], seed: 1), sample([2], seed: 2), order: 2)
  }

  @Test func aCheckInsideAGradientLooksAtValues() throws {
    let slope = gradient(at: Tensor(0.5)) { x in
      #expect(throws: Never.self) { try checkGradients(of: { (y: Tensor) in tanh(y) }, at: x) }
      return x * x
    }
    #expect(slope.item == 1)
  }

  @Test func theReportIsATable() throws {
    let report = try checkGradients(
      of: { (x: Tensor, w: Tensor) in abs(x).sum() + (w * 2).sum() }, at: Tensor([0.0, 4, -8]), .zeros([10, 20]))
    #expect(
      report.description.split(separator: "\n").map { $0.prefix(36) } == [
        "order  tensor  shape    checked     ",
        "1      input0  [3]      3 elements  ",
        "1      input1  [10,20]  3 directions",
      ])
    #expect(report.entries.map(\.verdict) == ["agrees, 1 kink", "agrees"])
  }
}

// MARK: - Where differences are hard

extension GradientCheckTests {
  static let relu: @Sendable (Tensor) -> Tensor = { select($0 .> 0, $0, 0) }

  @Test(arguments: modes, [1, 2])
  func kinksAreNotWrong(mode: GradientCheckMode, order: Int) throws {
    let x = Tensor([0.0, 1, -1, 0, 3])
    for function in [Self.relu, { abs($0) }, { maximum($0, 0) * $0 + abs($0) }] {
      let report = try checkGradients(of: function, at: x, order: order, mode: mode)
      #expect(report.entries.map(\.kinks) == Array(repeating: 2, count: order), "\(report)")
    }
    #expect(try checkGradients(of: { (x: Tensor) in floor(x) + x }, at: x + 0.5, mode: mode).kinks == 0)
    #expect(try checkGradients(of: { (x: Tensor) in floor(x) + x }, at: x, mode: mode).kinks == 5)
  }

  @Test func manyKinksInOneElement() throws {
    // Every row of the product has a kink at 0, and random weights add them up: the slopes on both sides need not have
    // the derivative 0 between them.
    let report = try checkGradients(
      of: { (x: Tensor, w: Tensor) in Self.relu(x.matmul(w)) }, at: .zeros([1, 3]), sample([3, 20], seed: 2))
    #expect(report.entries[0].kinks == 3)
  }

  @Test(arguments: [1e-2, 1e-3, 1e-4, 1e-5])
  func aKinkBesideThePointIsNone(distance: Double) throws {
    let report = try checkGradients(of: { (x: Tensor) in abs(x - Tensor(distance)) * 3 }, at: Tensor([0.0, 1]))
    #expect(report.kinks == 0 && report.worstRelativeError < 1e-6)
  }

  @Test func aKinkHidesNoWrongGradientBesideIt() {
    let x = Tensor([0.0, 1, -1, 0, 3])
    for mode in Self.modes {
      #expect(throws: GradientCheckError.self) {
        try checkGradients(of: { (x: Tensor) in abs(x) + 0.001 * faultyTanh(x) }, at: x, mode: mode)
      }
    }
  }

  @Test func steepAndUnevenFunctions() throws {
    try checkGradients(of: { (x: Tensor) in log(x) }, at: Tensor([1e-5, 1, 20, 100]), order: 2)
    try checkGradients(of: { (x: Tensor) in log(exp(x) + 1) }, at: Tensor([1e-8, 1, 20, 100]), order: 2)
    try checkGradients(of: { (x: Tensor) in tanh(x * 1e5) }, at: Tensor([0.0, 1e-5, 1]))
    try checkGradients(of: { (x: Tensor) in sin(x * 300) }, at: sample([100], seed: 1), order: 2)
  }

  @Test func noiseIsMeasured() throws {
    // What is added and taken away leaves rounding of 1e-8, far above that of the result.
    let report = try checkGradients(of: { (x: Tensor) in (x * x * 1e-6 + 1e8) - 1e8 }, at: sample([3], seed: 1))
    #expect(report.entries[0].limitedByRoundOff == 3)
    #expect(report.entries[0].verdict == "agrees, 3 below round-off")
    try checkGradients(of: { (x: Tensor) in tanh(x.converted(to: .float32)) }, at: sample([3, 4], seed: 1))
  }
}
