import Foundation
import Reel
import ReelTestSupport
import Synchronization
import Testing

/// The checks of the operation table find what is wrong: each is given a row with one mistake.
@Suite struct OperationChecksTests {
  typealias Row = OperationRow

  static let sine: @Sendable ([Numbers]) -> Numbers = Numbers.elementwise { Foundation.sin($0[0]) }

  @Test func aWrongTypeIsFound() throws {
    let shape = Row("sin", [.real([2, 3])]) {
      sin($0[0])
    } reference: {
      Self.sine($0).reshaped([3, 2])
    }
    #expect(try shape.typeFailure() == "eager result of type f32[2,3], not f32[3,2]")
    let elementType = Row("sin", [.real([2])], gives: .int32) {
      sin($0[0])
    } reference: {
      Self.sine($0)
    }
    #expect(try elementType.typeFailure() == "eager result of type f32[2], not i32[2]")
  }

  @Test func aRowWithoutItsOperationIsFound() throws {
    let row = Row("tanh", [.real([2])]) {
      sin($0[0])
    } reference: {
      Self.sine($0)
    }
    #expect(try row.typeFailure()?.hasPrefix("the row records no operation 'tanh'") == true)
  }

  @Test func aWrongValueIsFound() {
    let row = Row("sin", [.real([2, 3])]) {
      sin($0[0])
    } reference: {
      Numbers.elementwise { Foundation.sin($0[0]) + 1e-12 }($0)
    }
    #expect(row.valueFailure()?.hasPrefix("f64 value element 0 of [2,3]") == true)
  }

  /// A sine with a pullback of one's own.
  static func sine(_ pullback: @escaping @Sendable (Tensor, Tensor) -> Tensor) -> Row {
    Row("customPullback", [.real([2, 3])]) {
      withCustomPullback(at: $0[0]) {
        sin($0)
      } pullback: { x, _, cotangent in
        pullback(x, cotangent)
      }
    } reference: {
      sine($0)
    }
  }

  @Test func aWrongPullbackIsFound() {
    #expect(Self.sine { $1 * cos($0) * 1.000001 }.gradientFailure()?.hasPrefix("gradient 0 element 0") == true)
    #expect(Self.sine { $1 * 0 * $0 }.gradientFailure() == "the gradient is zero")
    #expect(Self.sine { $1 * cos($0) }.gradientFailure() == nil)
  }

  @Test func aDerivativeThatShouldNotBeIsFound() {
    let row = Row("sin", [.real([3], isDifferentiable: false)]) {
      sin($0[0])
    } reference: {
      Self.sine($0)
    }
    #expect(row.gradientFailure()?.hasPrefix("operand 0 has a derivative") == true)
  }

  @Test func aWrongSecondDerivativeIsFound() {
    let row = Self.sine { $1 * stopGradient(cos($0)) }
    #expect(row.gradientFailure() == nil)
    #expect(row.secondOrderFailure()?.hasPrefix("second derivative 0 element 0") == true)
  }

  @Test func aWrongBatchingRuleIsFound() throws {
    let row = Row("wrongBatching", [.real([2, 3])]) {
      WrongBatching()($0[0])
    } reference: {
      $0[0]
    }
    #expect(row.valueFailure() == nil)
    #expect(try row.batchingFailure()?.hasPrefix("value, [true]: batch of output 0 element 0") == true)
    let extent = Row("sin", [.real([2, 7])]) {
      sin($0[0])
    } reference: {
      Self.sine($0)
    }
    #expect(try extent.batchingFailure() == "an operand has the extent of the batch")
  }

  @Test func aWrongForwardRuleIsFound() throws {
    let row = Row("wrongPushforward", [.real([2, 3])]) {
      WrongPushforward()($0[0])
    } reference: {
      $0[0]
    }
    #expect(row.gradientFailure() == nil)
    #expect(try row.forwardFailure()?.hasPrefix("Jacobian by operand 0 element 0") == true)
    let stopped = Row("wrongPushforward", [.real([3], isDifferentiable: false)]) {
      WrongPushforward()($0[0])
    } reference: {
      $0[0]
    }
    #expect(try stopped.forwardFailure() == "operand 0 moves it by 2.0")
  }

