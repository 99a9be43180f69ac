internal import ReelKernels

/// A fold over some axes, which go or stay with extent 1.
package struct Reduction: Operation {
  enum Kind: String, Hashable, Sendable, CaseIterable {
    case sum, product, max, min, any, all, argMax, argMin

    var kernel: reel_reduction {
      switch self {
      case .sum: REEL_REDUCE_SUM
      case .product: REEL_REDUCE_PRODUCT
      case .max: REEL_REDUCE_MAXIMUM
      case .min: REEL_REDUCE_MINIMUM
      case .any: REEL_REDUCE_ANY
      case .all: REEL_REDUCE_ALL
      case .argMax: REEL_REDUCE_ARGMAX
      case .argMin: REEL_REDUCE_ARGMIN
      }
    }

    var takesBool: Bool { self == .any || self == .all }
    var givesIndex: Bool { self == .argMax || self == .argMin }
    /// Whether there is a result for no elements.
    var hasNeutralElement: Bool { self == .sum || self == .product || takesBool }
  }

  let kind: Kind
  /// Sorted, counted from the end.
  let axes: [Int]
  let keepsDims: Bool

  package var name: String { kind.rawValue }
  package var pullbackReads: PullbackReads {
    switch kind {
    case .max, .min: [.operands, .results]
    case .product: .operands
    case .sum, .any, .all, .argMax, .argMin: []
    }
  }
  package var attributes: String { "axes=\(axes)" + (keepsDims ? ", keepDims" : "") }
  package var isCheap: Bool { false }

  package var rowCode: ScalarCode? {
    guard axes == [-1], keepsDims else { return nil }
    let opcode: reel_opcode? =
      switch kind {
      case .sum: REEL_OP_ROW_SUM
      case .product: REEL_OP_ROW_PRODUCT
      case .max: REEL_OP_ROW_MAXIMUM
      case .min: REEL_OP_ROW_MINIMUM
      case .any, .all, .argMax, .argMin: nil
      }
    return opcode.map { ScalarCode(opcode: UInt8($0.rawValue)) }
  }

  package func resultTypes(of operands: [TensorType]) throws(TensorError) -> [TensorType] {
    let operand = operands[0]
    guard kind.takesBool ? operand.elementType == .bool : operand.elementType.isNumeric else {
      throw TensorError(
        operation: name, operands: operands, problem: "an operand of type \(operand.elementType)",
        expected: kind.takesBool ? "bool" : "a numeric element type")
    }
    var extents = operand.shape.extents
    for axis in axes {
      let index = try operand.shape.normalized(axis: axis, in: name)
      guard kind.hasNeutralElement || extents[index] > 0 else {
        throw TensorError(
          operation: name, operands: operands, problem: "no elements along axis \(axis)",
          expected: "at least one element, for there is no \(name) of none")
      }
      extents[index] = keepsDims ? 1 : -1
    }
    let shape = Shape(extents.filter { $0 >= 0 })
    return [TensorType(shape, kind.givesIndex ? .int32 : operand.elementType)]
  }

  package func run(_ operands: [Storage], into results: [Storage]) {
    let rank = operands[0].type.shape.rank
    Kernels.reduce(kind.kernel, operands[0], axes: axes.map { $0 + rank }, into: results[0])
  }

  package func lower(_ operands: [View], into results: [View], _ lowering: inout Lowering) -> Bool {
    let rank = operands[0].shape.rank
    let folded = axes.map { $0 + rank }
    guard let first = folded.first, let last = folded.last, results[0].isDense else { return false }
    var operand = operands[0]
    if last - first != folded.count - 1 {
      // Axes that are not neighbours are brought to the end.
      operand = operand.transposed((0..<rank).filter { !folded.contains($0) } + folded)
      lowering.reduce(kind.kernel, lowering.dense(operand), axes: rank - folded.count..<rank, into: results[0])
    } else {
      lowering.reduce(kind.kernel, lowering.dense(operand), axes: first..<last + 1, into: results[0])
    }
    return true
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    guard !kind.takesBool, !kind.givesIndex else { return [nil] }
    let x = context.operands[0]
    let kept = Shape(x.shape.extents.indices.map { axes.contains($0 - x.rank) ? 1 : x.shape[$0] })
    let g = context.cotangent.reshaped(to: kept)
    switch kind {
    case .sum: return [g.broadcasted(to: x.shape)]
    case .max, .min:
      // Equal extremes share the cotangent.
      let isExtreme = (x .== context.y.reshaped(to: kept)).converted(to: x.elementType)
      return [isExtreme * (g / isExtreme.sum(along: axes, keepDims: true))]
    default: return [g * productOfOthers(x)]
    }
  }

  /// For each element, the product of the elements it is folded with: right where some of them are 0, and differentiable
  /// again, at the price of a square of the number of elements folded.
  private func productOfOthers(_ x: Tensor) -> Tensor {
    let kept = (-x.rank..<0).filter { !axes.contains($0) }
    let order = (kept + axes).map { $0 + x.rank }
    let keptShape = Shape(kept.map { x.shape[$0] })
    let count = axes.reduce(1) { $0 * x.shape[$1] }
    let flat = x.transposed(order).reshaped(to: Shape(keptShape.extents + [1, count]))
    let isSelf = Tensor.iota(count).reshaped(to: [count, 1]) .== Tensor.iota(count)
    let others = select(isSelf, 1, flat).product(along: [-1])
    let permuted = others.reshaped(to: Shape(order.map { x.shape[$0] }))
    return permuted.transposed(order.indices.map { axis in order.firstIndex(of: axis)! })
  }

  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] { apply(operands) }
}

