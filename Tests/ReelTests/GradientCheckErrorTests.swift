import Reel
import ReelTestSupport
import Testing

@Suite struct GradientCheckErrorTests {
  /// The error that a check throws.
  static func error(
    _ function: @escaping (Tensor) -> Tensor, at x: Tensor = sample([3, 4], seed: 1), order: Int = 1,
    mode: GradientCheckMode = .automatic, sourceLocation: SourceLocation = #_sourceLocation
  ) -> GradientCheckError? {
    #expect(throws: GradientCheckError.self, sourceLocation: sourceLocation) {
      try checkGradients(of: function, at: x, order: order, mode: mode)
    }
  }

  static func wrong(
    _ function: @escaping (Tensor) -> Tensor, at x: Tensor = sample([3, 4], seed: 1), order: Int = 1,
    mode: GradientCheckMode = .automatic, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> WrongGradient {
    let error = error(function, at: x, order: order, mode: mode, sourceLocation: sourceLocation)
    guard case .wrongGradient(let gradient) = error else {
      throw TensorError(operation: "test", problem: "\(String(describing: error))")
    }
    return gradient
  }

  /// The square, said to have the slope x.
  static func halvedSlope(_ x: Tensor) -> Tensor {
    withCustomPullback(at: x, name: "square", of: { $0 * $0 }) { x, _, g in g * x }
  }

  @Test(arguments: GradientCheckTests.modes)
  func aWrongPullbackIsNamed(mode: GradientCheckMode) throws {
    for x in [sample([3, 4], seed: 1), sample([20, 30], seed: 2)] {
      let found = try Self.wrong({ cos(faultyTanh(sin($0)) * $0) }, at: x, mode: mode)
      #expect(found.tensor == "input" && found.index.count == 2 && found.order == 1)
      #expect(found.relativeError > 1e-6 && abs(found.analytic - found.numeric) > 8 * found.estimatedError)
      let operation = try #require(found.operation)
      #expect(operation.operation.name == "faultyTanh" && operation.hasGradient && operation.order == 1)
    }
  }

  @Test func oneWrongElementOfManyIsFound() throws {
    let fault = Tensor.iota(2000).reshaped(to: [40, 50]) .== 1234
    let found = try Self.wrong(
      { x in
        withCustomPullback(at: x, of: { tanh($0) }) { _, y, g in g * (1 - y * y) * select(fault, 1.001, 1) }
      }, at: sample([40, 50], seed: 3), mode: .directional)
    #expect(found.index == [24, 34])
    #expect(abs(found.relativeError - 0.001 / 1.001) < 1e-8)
    #expect(found.operation?.operation.name == "customPullback")
  }

  @Test(arguments: [Unroll.never, .by(2), .full])
  func aWrongPullbackInALoopIsNamed(unroll: Unroll) throws {
    func loop(_ fault: FaultyTanh.Fault, _ xs: Tensor) -> Tensor {
      scan(over: xs, from: Tensor.zeros([4]), unroll: unroll) { h, x in
        let next = faultyTanh(softmax(h) * x + h, fault)
        return (next, next * x)
      }.outputs
    }
    let first = try Self.wrong { loop(.missesSquare, $0) }
    #expect(first.operation?.operation.name == "faultyTanh")
    let second = try Self.wrong({ loop(.missesSecondOrder, $0) }, order: 2)
    #expect(second.order == 2)
    #expect(second.operation?.operation.name == "faultyTanh" && second.operation?.order == 2)
  }

  @Test func nestedLoopsAreLookedInto() throws {
    let found = try Self.wrong { xs in
      scan(over: xs, from: Tensor.zeros([4])) { h, x in
        let (last, _) = scan(over: stacked([x, h]), from: h) { h, x in (faultyTanh(x + h) * 0.5, Empty()) }
        return (last, last)
      }.outputs
    }
    #expect(found.operation?.operation.name == "faultyTanh")
  }

  @Test func whatIsOnlyWrongInTheSecondOrderPassesTheFirst() throws {
    let function = { (x: Tensor) in faultyTanh(x, .missesSecondOrder) * x }
    try checkGradients(of: function, at: sample([3, 4], seed: 1))
    let found = try Self.wrong(function, order: 2)
    #expect(found.order == 2 && found.operation?.order == 2)
    #expect("\(found)".hasPrefix("wrong second-order gradient by input[0, 0]: "))
    #expect(
      "\(found)".contains("; the derivative of the pullback of faultyTanh is wrong when checked alone (analytic 0, "))
  }

  @Test func whatGivesNoGradientIsNamed() throws {
    let stopped = try Self.wrong { x in sin(stopGradient(x)) }
    #expect(stopped.analytic == 0 && abs(stopped.numeric) > 1e-3)
    #expect("\(stopped)".hasSuffix("relative error 1; stopGradient lets no gradient through"))
    #expect(try Self.wrong { faultyTanh($0, .isSilent) + $0 }.operation?.operation.name == "faultyTanh")
    // The shift inside a softmax needs no gradient, and a wrong one is worse than none.
    #expect(try Self.wrong { softmax($0) * stopGradient(sin($0)) }.operation?.operation.name == "stopGradient")
    #expect(
      try Self.wrong { softmax($0) * stopGradient($0) + faultyTanh($0) }.operation?.operation.name == "faultyTanh")
  }

  @Test func whatIsComputedOutsideTheTapeHasNoOperation() throws {
    let found = try Self.wrong { softmax($0) * Tensor($0.sum().item) }
    #expect(found.operation == nil)
    #expect(
      "\(found)".hasSuffix(
        """
        ; every operation on the tape is right when checked alone, so that something is computed outside the tape, as \
        with item or numbers
        """))
  }

  @Test func aValueThatIsWrongAtAKinkOnly() throws {
    let found = try Self.wrong(
      { x in
        withCustomPullback(at: x, name: "distance", of: { abs($0) }) { x, _, g in select(x .== 0, g * 4, g * sign(x)) }
      }, at: Tensor([1.0, 0, -1]))
    #expect(found.index == [1])
    #expect(found.operation?.operation.name == "distance")
  }

  @Test func messagesOfWrongGradients() throws {
    let message = "\(try #require(Self.error(Self.halvedSlope, at: Tensor(4.0))))"
    #expect(
      message == """
        wrong gradient by input: analytic 4, numeric 8 ± 7e-12, relative error 0.5; the pullback of square is wrong when \
        checked alone (analytic 4, numeric 8)
        """)
    let silence = "\(try #require(Self.error({ stopGradient($0[1]) }, at: Tensor([1.0, 0.5]))))"
    #expect(
      silence == """
        wrong gradient by input[1]: analytic 0, numeric 1 ± 2e-12, relative error 1; stopGradient lets no gradient through
        """)
  }
}