  @Test func modesThatDoNotNestAreFound() throws {
    let row = Self.sine { x, cotangent in cotangent * cos(x) }
    #expect(try row.mixedFailure() == nil)
    let constant = Row("wrongPushforward", [.real([2, 3])]) {
      let x = $0[0]
      return WrongPushforward()(x * x)
    } reference: {
      $0[0]
    }
    #expect(try constant.mixedFailure()?.hasPrefix("reverse over forward by operand 0") == true)
  }

  @Test func aWrongThirdDerivativeIsFound() {
    // The slope of the second pullback is right, that of the third is not.
    let row = Self.sine { x, cotangent in
      cotangent
        * withCustomPullback(at: x) {
          cos($0)
        } pullback: { x, _, cotangent in
          -cotangent * stopGradient(sin(x))
        }
    }
    #expect(row.secondOrderFailure() == nil)
    #expect(row.thirdOrderFailure()?.hasPrefix("third derivative 0 element 0") == true)
  }

  @Test func aWrongBatchOfBatchesIsFound() throws {
    let row = Row("wrongBatching", [.real([2, 3])]) {
      WrongBatching(isRightOnce: true)($0[0])
    } reference: {
      $0[0]
    }
    #expect(try row.batchingFailure() == nil)
    #expect(try row.nestedBatchingFailure()?.hasPrefix("[true] in [true]: batches element 0") == true)
  }

  @Test func codeThatComputesOtherBitsCompiledIsFound() throws {
    let calls = Mutex(0.0)
    let row = Row("sin", [.real([2, 3])]) { x in
      let call = calls.withLock { calls in
        calls += 0x1p-20
        return calls
      }
      return sin(x[0]) * Tensor(call).converted(to: x[0].elementType)
    } reference: {
      Self.sine($0)
    }
    #expect(try row.compiledFailure()?.hasPrefix("compiled, f32, element 0") == true)
  }

  @Test func aWrongPrecisionIsFound() {
    let row = Row("sin", [.real([2, 3])]) {
      $0[0].elementType == .float32 ? sin($0[0]) * 1.0001 : sin($0[0])
    } reference: {
      Self.sine($0)
    }
    #expect(row.precisionFailure()?.hasPrefix("float32 value element 0") == true)
    let gradient = Self.sine { $1 * cos($0) * ($0.elementType == .float32 ? 1.01 : 1) }
    #expect(gradient.precisionFailure()?.hasPrefix("float32 gradient 0 element 0") == true)
  }

  @Test func aWrongMessageIsFound() {
    let types = [TensorType([2]), TensorType([3])]
    #expect(
      BadOperands("add", types, "another message") { _ = $0[0] + $0[1] }.failure()?.hasPrefix("the message is") == true)
    #expect(BadOperands("add", types, "") { _ = $0[0] + $0[0] }.failure() == "no error")
  }
}

/// The operand itself, but for a batching rule that turns its elements round, if not at first then in what it makes.
private struct WrongBatching: Reel.Operation {
  var isRightOnce = false
  var name: String { "wrongBatching" }
  var isView: Bool { true }
  func resultTypes(of operands: [TensorType]) -> [TensorType] { operands }
  func run(_ operands: [Storage], into results: [Storage]) {}
  func pullback(_ context: PullbackContext) -> [Tensor?] { [context.cotangent] }
  func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] {
    [isRightOnce ? WrongBatching()(operands[0]) : operands[0].reversed(along: -1)]
  }
}

/// The operand itself, with a forward rule that is twice as large as its pullback says.
private struct WrongPushforward: Reel.Operation {
  var name: String { "wrongPushforward" }
  var isView: Bool { true }
  func resultTypes(of operands: [TensorType]) -> [TensorType] { operands }
  func run(_ operands: [Storage], into results: [Storage]) {}
  func pullback(_ context: PullbackContext) -> [Tensor?] { [context.cotangent] }
  func pushforward(_ operands: [Tensor], _ tangents: [Tensor?]) -> (results: [Tensor], tangents: [Tensor?]) {
    (apply(operands), tangents.map { $0.map { $0 * 2 } })
  }
  func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] { apply(operands) }
}
