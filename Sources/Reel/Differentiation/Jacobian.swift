/// Which way Jacobians are computed.
public enum JacobianMode: Hashable, Sendable {
  /// Forward where the arguments have no more elements than the value, else reverse.
  case automatic
  /// One column for each element of the arguments: the function and as many tangents, side by side.
  case forward
  /// One row for each element of the value: the function once, and as many reverse sweeps, side by side.
  case reverse
}

/// The value of a function and its Jacobian: all partial derivatives `J[i, j] = ∂yᵢ/∂xⱼ`.
///
/// The rows or columns are computed together by ``vectorize(along:resultAxis:_:)``: no operation is repeated for each of
/// them, but each has their number as one more axis. That takes about min(m, n) times the time and memory of a derivative
/// for n elements of the arguments and m of the value, and m · n numbers for the result. Where only products with the
/// Jacobian are needed, ``jvp(at:along:of:)`` and ``valueWithPullback(at:of:)`` cost one derivative each. The function is
/// recorded: it is called once, with tensors that have types but no values.
///
/// - Parameters:
///   - x: Where to differentiate: tensors or structures of them, of any number.
///   - mode: Which way; ``JacobianMode/automatic`` by default.
///   - function: A function with a floating-point tensor as its result.
/// - Returns: The value, and for each argument a structure of the same kind with the derivatives by its tensors: for a
///   tensor of shape `[n...]` and a value of shape `[m...]` one of shape `[m..., n...]`.
public func valueWithJacobian<each Input: TensorStructure>(
  at x: repeat each Input, mode: JacobianMode = .automatic, of function: (repeat each Input) -> Tensor
) -> (value: Tensor, jacobian: (repeat each Input)) {
  let blocks = JacobianBlocks(at: flattened(repeat each x), mode) { tensors in
    let parts = StructureParts(tensors)
    return [function(repeat parts.next(like: each x))]
  }
  let parts = StructureParts(blocks.blocks[0])
  return (blocks.value[0], (repeat parts.next(like: each x)))
}

/// The Jacobian of a function; see ``valueWithJacobian(at:mode:of:)``.
public func jacobian<each Input: TensorStructure>(
  at x: repeat each Input, mode: JacobianMode = .automatic, of function: (repeat each Input) -> Tensor
) -> (repeat each Input) {
  valueWithJacobian(at: repeat each x, mode: mode, of: function).jacobian
}

/// The Jacobian of a function between structures of tensors, tensor by tensor; see ``valueWithJacobian(at:mode:of:)``.
public func jacobianBlocks<Input: TensorStructure, Output: TensorStructure>(
  at x: Input, mode: JacobianMode = .automatic, of function: (Input) -> Output
) -> DerivativeBlocks {
  var paths: [String] = []
  let blocks = JacobianBlocks(at: flattened(x), mode) { tensors in
    let output = function(x.replacingTensors(tensors))
    paths = output.tensorPaths
    return flattened(output)
  }
  return DerivativeBlocks(rows: paths, columns: x.tensorPaths, blocks)
}

/// The value of a computation and its Jacobian by the variables it reads.
///
/// - Parameter computation: A computation with a floating-point tensor as its result. It is called once.
/// - Returns: The value, of shape `[m...]`, and for every floating-point variable of shape `[n...]` that was read the
///   derivatives, of shape `[m..., n...]`.
package func valueWithVariableJacobian(
  _ computation: () -> Tensor
) -> (value: Tensor, jacobian: [ObjectIdentifier: Tensor]) {
  withDifferentiation { differentiation in
    let y = computation()
    let leaves = differentiation.variableLeaves
    let rows = JacobianBlocks.rows(of: [y]) { cotangent in
      differentiation.cotangents(of: leaves.map(\.leaf), from: [(y, cotangent[0])])
    }
    return (differentiation.result(y), Dictionary(zip(leaves.map(\.variable), rows[0])) { first, _ in first })
  }
}

/// The second derivatives of a scalar function: `H[i, j] = ∂²f/∂xᵢ∂xⱼ`, forward over reverse.
///
/// It takes about n times the time and memory of ``hessianVectorProduct(at:along:of:)`` for n elements of `x`, and n²
/// numbers for the result.
///
/// - Parameters:
///   - x: Where to differentiate, of shape `[n...]`.
///   - function: A function with a floating-point scalar as its result.
/// - Returns: The derivatives, of shape `[n..., n...]`.
public func hessian(at x: Tensor, of function: (Tensor) -> Tensor) -> Tensor {
  jacobian(at: x, mode: .forward) { gradient(at: $0, of: function) }
}

/// The second derivatives of a scalar function by all tensors of a structure; see ``hessian(at:of:)``.
public func hessianBlocks<Input: TensorStructure>(at x: Input, of function: (Input) -> Tensor) -> DerivativeBlocks {
  jacobianBlocks(at: x, mode: .forward) { gradient(at: $0, of: function) }
}

