import Reel
import ReelTestSupport
import Testing

@Suite struct LiteralTests {
  @Test func numbersTakeTheElementTypeOfWhatTheyMeet() {
    let double = Tensor([3.0, 7])
    #expect((double * 0.1).scalars(as: Double.self) == [3 * 0.1, 7 * 0.1])
    #expect((0.1 - double).scalars(as: Double.self) == [0.1 - 3, 0.1 - 7])
    #expect((Tensor([3] as [Float]) * 0.1).scalars(as: Float.self) == [Float(3) * 0.1])
    let integers = Tensor([1, -2] as [Int32])
    #expect((integers + 1).scalars(as: Int32.self) == [2, -1])
    #expect((3 * integers).scalars(as: Int32.self) == [3, -6])
    #expect((integers + 2.0).scalars(as: Int32.self) == [3, 0])
    #expect((integers .< 0).scalars(as: Bool.self) == [false, true])
    #expect((Tensor([true, false]) .== true).scalars(as: Bool.self) == [true, false])
    #expect(
      (power(double, 2) + maximum(double, 5) * select(double .> 5, double, 0)).scalars(as: Double.self) == [9, 98])
  }

  @Test func numbersThatDoNotFitAreErrors() {
    let rows: [(TensorType, @Sendable (Tensor) -> Tensor, String)] = [
      (
        TensorType([2], .int32), { $0 + 0.5 },
        "add: operands of different element types (operands: i32[2], f32[]); expected one numeric element type"
      ),
      (
        TensorType([2], .int32), { 3_000_000_000 * $0 },
        "multiply: operands of different element types (operands: f32[], i32[2]); expected one numeric element type"
      ),
      (
        TensorType([2], .bool), { $0 .== 1 },
        "equal: operands of different element types (operands: bool[2], f32[]); expected one element type"
      ),
      (
        TensorType([2], .float64), { $0 .& true },
        "and: operands of different element types (operands: f64[2], bool[]); expected bool"
      ),
    ]
    for (type, call, message) in rows {
      expectError(message) { _ = try Graph(tracing: [type]) { [call($0[0])] } }
    }
  }

  @Test func literalsAloneHaveTheDefaultType() {
    let (number, truth, matrix): (Tensor, Tensor, Tensor) = (2.5, true, [[1, 2], [3, 4.5]])
    expectSameBits(number, Tensor(Float(2.5)))
    expectSameBits(truth, Tensor(true))
    expectSameBits(matrix, Tensor([1, 2, 3, 4.5] as [Float], shape: [2, 2]))
    expectSameBits([1, 2] + [0.5, 0.5], Tensor([1.5, 2.5] as [Float]))
    expectSameBits([], Tensor([] as [Float]))
    expectSameBits([[[true]], [[false]]], Tensor([true, false], shape: [2, 1, 1]))
    expectSameBits(-number, Tensor(Float(-2.5)))
  }

  @Test func tensorsAmongNumbersDecide() {
    let x = Tensor([0.1], shape: [])
    expectSameBits([0.1, x, 0.2], Tensor([0.1, 0.1, 0.2]))
    expectSameBits([[x, 0.2]] + 0.3, Tensor([0.1 + 0.3, 0.2 + 0.3], shape: [1, 2]))
    expectSameBits([Tensor([1] as [Int32]), Tensor([2] as [Int32])], Tensor([1, 2] as [Int32], shape: [2, 1]))
  }

  @Test func theDefaultTypeCanBeSetAroundCode() throws {
    let found = ElementType.withDefault(.float64) { () -> Tensor in
      #expect(ElementType.default == .float64)
      let (one, row): (Tensor, Tensor) = (1, [0.1, 0.2])
      return one * row + .zeros([2]) + .randomUniform([2], key: RandomKey(seed: 1)) * 0
    }
    expectSameBits(found, Tensor([0.1, 0.2]))
    #expect(ElementType.default == .float32)
    #expect(TensorType([2]).elementType == .float32)
    ElementType.withDefault(.float64) { ElementType.withDefault(.float32) { #expect(ElementType.default == .float32) } }
    // A compiled function is recorded for each default.
    let step = compiled { (x: Tensor) in x.converted(to: .default) * 0.1 }
    expectSameBits(try ElementType.withDefault(.float64) { try step(Tensor([Float(1)])) }, Tensor([0.1]))
    expectSameBits(try step(Tensor([Float(1)])), Tensor([Float(0.1)]))
  }

  @Test func literalsTakePartInGradients() {
    expectSameBits(gradient(at: 3 as Tensor) { $0 * $0 * 0.5 }, Tensor(Float(3)))
    ElementType.withDefault(.float64) {
      expectSameBits(gradient(at: 0.1 as Tensor) { $0 * $0 }, Tensor([0.2], shape: []))
    }
  }

  @Test func elementsAreReadAsWhatTheyAre() {
    #expect(Tensor([1.5, -2]).scalars(as: Double.self) == [1.5, -2])
    #expect(Tensor([1, 2] as [Int32]).scalars() as [Int32] == [1, 2])
    #expect(Tensor([true, false]).numbers == [1, 0])
    #expect(Tensor([0.1] as [Float]).numbers == [Double(Float(0.1))])
    #expect(Tensor([7] as [Int32], shape: [1, 1]).item == 7)
    #expect(Tensor(true).item == 1)
    #expect(Tensor([] as [Double]).numbers == [])
  }
}
