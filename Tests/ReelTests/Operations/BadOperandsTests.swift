@testable import Reel
import ReelTestSupport
import Testing

/// Operands that break the type rule of each operation, and its message to the letter.
enum BadOperandsTable {
  typealias Bad = BadOperands

  static let rows: [Bad] = elementwise + folds + movement + gathering + windowing + others + programs

  static func f32(_ shape: Shape) -> TensorType { TensorType(shape, .float32) }
  static func f64(_ shape: Shape) -> TensorType { TensorType(shape, .float64) }
  static func i32(_ shape: Shape) -> TensorType { TensorType(shape, .int32) }
  static func bool(_ shape: Shape) -> TensorType { TensorType(shape, .bool) }

  private static let unary: [(String, @Sendable (Tensor) -> Tensor)] = [
    ("floor", floor), ("ceil", ceil), ("round", round), ("exp", exp), ("expm1", expm1), ("log", log), ("log1p", log1p),
    ("sqrt", sqrt), ("rsqrt", rsqrt), ("sin", sin), ("cos", cos), ("tanh", tanh), ("sigmoid", sigmoid), ("erf", erf),
  ]

  private static let numeric: [(String, @Sendable (Tensor) -> Tensor)] = [
    ("negate", { -$0 }), ("abs", abs), ("sign", sign),
  ]

  typealias Binary = @Sendable (Tensor, Tensor) -> Tensor

  private static let arithmetic: [(String, Binary)] = [
    ("add", { $0 + $1 }), ("subtract", { $0 - $1 }), ("multiply", { $0 * $1 }), ("divide", { $0 / $1 }),
    ("power", power), ("maximum", maximum), ("minimum", minimum), ("remainder", remainder), ("less", { $0 .< $1 }),
    ("lessEqual", { $0 .<= $1 }), ("greater", { $0 .> $1 }), ("greaterEqual", { $0 .>= $1 }),
  ]

  private static let equality: [(String, Binary)] = [("equal", { $0 .== $1 }), ("notEqual", { $0 .!= $1 })]
  private static let logic: [(String, Binary)] = [("and", { $0 .& $1 }), ("or", { $0 .| $1 }), ("xor", { $0 .^ $1 })]

  private static let broadcasting =
    "shapes that do not broadcast (operands: %); expected extents that agree or are 1, aligned at the last axis"

  private static func binary(_ name: String, _ types: [TensorType], _ message: String, _ call: @escaping Binary) -> Bad
  {
    let operands = types.map(\.description).joined(separator: ", ")
    return Bad(name, types, "\(name): " + message.replacing("%", with: operands)) { _ = call($0[0], $0[1]) }
  }

  static let elementwise: [Bad] = [
    unary.map { name, call in
      Bad(
        name, [i32([2])], "\(name): operands of type i32 (operands: i32[2]); expected one floating-point element type"
      ) {
        _ = call($0[0])
      }
    },
    numeric.map { name, call in
      Bad(name, [bool([2])], "\(name): operands of type bool (operands: bool[2]); expected one numeric element type") {
        _ = call($0[0])
      }
    },
    arithmetic.flatMap { name, call in
      [
        binary(name, [f32([2, 3]), f32([2])], broadcasting, call),
        binary(
          name, [f32([2]), f64([2])],
          "operands of different element types (operands: %); expected one numeric element type", call),
        binary(
          name, [bool([2]), bool([2])], "operands of type bool (operands: %); expected one numeric element type", call),
      ]
    },
    equality.flatMap { name, call in
      [
        binary(name, [bool([2, 3]), bool([4, 3])], broadcasting, call),
        binary(
          name, [i32([2]), f32([2])], "operands of different element types (operands: %); expected one element type",
          call),
      ]
    },
    logic.flatMap { name, call in
      [
        binary(name, [bool([3]), bool([2])], broadcasting, call),
        binary(name, [i32([2]), bool([2])], "operands of different element types (operands: %); expected bool", call),
        binary(name, [f32([2]), f32([2])], "operands of type f32 (operands: %); expected bool", call),
      ]
    },
    [
      Bad("not", [i32([2])], "not: operands of type i32 (operands: i32[2]); expected bool") { _ = .!$0[0] },
      Bad(
        "select", [f32([2]), f32([2])],
        "select: operands of different element types (operands: f32[2], f32[2], f32[2]); expected a bool mask and two operands of one element type"
      ) { _ = select($0[0], $0[0], $0[1]) },
      Bad(
        "select", [bool([2]), f32([2]), i32([2])],
        "select: operands of different element types (operands: bool[2], f32[2], i32[2]); expected a bool mask and two operands of one element type"
      ) { _ = select($0[0], $0[1], $0[2]) },
      Bad(
        "select", [bool([2]), f32([3])],
        "select: shapes that do not broadcast (operands: bool[2], f32[3], f32[]); expected extents that agree or are 1, aligned at the last axis"
      ) { _ = select($0[0], $0[1], 0) },
    ],
  ].flatMap { $0 }

