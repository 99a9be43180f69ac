extension Elementwise: ReadableOperation {
  /// Every row of the table.
  static let all: [Elementwise] = [
    negate, abs, sign, floor, ceil, round, add, accumulate, subtract, multiply, divide, power, maximum, minimum,
    remainder,
    exp, expm1, log, log1p, sqrt, rsqrt, sin, cos, tanh, sigmoid, erf, equal, notEqual, less, lessEqual, greater,
    greaterEqual, and, or, xor, not, select,
  ]

  private static let named = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

  package static var names: [String] { all.map(\.name) }

  package init(reading text: inout OperationText) throws(GraphSyntaxError) {
    self = Self.named[text.name]!
    try text.expect(operands: row.pullbacks.count)
  }
}

extension ScalarCode {
  /// The name of what the instruction computes: that of the first operation with it, or of a pair.
  package var name: String? {
    if let fold { return fold.kind.rawValue }
    return Elementwise.all.first { $0.scalarCode == self }?.name
      ?? ElementwisePair.all.first { $0.code == self }?.name
      ?? (Convert(elementType: .float32).scalarCode == self ? Convert.names[0] : nil)
  }

  /// The reduction of the last axis, if the instruction folds rows.
  var fold: Reduction? {
    Reduction.Kind.allCases.lazy.map { Reduction(kind: $0, axes: [-1], keepsDims: true) }.first { $0.rowCode == self }
  }

  /// The instruction of an operation on operands of an element type, how many operands it has, and the element type that
  /// it gives, nil for any. Nil if there is no such operation.
  package static func named(
    _ name: String, on type: ElementType
  ) -> (code: ScalarCode, operandCount: Int, resultType: ElementType?)? {
    if Convert.names.contains(name) { return (Convert(elementType: type).scalarCode!, 1, nil) }
    if let operation = Elementwise.all.first(where: { $0.name == name }) {
      guard operation.takes(type) else { return nil }
      return (operation.scalarCode!, operation.row.pullbacks.count, operation.row.resultType == .bool ? .bool : type)
    }
    if let pair = ElementwisePair.all.first(where: { $0.name == name }) {
      return type.isFloatingPoint ? (pair.code, 3, type) : nil
    }
    let fold = Reduction.Kind(rawValue: name).flatMap { Reduction(kind: $0, axes: [-1], keepsDims: true).rowCode }
    return type.isNumeric ? fold.map { ($0, 1, type) } : nil
  }
}
