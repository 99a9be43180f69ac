internal import ReelKernels

/// The instruction of an elementwise program that an operation is.
package struct ScalarCode: Hashable, Sendable {
  let opcode: UInt8
}

/// An operation on corresponding elements of operands that broadcast.
///
/// Each one is a row of a table, a static member beside its public function: name, instruction, which element types it
/// takes, and the cotangent of each operand. Operands align at the last axis, and extents of 1 broadcast.
package struct Elementwise: Operation {
  /// One row of the table. It is compared by identity.
  final class Row: Sendable {
    let name: String
    let opcode: reel_opcode
    let operandTypes: OperandTypes
    let resultType: ResultType
    let isCheap: Bool
    let pullbacks: [PullbackRule?]
    let reads: PullbackReads

    init(
      _ name: String, _ opcode: reel_opcode, _ operandTypes: OperandTypes, _ resultType: ResultType, isCheap: Bool,
      reading reads: PullbackReads, _ pullbacks: [PullbackRule?]
    ) {
      self.name = name
      self.opcode = opcode
      self.operandTypes = operandTypes
      self.resultType = resultType
      self.isCheap = isCheap
      self.reads = reads
      self.pullbacks = pullbacks
    }
  }

  enum OperandTypes: Sendable { case floatingPoint, numeric, bool, any, mask }
  enum ResultType: Sendable { case same, bool }

  let row: Row

  package var name: String { row.name }
  package var isCheap: Bool { row.isCheap }
  package var pullbackReads: PullbackReads { row.reads }
  package var pullbackRules: [PullbackRule?] { row.pullbacks }
  package var scalarCode: ScalarCode? { ScalarCode(opcode: UInt8(row.opcode.rawValue)) }

  package static func == (left: Elementwise, right: Elementwise) -> Bool { left.row === right.row }
  package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(row)) }

  package func resultTypes(of operands: [TensorType]) throws(TensorError) -> [TensorType] {
    let elementType = operands[operands.count - 1].elementType
    for (index, operand) in operands.enumerated() {
      let isMask = row.operandTypes == .mask && index == 0
      guard isMask ? operand.elementType == .bool : operand.elementType == elementType && takes(elementType) else {
        throw TensorError(
          operation: name, operands: operands,
          problem: isMask || takes(elementType)
            ? "operands of different element types" : "operands of type \(elementType)",
          expected: expectation)
      }
    }
    var shape = operands[0].shape
    for operand in operands.dropFirst() {
      guard let joint = shape.broadcast(with: operand.shape) else {
        throw TensorError(
          operation: name, operands: operands, problem: "shapes that do not broadcast",
          expected: "extents that agree or are 1, aligned at the last axis")
      }
      shape = joint
    }
    return [TensorType(shape, row.resultType == .bool ? .bool : elementType)]
  }

  func takes(_ elementType: ElementType) -> Bool {
    switch row.operandTypes {
    case .floatingPoint: elementType.isFloatingPoint
    case .numeric: elementType.isNumeric
    case .bool: elementType == .bool
    case .any, .mask: true
    }
  }

  private var expectation: String {
    switch row.operandTypes {
    case .floatingPoint: "one floating-point element type"
    case .numeric: "one numeric element type"
    case .bool: "bool"
    case .any: "one element type"
    case .mask: "a bool mask and two operands of one element type"
    }
  }

  package func run(_ operands: [Storage], into results: [Storage]) {
    Kernels.elementwise(row.opcode, operands, into: results[0])
  }

  package func lower(_ operands: [View], into results: [View], _ lowering: inout Lowering) -> Bool {
    lowering.elementwise(row.opcode, operands, into: results[0])
    return true
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    let operands = context.operands
    return zip(row.pullbacks, context.isActive).map { rule, isActive in
      isActive ? rule?(context.cotangent, operands[0], operands[operands.count - 1], context.results[0]) : nil
    }
  }

  // Elements do not mix, so that the derivative by each operand is its own transpose: a rule serves in both directions.
  package func pushforward(_ operands: [Tensor], _ tangents: [Tensor?]) -> (results: [Tensor], tangents: [Tensor?]) {
    let results = apply(operands)
    let parts = operands.indices.compactMap { index in
      tangents[index].flatMap { tangent in
        row.pullbacks[index]?(tangent, operands[0], operands[operands.count - 1], results[0])
      }
    }
    let sum = parts.dropFirst().reduce(parts.first) { sum, part in sum.map { $0 + part } }
    return (results, [sum?.broadcasted(to: results[0].shape)])
  }

  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] {
    apply(Self.aligned(operands, isBatched: isBatched))
  }

  /// The operands with batch axes that align: an operand of lower rank gets axes of extent 1 behind its batch axis.
  static func aligned(_ operands: [Tensor], isBatched: [Bool]) -> [Tensor] {
    let rank = zip(operands, isBatched).map { $0.rank - ($1 ? 1 : 0) }.max()!
    return zip(operands, isBatched).map { operand, isBatched in
      guard isBatched, operand.rank - 1 < rank else { return operand }
      let extents = operand.shape.extents
      let padding = [Int](repeating: 1, count: rank - operand.rank + 1)
      return operand.reshaped(to: Shape(extents[..<1] + padding + extents[1...]))
    }
  }
}

// MARK: - Rows

extension Elementwise {
  /// A function of one floating-point operand. `rule` gives the cotangent of the operand `x` from that of the result `y`;
  /// a rule that can use `y` does, since that keeps the set of saved values small.
  static func unary(
    _ name: String, _ opcode: reel_opcode, on types: OperandTypes = .floatingPoint, isCheap: Bool = false,
    reading reads: PullbackReads, _ rule: (@Sendable (_ cotangent: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor)?
  ) -> Elementwise {
    var pullback: PullbackRule?
    if let rule { pullback = { g, x, _, y in rule(g, x, y) } }
    return Elementwise(row: Row(name, opcode, types, .same, isCheap: isCheap, reading: reads, [pullback]))
  }

  /// A function of two operands `a` and `b`, with a rule for the cotangent of each.
  static func binary(
    _ name: String, _ opcode: reel_opcode, on types: OperandTypes = .numeric, isCheap: Bool = true,
    reading reads: PullbackReads, _ left: PullbackRule? = nil, _ right: PullbackRule? = nil
  ) -> Elementwise {
    Elementwise(row: Row(name, opcode, types, .same, isCheap: isCheap, reading: reads, [left, right]))
  }

  /// A comparison; it has no derivative.
  static func comparison(_ name: String, _ opcode: reel_opcode, on types: OperandTypes = .numeric) -> Elementwise {
    Elementwise(row: Row(name, opcode, types, .bool, isCheap: true, reading: [], [nil, nil]))
  }
}

extension PullbackContext {
  /// The first operand of a function of two.
  var a: Tensor { operands[0] }
  /// The second operand of a function of two.
  var b: Tensor { operands[1] }
  /// The only result.
  var y: Tensor { results[0] }
}