extension Reduction: ReadableOperation {
  package static let names = Kind.allCases.map(\.rawValue)

  package init(reading text: inout OperationText) throws(GraphSyntaxError) {
    try text.expect(operands: 1)
    kind = Kind(rawValue: text.name)!
    axes = try text.ints("axes")
    keepsDims = text.flag("keepDims")
  }
}

extension Tensor {
  private func reduced(_ kind: Reduction.Kind, _ axes: [Int]?, _ keepDims: Bool) -> Tensor {
    let fromEnd = (axes ?? Array(0..<rank)).map { axisFromEnd($0, in: kind.rawValue) }
    let reduction = Reduction(kind: kind, axes: Set(fromEnd).sorted(), keepsDims: keepDims)
    guard fromEnd.count == reduction.axes.count else {
      TensorError(
        operation: kind.rawValue, operands: [type], problem: "an axis named twice in \(axes ?? [])",
        expected: "each axis once"
      ).report()
      return .placeholder(like: self)
    }
    return reduction(self)
  }

  /// The sum over some axes, or all; 0 where there is nothing to add. Elements are added on a fixed tree, so the bits do
  /// not depend on the machine.
  ///
  /// - Parameters:
  ///   - axes: The axes to fold; negative ones count from the end. All if nil.
  ///   - keepDims: Whether the folded axes stay with extent 1.
  public func sum(along axes: [Int]? = nil, keepDims: Bool = false) -> Tensor { reduced(.sum, axes, keepDims) }

  /// The product over some axes, or all; 1 where there is nothing to multiply. Parameters as in ``sum(along:keepDims:)``.
  public func product(along axes: [Int]? = nil, keepDims: Bool = false) -> Tensor { reduced(.product, axes, keepDims) }

  /// The largest element over some axes, or all; NaN if there is one. Equal largest elements share the derivative.
  /// Parameters as in ``sum(along:keepDims:)``.
  public func max(along axes: [Int]? = nil, keepDims: Bool = false) -> Tensor { reduced(.max, axes, keepDims) }

  /// The smallest element over some axes, or all; NaN if there is one. Equal smallest elements share the derivative.
  /// Parameters as in ``sum(along:keepDims:)``.
  public func min(along axes: [Int]? = nil, keepDims: Bool = false) -> Tensor { reduced(.min, axes, keepDims) }

  /// Whether any element of a mask is true, over some axes or all. Parameters as in ``sum(along:keepDims:)``.
  public func any(along axes: [Int]? = nil, keepDims: Bool = false) -> Tensor { reduced(.any, axes, keepDims) }

  /// Whether all elements of a mask are true, over some axes or all. Parameters as in ``sum(along:keepDims:)``.
  public func all(along axes: [Int]? = nil, keepDims: Bool = false) -> Tensor { reduced(.all, axes, keepDims) }

  /// The index of the largest element along an axis, as `int32`: the first of equal ones; that of the first NaN.
  public func argMax(along axis: Int = -1, keepDims: Bool = false) -> Tensor { reduced(.argMax, [axis], keepDims) }

  /// The index of the smallest element along an axis, as `int32`: the first of equal ones; that of the first NaN.
  public func argMin(along axis: Int = -1, keepDims: Bool = false) -> Tensor { reduced(.argMin, [axis], keepDims) }
}