/// The derivatives of each tensor of a structure by each tensor of another.
public struct DerivativeBlocks: Sendable {
  /// The paths of the tensors that are differentiated, and of those they are differentiated by.
  public let rows, columns: [String]
  private let blocks: [[Tensor]]
  private let rowCounts, columnCounts: [Int]

  init(rows: [String], columns: [String], _ found: JacobianBlocks) {
    (self.rows, self.columns, blocks) = (rows, columns, found.blocks)
    (rowCounts, columnCounts) = (found.value.map(\.count), found.point.map(\.count))
  }

  /// The derivatives of the tensor with the path `row`, of shape `[m...]`, by the one with the path `column`, of shape
  /// `[n...]`: `[m..., n...]`. Nil if there is no such tensor.
  public subscript(row: String, column: String) -> Tensor? {
    guard let row = rows.firstIndex(of: row), let column = columns.firstIndex(of: column) else { return nil }
    return blocks[row][column]
  }

  /// All derivatives as one matrix, `[m, n]`: the elements of the tensors one after another, in the order of ``rows`` and
  /// ``columns``.
  public var matrix: Tensor {
    concatenated(
      zip(blocks, rowCounts).map { row, count in
        concatenated(zip(row, columnCounts).map { $0.reshaped(to: [count, $1]) }, along: 1)
      })
  }
}

/// The computation behind all Jacobians, on lists of tensors.
struct JacobianBlocks {
  let point: [Tensor]
  let value: [Tensor]
  /// The derivatives of each tensor of the value by each of the point.
  private(set) var blocks: [[Tensor]] = []

  init(at point: [Tensor], _ mode: JacobianMode, of function: ([Tensor]) -> [Tensor]) {
    self.point = point
    let recorded = RecordedFunction(point.map(\.type), takesAssignments: true, function)
    let types = recorded.outputTypes
    let (size, valueSize) = (point.reduce(0) { $0 + $1.count }, types.reduce(0) { $0 + $1.shape.count })
    if let other = types.first(where: { !$0.elementType.isFloatingPoint }) {
      TensorError(
        operation: "jacobian", operands: point.map(\.type), problem: "the function gives a tensor of type \(other)",
        expected: "floating-point results"
      ).report()
      value = types.map { .zeros($0.shape, elementType: $0.elementType) }
      blocks = zeros
      return
    }
    guard size > 0, valueSize > 0 else {
      value = recorded(point)
      blocks = zeros
      return
    }
    if mode == .forward || mode == .automatic && size <= valueSize {
      let basis = Self.basis(of: point.map(\.type), size)
      let columns = RecordedFunction(point.map(\.type), takesAssignments: false) { directions in
        recorded.callWithTangents(point, tangents(directions, at: point), assigns: false).tangents
      }
      value = recorded(point)
      blocks = columns.vectorized(basis, isBatched: point.map { _ in true }, count: size).map {
        Self.split($0.movingAxis(0, to: -1), front: false, point)
      }
    } else {
      let (value, pullback) = valueWithPullback(at: point) { recorded($0) }
      self.value = value
      blocks = Self.rows(of: value, pullback)
    }
    blocks = blocks.map { zip($0, point).map { $0.converted(to: $1.elementType) } }
  }

  /// The derivatives of each of some tensors by each that a pullback gives the cotangent of.
  static func rows(of value: [Tensor], _ pullback: ([Tensor]) -> [Tensor]) -> [[Tensor]] {
    let size = value.reduce(0) { $0 + $1.count }
    let recorded = RecordedFunction(value.map(\.type), takesAssignments: false, pullback)
    let found = recorded.vectorized(
      basis(of: value.map(\.type), size), isBatched: value.map { _ in true }, count: size)
    let columns = found.map { split($0, front: true, value) }
    return value.indices.map { row in columns.map { $0[row] } }
  }

  private var zeros: [[Tensor]] {
    value.map { y in point.map { .zeros(Shape(y.shape.extents + $0.shape.extents), elementType: $0.elementType) } }
  }

  /// One tensor for each type, with a leading axis of `size` along which every element of them is 1 in turn.
  private static func basis(of types: [TensorType], _ size: Int) -> [Tensor] {
    var start = 0
    return types.map { type in
      let places = Tensor.iota(type.shape.count, from: Double(start)).reshaped(to: type.shape)
      start += type.shape.count
      let turns = Tensor.iota(size).reshaped(to: Shape([size] + type.shape.extents.map { _ in 1 }))
      return (turns .== places).converted(to: type.elementType)
    }
  }

  /// Parts of a derivative along its first or last axis, which has one element for each of those of some tensors, with the
  /// shapes of the tensors in its place.
  private static func split(_ derivative: Tensor, front: Bool, _ tensors: [Tensor]) -> [Tensor] {
    let parts: [Tensor] = derivative.split(tensors.map(\.count), along: front ? 0 : -1)
    return zip(parts, tensors).map { part, tensor in
      let rest = front ? Array(part.shape.extents.dropFirst()) : Array(part.shape.extents.dropLast())
      return part.reshaped(to: Shape(front ? tensor.shape.extents + rest : rest + tensor.shape.extents))
    }
  }
}