// MARK: - Other errors

extension GradientCheckErrorTests {
  @Test func aFunctionThatIsNotDeterministic() throws {
    var calls = 0.0
    let error = Self.error { x in
      calls += 1
      return stacked([x.sum() * 0, Tensor(calls.truncatingRemainder(dividingBy: 2))])
    }
    #expect(
      "\(try #require(error))" == """
        the function is not deterministic: called twice with the same arguments, output[1] was 0.0 and then 1.0; draw \
        random numbers from a key made outside the function
        """)
    guard case .notDeterministic = Self.error({ $0 * .randomUniform([4]) }) else {
      Issue.record("random numbers of the process's own stream are not the same twice")
      return
    }
  }

  @Test func valuesThatAreNotFinite() throws {
    let messages: [(String, (Tensor) -> Tensor)] = [
      ("output[0] is -inf; the first operation to give a value that is not finite is log", { log($0) * 2 }),
      (
        "the gradient by input[0] is inf; the first operation to give a value that is not finite is divide",
        { sqrt($0) }
      ),
      (
        "the gradient by input[0] is nan; the first operation to give a value that is not finite is log",
        { select($0 .> 0, $0 * log($0), 0) }
      ),
      ("the value beside input[0] is nan", { power($0, 1.5) }),
    ]
    for (message, function) in messages {
      let error = Self.error({ function($0).sum().expanded(at: 0) }, at: Tensor([0.0, 1]))
      #expect("\(try #require(error))" == message)
    }
  }

  @Test func operandsThatDoNotFit() {
    expectError(
      """
      matmul: the last axis of the left operand is 4, the matching axis of the right one 3 (operands: f64[3,4], f64[3,4]); \
      expected extents that agree
      """
    ) {
      try checkGradients(of: { (x: Tensor) in x.matmul(x) }, at: sample([3, 4], seed: 1))
    }
    expectError(
      "half: the custom pullback gives f64[] (operands: f64[3]); expected one cotangent for each operand, of its type"
    ) {
      try checkGradients(
        of: { (x: Tensor) in withCustomPullback(at: x, name: "half", of: { $0 * 0.5 }) { _, _, g in g.sum() } },
        at: sample([3], seed: 1))
    }
  }
}