  private static let reductions: [(String, @Sendable (Tensor, [Int]?) -> Tensor)] = [
    ("sum", { $0.sum(along: $1) }), ("product", { $0.product(along: $1) }), ("max", { $0.max(along: $1) }),
    ("min", { $0.min(along: $1) }), ("any", { $0.any(along: $1) }), ("all", { $0.all(along: $1) }),
    ("argMax", { $0.argMax(along: $1![0]) }), ("argMin", { $0.argMin(along: $1![0]) }),
  ]

  static let folds: [Bad] = [
    reductions.flatMap { name, call in
      let isLogic = name == "any" || name == "all"
      let (good, wrong) = isLogic ? (bool, "i32[2,3]") : (f32, "bool[2,3]")
      return [
        Bad(name, [good([2, 3])], "\(name): axis 2 of an operand of shape [2,3]; expected an axis in -2...1") {
          _ = call($0[0], [2])
        },
        Bad(name, [good([])], "\(name): axis -1 of an operand of shape []; expected an operand with axes") {
          _ = call($0[0], [-1])
        },
        Bad(
          name, [isLogic ? i32([2, 3]) : bool([2, 3])],
          "\(name): an operand of type \(isLogic ? "i32" : "bool") (operands: \(wrong)); expected \(isLogic ? "bool" : "a numeric element type")"
        ) { _ = call($0[0], [0]) },
      ]
    },
    ["max", "min", "argMax", "argMin"].map { name in
      Bad(
        name, [f32([2, 0])],
        "\(name): no elements along axis -1 (operands: f32[2,0]); expected at least one element, for there is no \(name) of none"
      ) { x in _ = reductions.first { $0.0 == name }!.1(x[0], [1]) }
    },
    [
      Bad("sum", [f32([2, 3])], "sum: an axis named twice in [1, -1] (operands: f32[2,3]); expected each axis once") {
        _ = $0[0].sum(along: [1, -1])
      },
      Bad("cumulativeSum", [bool([2])], "cumulativeSum: an operand of type bool (operands: bool[2]); expected numbers")
      {
        _ = $0[0].cumulativeSum()
      },
      Bad("cumulativeSum", [f32([2])], "cumulativeSum: axis 1 of an operand of shape [2]; expected an axis in -1...0") {
        _ = $0[0].cumulativeSum(along: 1)
      },
    ],
  ].flatMap { $0 }

  static let movement: [Bad] = [
    Bad(
      "reshape", [f32([2, 3])],
      "reshape: 6 elements do not fill shape [4] (operands: f32[2,3]); expected a shape of 6 elements"
    ) {
      _ = $0[0].reshaped(to: [4])
    },
    Bad(
      "transpose", [f32([2, 3])],
      "transpose: an order of axes [0, 0] (operands: f32[2,3]); expected each of the 2 axes once"
    ) {
      _ = $0[0].transposed([0, 0])
    },
    Bad(
      "transpose", [f32([2, 3])], "transpose: an order of 3 axes (operands: f32[2,3]); expected each of the 2 axes once"
    ) {
      _ = $0[0].transposed([0, 1, 2])
    },
    Bad("transpose", [f32([2, 3])], "transpose: axis 2 moved to 0 (operands: f32[2,3]); expected axes in -2..<2") {
      _ = $0[0].movingAxis(2, to: 0)
    },
    Bad(
      "broadcast", [f32([2, 3])],
      "broadcast: shape [2,3] does not broadcast to [3] (operands: f32[2,3]); expected extents that agree or are 1, aligned at the last axis"
    ) { _ = $0[0].broadcasted(to: [3]) },
    Bad(
      "slice", [f32([5])],
      "slice: 4 elements from 2 by 1 along axis -1 of extent 5 (operands: f32[5]); expected elements 0..<5"
    ) {
      _ = $0[0].sliced(2..<6, along: 0)
    },
    Bad(
      "slice", [f32([5])],
      "slice: 0 elements from 1 by 0 along axis -1 of extent 5 (operands: f32[5]); expected elements 0..<5"
    ) {
      _ = $0[0].sliced(1..<3, along: 0, step: 0)
    },
    Bad("slice", [f32([5])], "slice: axis 1 of an operand of shape [5]; expected an axis in -1...0") {
      _ = $0[0].sliced(0..<2, along: 1)
    },
    Bad(
      "slice", [f32([5])],
      "slice: 1 elements from 5 by 1 along axis -1 of extent 5 (operands: f32[5]); expected elements 0..<5"
    ) {
      _ = $0[0][5]
    },
    Bad("slice", [f32([5])], "reversed: axis -2 of an operand of shape [5]; expected an axis in -1...0") {
      _ = $0[0].reversed(along: -2)
    },
    Bad(
      "unslice", [f32([5])],
      "unslice: 5 elements from 3 by 1 do not fit an axis of extent 6 (operands: f32[5]); expected places 0..<6"
    ) {
      _ = Unslice(axis: -1, start: 3, step: 1, extent: 6)($0[0])
    },
    Bad(
      "unslice", [f32([5])], "padded: -1 elements before and 2 after (operands: f32[5]); expected counts of at least 0"
    ) {
      _ = $0[0].padded(before: -1, after: 2, along: 0)
    },
    Bad("concatenate", [], "concatenate: no operands; expected at least one") { _ in _ = concatenated([]) },
    Bad(
      "concatenate", [f32([2, 3]), f32([2, 4])],
      "concatenate: operands that differ in more than axis -2 (operands: f32[2,3], f32[2,4]); expected one element type, and shapes that agree but for that axis"
    ) { _ = concatenated($0) },
    Bad(
      "concatenate", [f32([2]), i32([2])],
      "concatenate: operands that differ in more than axis -1 (operands: f32[2], i32[2]); expected one element type, and shapes that agree but for that axis"
    ) { _ = concatenated($0, along: -1) },
    Bad(
      "concatenate", [f32([2]), f32([2])], "concatenate: axis 1 of an operand of shape [2]; expected an axis in -1...0"
    ) {
      _ = concatenated($0, along: 1)
    },
  ]

