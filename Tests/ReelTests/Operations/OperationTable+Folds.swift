import Reel
import ReelTestSupport

// Products of matrices and reductions.
extension OperationTable {
  /// Element by element: the sum over k of the left element at (..., i, k) times the right one at (..., k, j).
  static func product(_ left: Numbers, _ right: Numbers, _ transposesLeft: Bool, _ transposesRight: Bool) -> Numbers {
    let (rows, columns) = (left.shape.suffix(2), right.shape.suffix(2))
    let inner = transposesLeft ? rows.first! : rows.last!
    let batch = Numbers.broadcast([left.shape.dropLast(2), right.shape.dropLast(2)].map(Array.init))
    let shape = batch + [transposesLeft ? rows.last! : rows.first!, transposesRight ? columns.first! : columns.last!]
    func element(_ operand: Numbers, _ batch: [Int], _ row: Int, _ column: Int) -> Double {
      let extents = operand.shape.dropLast(2)
      return operand[zip(batch.suffix(extents.count), extents).map { $1 == 1 ? 0 : $0 } + [row, column]]
    }
    return Numbers(shape) { index in
      let (batch, i, j) = (Array(index.dropLast(2)), index[index.count - 2], index[index.count - 1])
      return (0..<inner).reduce(0) { sum, k in
        sum + element(left, batch, transposesLeft ? k : i, transposesLeft ? i : k)
          * element(right, batch, transposesRight ? j : k, transposesRight ? k : j)
      }
    }
  }

  private static func matmul(_ left: Shape, _ right: Shape, _ transposes: (Bool, Bool) = (false, false)) -> Row {
    Row("matmul", [.real(left), .real(right)], variant: "\(transposes)") {
      $0[0].matmul($0[1], transposingSelf: transposes.0, transposingOther: transposes.1)
    } reference: {
      product($0[0], $0[1], transposes.0, transposes.1)
    }
  }

  static let products: [Row] = [
    matmul([2, 3], [3, 4]), matmul([3, 2], [3, 4], (true, false)), matmul([2, 3], [4, 3], (false, true)),
    matmul([3, 2], [4, 3], (true, true)), matmul([1, 3], [3, 1]), matmul([2, 0], [0, 3]), matmul([0, 2], [2, 3]),
    matmul([4, 2, 3], [3, 2]), matmul([2, 3], [4, 3, 2]), matmul([4, 2, 3], [4, 3, 2]),
    matmul([4, 1, 2, 3], [2, 3, 2]), matmul([4, 3, 2], [4, 2, 3], (true, true)), matmul([2, 17], [17, 20]),
  ]

  typealias Fold = @Sendable ([Double]) -> Double

  private static func fold(
    _ name: String, _ operand: Row.Operand, _ axes: [Int]?, keepDims: Bool = false, gives type: ElementType? = nil,
    _ apply: @escaping @Sendable (Tensor, [Int]?, Bool) -> Tensor, _ reference: @escaping Fold
  ) -> Row {
    Row(name, [operand], variant: "\(axes.map(String.init) ?? "all")\(keepDims ? " keepDims" : "")", gives: type) {
      apply($0[0], axes, keepDims)
    } reference: { x in
      let rank = x[0].shape.count
      return x[0].folded((axes ?? Array(0..<rank)).map { $0 < 0 ? $0 + rank : $0 }, keepDims: keepDims, reference)
    }
  }

  private static func folds(
    _ name: String, _ apply: @escaping @Sendable (Tensor, [Int]?, Bool) -> Tensor, _ reference: @escaping Fold
  ) -> [Row] {
    [
      fold(name, .real([2, 3]), nil, apply, reference), fold(name, .real([2, 3]), [-1], apply, reference),
      fold(name, .real([2, 3]), [0], keepDims: true, apply, reference),
      fold(name, .real([2, 3, 4]), [0, 2], apply, reference),
      fold(name, .real([2, 3, 4]), [-1, 0], keepDims: true, apply, reference),
      fold(name, .real([2, 3, 4]), [1], apply, reference), fold(name, .real([2, 3]), [], apply, reference),
      fold(name, .real([]), nil, apply, reference), fold(name, .real([37]), nil, apply, reference),
      fold(name, .int([4, 3]), [0], gives: .int32, apply, reference),
    ]
  }

