import Reel
import Testing

@Suite struct PrintingTests {
  static let rows: [(Tensor, String)] = [
    (Tensor(Float(2.5)), "2.5"),
    ([1, 2.5, -3], "[ 1.0,  2.5, -3.0]"),
    (Tensor([1, 10, -100] as [Int32]), "[   1,   10, -100]"),
    (Tensor([true, false]), "[ true, false]"),
    ([[1, 2.5, 3], [4, 5, 6.25]], "[[ 1.0,  2.5,  3.0],\n [ 4.0,  5.0, 6.25]]"),
    (Tensor([1.0 / 3, 2.0 / 3]), "[0.333333, 0.666667]"),
    (Tensor([Float(1) / 3, 1000]), "[0.333333,   1000.0]"),
    (Tensor([1e-9, 1e20]), "[1e-09, 1e+20]"),
    (Tensor([Double.nan, .infinity, -.infinity]), "[ nan,  inf, -inf]"),
    (.zeros([0]), "[]"),
    (.zeros([2, 0]), "[[],\n []]"),
    (.zeros([2, 2, 1]), "[[[0.0],\n  [0.0]],\n\n [[0.0],\n  [0.0]]]"),
    (.iota(1001), "[   0,    1,    2, ...,  998,  999, 1000]"),
    (
      Tensor.iota(2000).reshaped(to: [500, 4]),
      """
      [[   0,    1,    2,    3],
       [   4,    5,    6,    7],
       [   8,    9,   10,   11],
       ...,
       [1988, 1989, 1990, 1991],
       [1992, 1993, 1994, 1995],
       [1996, 1997, 1998, 1999]]
      """
    ),
  ]

  @Test(arguments: rows.indices)
  func tensorsPrintAsNestedRows(row: Int) {
    let (tensor, expected) = Self.rows[row]
    #expect(tensor.description == expected)
  }

  @Test func aThousandElementsPrintInFull() {
    #expect(!Tensor.iota(1000).description.contains("..."))
    #expect(Tensor.iota(1000).description.split(separator: ",").count == 1000)
  }

  @Test func debuggersSeeTheType() {
    #expect(Tensor([1, 2] as [Int32]).debugDescription == "Tensor(i32[2])\n[1, 2]")
  }

  @Test func stagedTensorsPrintTheirType() throws {
    var text = ""
    _ = try Graph(tracing: [TensorType([2, 3], .float64)]) { x in
      text = "\(x[0])"
      return x
    }
    #expect(text == "Tensor(f64[2,3], staged)")
  }

  @Test func underAGradientTensorsPrintTheirElements() {
    var text = ""
    _ = gradient(at: [1, 2] as Tensor) { x in
      text = "\(x * 2)"
      return x.sum()
    }
    #expect(text == "[2.0, 4.0]")
  }

  @Test func typesAndShapes() {
    #expect("\(TensorType([2, 3]))" == "f32[2,3]")
    #expect("\(TensorType([], .int32)) \(TensorType([0], .bool)) \(ElementType.float64)" == "i32[] bool[0] f64")
    #expect("\(Shape.scalar) \(Shape([4]))" == "[] [4]")
  }
}