  static let windowing: [Bad] = [
    Bad(
      "windows", [f32([2, 3])],
      "windows: windows of 4 by stride 1 and dilation 1 along axis -1 (operands: f32[2,3]); expected positive numbers, and a window that fits the extent 3"
    ) {
      _ = $0[0].windows(of: 4, along: 1)
    },
    Bad(
      "windows", [f32([2, 3])],
      "windows: windows of 2 by stride 0 and dilation 1 along axis -2 (operands: f32[2,3]); expected positive numbers, and a window that fits the extent 2"
    ) {
      _ = $0[0].windows(of: 2, stride: 0, along: 0)
    },
    Bad("windows", [f32([2, 3])], "windows: axis 2 of an operand of shape [2,3]; expected an axis in -2...1") {
      _ = $0[0].windows(of: 2, along: 2)
    },
    Bad(
      "overlapAdd", [f32([3, 2])],
      "overlapAdd: 3 windows of 2 by stride 1 and dilation 2 (operands: f32[3,2]); expected positive numbers, and windows that fit the extent 4"
    ) {
      _ = $0[0].overlapAdded(extent: 4, dilation: 2, along: 0)
    },
    Bad(
      "overlapAdd", [bool([3, 2])],
      "overlapAdd: an operand of type bool[3,2] (operands: bool[3,2]); expected numbers of shape [..., windows, size, ...]"
    ) {
      _ = $0[0].overlapAdded(extent: 6, stride: 2, along: 0)
    },
    Bad(
      "overlapAdd", [f32([3, 2])],
      "overlapAdd: an operand of type f32[3,2] (operands: f32[3,2]); expected numbers of shape [..., windows, size, ...]"
    ) {
      _ = $0[0].overlapAdded(extent: 6, along: 1)
    },
  ]

  static let gathering: [Bad] = [
    Bad(
      "gather", [f32([2, 3]), f32([2])],
      "gather: indices of type f32[2] (operands: f32[2,3], f32[2]); expected i32[count]"
    ) {
      _ = $0[0].gathered(at: $0[1])
    },
    Bad(
      "gather", [f32([0, 3]), i32([2])],
      "gather: nothing to take along axis -2 (operands: f32[0,3], i32[2]); expected at least one element"
    ) {
      _ = $0[0].gathered(at: $0[1])
    },
    Bad(
      "gather", [f32([2, 3]), i32([2])], "gathered: axis 2 of an operand of shape [2,3]; expected an axis in -2...1"
    ) {
      _ = $0[0].gathered(at: $0[1], along: 2)
    },
    Bad(
      "scatterAdd", [f32([2, 3]), i32([3])],
      "scatterAdd: numbers of type f32[2,3] at indices of type i32[3] (operands: f32[2,3], i32[3]); expected one i32 index for each part along axis -2"
    ) { _ = $0[0].scatterAdded(at: $0[1], extent: 4) },
    Bad(
      "scatterAdd", [bool([3]), i32([3])],
      "scatterAdd: numbers of type bool[3] at indices of type i32[3] (operands: bool[3], i32[3]); expected one i32 index for each part along axis -1"
    ) { _ = $0[0].scatterAdded(at: $0[1], extent: 4) },
    Bad(
      "scatterAdd", [f32([3]), i32([3])], "scatterAdded: axis 1 of an operand of shape [3]; expected an axis in -1...0"
    ) {
      _ = $0[0].scatterAdded(at: $0[1], extent: 4, along: 1)
    },
  ]

