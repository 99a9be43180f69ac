import Reel
import Testing

/// Errors that no boundary takes end the process; each test runs its own.
@Suite struct TrapTests {
  static func message(_ result: ExitTest.Result?) -> String {
    String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
  }

  @Test func aBareErrorTrapsWithTheWordsThatAreThrown() async throws {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor.zeros([2, 3]).matmul(.zeros([2, 3]))
    }
    var thrown = ""
    do {
      _ = try Graph(tracing: [TensorType([2, 3])]) { [$0[0].matmul($0[0])] }
    } catch {
      thrown = "\(error)"
    }
    #expect(thrown.hasPrefix("matmul: the last axis of the left operand is 3"))
    #expect(Self.message(result).contains(thrown))
  }

  @Test func aStagedTensorThatEscapesTraps() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      nonisolated(unsafe) var escaped: Tensor = 0
      _ = try Graph(tracing: [TensorType([2])]) { x in
        escaped = x[0] * 2
        return x
      }
      _ = escaped + 1
    }
    expectInDebug(result, "a staged tensor of type f32[2] escaped the closure it was recorded in")
  }

  @Test func aTensorOfALoopBodyThatEscapesTraps() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var escaped: Tensor = 0
      _ = scan(over: Tensor([1, 2] as [Float]), from: 0 as Tensor) { state, x in
        escaped = x
        return (state + x, Empty())
      }
      _ = exp(escaped)
    }
    expectInDebug(result, "a staged tensor of type f32[] escaped the closure it was recorded in")
  }

  @Test func elementsOfAStagedTensorCannotBeRead() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = try compiled { (x: Tensor) in x.sum().item > 0 ? x : -x }([1, 2])
    }
    #expect(Self.message(result).contains("the elements of a tensor of type f32[] were read while it is being staged"))
  }

  @Test func aRecordedTensorIsNotCapturedByAnotherGraph() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = try Graph(tracing: [TensorType([2])]) { x in
        let inner = try Graph(tracing: [TensorType([2])]) { y in [x[0] + y[0]] }
        return inner(x)
      }
    }
    expectInDebug(result, "one operation combines tensors of two recordings that are not nested in each other")
  }

  @Test func elementsAreReadAsTheirOwnType() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor([1.0, 2]).scalars(as: Float.self)
    }
    expectInDebug(result, "a tensor of type f64[2] holds f64 elements, not f32; convert it first")
  }

  @Test func itemReadsOneElement() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor([1.0, 2]).item
    }
    expectInDebug(result, "item reads a tensor of one element, not of shape [2]")
  }

  @Test func theDefaultTypeIsAFloatingPointType() async {
    await #expect(processExitsWith: .failure) { ElementType.withDefault(.int32) {} }
  }

  @Test func aTensorHasAsManyElementsAsItsShape() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor([1.0, 2], shape: [3])
    }
    expectInDebug(result, "2 elements do not fill shape [3]")
  }

  @Test func anAssignmentInTheBodyOfALoopTraps() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let w = Variable(0, name: "w")
      _ = scan(over: Tensor([1, 2] as [Float]), from: 0 as Tensor) { state, x in
        w.value = state
        return (state + x, Empty())
      }
    }
    #expect(Self.message(result).contains("assign: variable 'w' is assigned in the body of a loop"))
  }

  /// Preconditions keep their words in debug builds only.
  private func expectInDebug(
    _ result: ExitTest.Result?, _ words: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    var isDebug = false
    assert(
      {
        isDebug = true; return true
      }())
    if isDebug { #expect(Self.message(result).contains(words), sourceLocation: sourceLocation) }
  }
}
