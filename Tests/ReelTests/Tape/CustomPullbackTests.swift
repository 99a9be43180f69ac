import Reel
import ReelTestSupport
import Testing

@Suite struct CustomPullbackTests {
  /// x² with a slope that is ten times too large, so that it shows which pullback was used.
  static func square(_ x: Tensor) -> Tensor {
    withCustomPullback(at: x, name: "square") {
      $0 * $0
    } pullback: { x, _, cotangent in
      cotangent * 20 * x
    }
  }

  @Test func thePullbackIsTheOneGiven() throws {
    let x = Tensor([1.0, 2])
    expectSameBits(Self.square(x), x * x)
    expectSameBits(gradient(at: x) { Self.square($0).sum() }, 20 * x)
    expectSameBits(try compiled { (x: Tensor) in gradient(at: x) { Self.square($0).sum() } }(x), 20 * x)
    let second = { (x: Tensor) in gradient(at: x) { x in gradient(at: x) { Self.square($0).sum() }.sum() } }
    expectSameBits(second(x), Tensor([20.0, 20]))
    expectSameBits(try compiled(second)(x), Tensor([20.0, 20]))
  }

  @Test func itMayUseTheValue() {
    let x = Tensor([0.5, -1])
    let found = gradient(at: x) { x in
      withCustomPullback(at: x) {
        exp($0)
      } pullback: { _, value, cotangent in
        cotangent * value
      }.sum()
    }
    expectSameBits(found, exp(x))
  }

  @Test func structuresGoInAndOut() {
    let (x, y) = (Tensor([1.0, 2]), Tensor([3.0, 4]))
    let (dx, dy) = gradient(at: x, y) { x, y in
      let result = withCustomPullback(at: Pair(x, [y])) { input in
        ["product": input.first * input.second[0], "sum": input.first.sum()]
      } pullback: { input, value, cotangent in
        #expect(value.keys.sorted() == ["product", "sum"])
        return Pair(
          cotangent["product"]! * input.second[0] + cotangent["sum"]!, [cotangent["product"]! * input.first * 100])
      }
      return result["product"]!.sum() + 7 * result["sum"]!
    }
    expectSameBits(dx, y + 7)
    expectSameBits(dy, 100 * x)
  }

  @Test func aResultThatIsNotUsedHasCotangentZero() {
    let found = gradient(at: Tensor([1.0, 2])) { x in
      withCustomPullback(at: x) {
        [$0 * 2, $0 * 3]
      } pullback: { _, _, cotangent in
        #expect(cotangent[1].numbers == [0, 0])
        return cotangent[0] * 2
      }[0].sum()
    }
    expectSameBits(found, Tensor([2.0, 2]))
  }

  @Test func cotangentsOfAnotherTypeAreReported() {
    expectError(
      "narrow: the custom pullback gives f32[] (operands: f32[2]); expected one cotangent for each operand, of its type"
    ) {
      _ = try compiled { (x: Tensor) in
        gradient(at: x) { x in
          withCustomPullback(at: x, name: "narrow") {
            $0 * 2
          } pullback: { _, _, cotangent in
            cotangent.sum()
          }.sum()
        }
      }([1, 2])
    }
  }

  @Test func errorsInTheFunctionAreReported() {
    expectError("reshape: 2 elements do not fill shape [3] (operands: f32[2]); expected a shape of 2 elements") {
      _ = try compiled { (x: Tensor) in
        withCustomPullback(at: x) {
          $0.reshaped(to: [3])
        } pullback: { x, _, _ in
          x
        }
      }([1, 2])
    }
  }

  @Test func loopsCanUseIt() {
    let x = Tensor([0.5, 0.25, 2])
    for unroll in [Unroll.never, .full] {
      let found = gradient(at: x) { x in
        scan(over: x, from: Tensor([0.0], shape: []), unroll: unroll) { ($0 + Self.square($1), Empty()) }.state
      }
      expectSameBits(found, 20 * x, "\(unroll)")
    }
  }
}