  static let others: [Bad] = [
    Bad(
      "fill", [], "fill: 0.5 is not a value of element type i32; expected a value that the element type can represent"
    ) { _ in
      _ = Tensor(repeating: 0.5, shape: [2], elementType: .int32)
    },
    Bad(
      "fill", [], "fill: 2.0 is not a value of element type bool; expected a value that the element type can represent"
    ) { _ in
      _ = Tensor(repeating: 2, shape: [2], elementType: .bool)
    },
    Bad("iota", [], "iota: -1 numbers of element type i32; expected a count of at least 0 and a numeric element type") {
      _ in
      _ = Tensor.iota(-1)
    },
    Bad("iota", [], "iota: 3 numbers of element type bool; expected a count of at least 0 and a numeric element type") {
      _ in
      _ = Tensor.iota(3, elementType: .bool)
    },
    Bad("randomBits", [i32([3])], "randomBits: a key of type i32[3] (operands: i32[3]); expected i32[..., 2]") {
      var key = RandomKey(seed: 0)
      key.words = $0[0]
      _ = key.split(into: 2)
    },
    Bad(
      "matmul", [f32([2, 3]), f64([3, 4])],
      "matmul: operands of types f32 and f64 (operands: f32[2,3], f64[3,4]); expected one floating-point element type"
    ) { _ = $0[0].matmul($0[1]) },
    Bad(
      "matmul", [i32([2, 3])],
      "matmul: operands of types i32 and i32 (operands: i32[2,3], i32[2,3]); expected one floating-point element type"
    ) {
      _ = $0[0].matmul($0[0])
    },
    Bad(
      "matmul", [f32([3]), f32([3, 4])],
      "matmul: an operand with fewer than two axes (operands: f32[3], f32[3,4]); expected [..., rows, columns] on both sides"
    ) { _ = $0[0].matmul($0[1]) },
    Bad(
      "matmul", [f32([2, 3]), f32([4, 5])],
      "matmul: the last axis of the left operand is 3, the matching axis of the right one 4 (operands: f32[2,3], f32[4,5]); expected extents that agree"
    ) { _ = $0[0].matmul($0[1]) },
    Bad(
      "matmul", [f32([2, 1, 3]), f32([4, 3, 5])],
      "matmul: leading axes that do not broadcast (operands: f32[2,1,3], f32[4,3,5]); expected leading axes that agree or are 1"
    ) { _ = $0[0].matmul($0[1]) },
    Bad(
      "matmulAdd", [f32([2, 3]), f32([3, 4]), f32([3])],
      "matmulAdd: an addend of type f32[3] for a product of type f32[2,4] (operands: f32[2,3], f32[3,4], f32[3]); expected a type that broadcasts to that of the product"
    ) {
      _ = AddedProduct(product: MatrixProduct(transposesLeft: false, transposesRight: false), placement: .epilogue)
        .apply($0)
    },
    Bad(
      "matmulAdd", [f32([2, 3]), f32([3, 4]), f32([4])],
      "matmulAdd: an addend of type f32[4] for a product of type f32[2,4] (operands: f32[2,3], f32[3,4], f32[4]); expected the type of the product"
    ) {
      _ = AddedProduct(product: MatrixProduct(transposesLeft: false, transposesRight: false), placement: .prologue)
        .apply($0)
    },
    Bad(
      "shift", [f32([2]), f32([4, 3])],
      "shift: a first step that is not of the type of the others (operands: f32[2], f32[4,3]); expected [...] and [length, ...] of one element type, with at least one step"
    ) { _ = Shift(isReversed: false).apply($0) },
    Bad(
      "scan", [f32([4, 2]), f32([3, 2])],
      "scan: sequences without one leading extent (operands: f32[4,2], f32[3,2]); expected [time, ...] with the same time everywhere; Tensor.iota(count) where only the count matters"
    ) { _ = scan(over: $0, from: Tensor(0.0)) { ($0, $1[0]) } },
  ]
}

@Suite struct BadOperandsTests {
  @Test(arguments: BadOperandsTable.rows)
  func theTypeRuleSaysWhatIsWrong(row: BadOperands) {
    #expect(row.failure() == nil)
  }
}