  private static func index(_ name: String, _ isBetter: @escaping @Sendable (Double, Double) -> Bool) -> [Row] {
    let shapes: [(Shape, Int)] = [([2, 3], -1), ([2, 3], 0), ([4, 3, 2], 1), ([37], 0)]
    return shapes.flatMap { shape, axis in
      [false, true].map { keepDims in
        // Few different numbers, so that the extreme is there more than once.
        fold(
          name, .real(shape, of: [-1, 0, 0.5], isDifferentiable: false), [axis], keepDims: keepDims, gives: .int32,
          { name == "argMax" ? $0.argMax(along: $1![0], keepDims: $2) : $0.argMin(along: $1![0], keepDims: $2) },
          { terms in Double(terms.indices.reduce(0) { isBetter(terms[$1], terms[$0]) ? $1 : $0 }) })
      }
    }
  }

  private static func cumulativeSum(_ operand: Row.Operand, _ axis: Int, _ exclusive: Bool, _ reverse: Bool) -> Row {
    let isInteger = operand.elementType == .int32
    return Row(
      "cumulativeSum", [operand], variant: "\(axis), \(exclusive), \(reverse)", gives: isInteger ? .int32 : nil
    ) {
      $0[0].cumulativeSum(along: axis, exclusive: exclusive, reverse: reverse)
    } reference: { operands in
      let x = operands[0]
      let front = axis < 0 ? axis + x.shape.count : axis
      return Numbers(x.shape) { index in
        let steps = reverse ? index[front]..<x.shape[front] : 0..<index[front] + 1
        return steps.reduce(0) { sum, step in
          if exclusive && step == index[front] { return sum }
          var other = index
          other[front] = step
          return sum + x[other]
        }
      }
    }
  }

  private static let flags = [(false, false), (true, false), (false, true), (true, true)]

  static let reductions: [Row] = [
    folds("sum", { $0.sum(along: $1, keepDims: $2) }, { $0.reduce(0, +) }),
    folds("product", { $0.product(along: $1, keepDims: $2) }, { $0.reduce(1, *) }),
    folds("max", { $0.max(along: $1, keepDims: $2) }, { $0.max()! }),
    folds("min", { $0.min(along: $1, keepDims: $2) }, { $0.min()! }),
    [
      fold("sum", .real([2, 0]), [1], { $0.sum(along: $1, keepDims: $2) }, { $0.reduce(0, +) }),
      fold("product", .real([2, 0]), [1], { $0.product(along: $1, keepDims: $2) }, { $0.reduce(1, *) }),
      // Zeros among the factors: one in a row, and two.
      fold(
        "product", .real([6, 4], of: [0, 0.5, -2, 3]), [1], { $0.product(along: $1, keepDims: $2) }, { $0.reduce(1, *) }
      ),
      fold("any", .bool([4, 3]), [1], gives: .bool, { $0.any(along: $1, keepDims: $2) }, { $0.max() ?? 0 }),
      fold("any", .bool([4, 0]), [1], gives: .bool, { $0.any(along: $1, keepDims: $2) }, { $0.max() ?? 0 }),
      fold("all", .bool([4, 2]), [1], gives: .bool, { $0.all(along: $1, keepDims: $2) }, { $0.min() ?? 1 }),
      fold("all", .bool([4, 0]), nil, gives: .bool, { $0.all(along: $1, keepDims: $2) }, { $0.min() ?? 1 }),
    ],
    index("argMax", { $0 > $1 }), index("argMin", { $0 < $1 }),
    flags.flatMap { exclusive, reverse in
      [
        cumulativeSum(.real([5]), -1, exclusive, reverse), cumulativeSum(.real([2, 3, 4]), 1, exclusive, reverse),
        cumulativeSum(.int([4, 3]), 0, exclusive, reverse), cumulativeSum(.real([2, 0]), 1, exclusive, reverse),
      ]
    },
  ].flatMap { $0 }
}
