// Operations without operands: where the values of a graph come from.

/// An argument of a graph, a variable it reads, or a value that a loop body captures.
package struct Input: Operation {
  package let type: TensorType
  package let label: String

  package init(type: TensorType, name: String) {
    self.type = type
    label = name
  }

  package var name: String { "input" }
  package var attributes: String { label }
  package func resultTypes(of operands: [TensorType]) -> [TensorType] { [type] }
  package func run(_ operands: [Storage], into results: [Storage]) {
    preconditionFailure("an input is given its value by whoever runs the graph")
  }
  package func pullback(_ context: PullbackContext) -> [Tensor?] { [] }
  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] {
    preconditionFailure("an operation without operands has none with a batch axis")
  }
}

/// Elements that were known when the graph was recorded.
package struct Constant: Operation {
  let storage: Storage

  init(_ storage: Storage) { self.storage = storage }

  package var name: String { "constant" }
  package var constant: Storage? { storage }
  package func resultTypes(of operands: [TensorType]) -> [TensorType] { [storage.type] }
  package func run(_ operands: [Storage], into results: [Storage]) { results[0].copy(from: storage) }
  package func pullback(_ context: PullbackContext) -> [Tensor?] { [] }
  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] {
    preconditionFailure("an operation without operands has none with a batch axis")
  }

  /// Whether the elements have the same bits. A body that is recorded anew at every step makes its constants anew: they have
  /// to be equal for what was prepared for the body to be found again.
  package static func == (left: Constant, right: Constant) -> Bool {
    guard left.storage.type == right.storage.type else { return false }
    if left.storage.buffer === right.storage.buffer, left.storage.byteOffset == right.storage.byteOffset { return true }
    return left.storage.hasSameBytes(as: right.storage)
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(storage.type)
    hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: storage.bytes.prefix(256)))
  }
}

/// One number everywhere.
package struct Fill: Operation {
  let value: Double
  let type: TensorType

  package var name: String { "fill" }
  package var attributes: String { "value=\(value)" }
  package func resultTypes(of operands: [TensorType]) throws(TensorError) -> [TensorType] {
    let isRepresentable =
      switch type.elementType {
      case .float32, .float64: true
      case .int32: Int32(exactly: value) != nil
      case .bool: value == 0 || value == 1
      }
    guard isRepresentable else {
      throw TensorError(
        operation: name, problem: "\(value) is not a value of element type \(type.elementType)",
        expected: "a value that the element type can represent")
    }
    return [type]
  }
  package func lower(_ operands: [View], into results: [View], _ lowering: inout Lowering) -> Bool {
    guard results[0].isDense else { return false }
    lowering.fill(results[0], with: value)
    return true
  }
  package func run(_ operands: [Storage], into results: [Storage]) { Kernels.fill(results[0], with: value) }
  package func pullback(_ context: PullbackContext) -> [Tensor?] { [] }
  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] {
    preconditionFailure("an operation without operands has none with a batch axis")
  }
}

extension Fill: ReadableOperation {
  package static let names = ["fill"]

  package init(reading text: inout OperationText) throws(GraphSyntaxError) {
    try text.expect(operands: 0)
    value = try text.number("value")
    type = text.results[0]
  }
}

/// `start + i · step` along one axis.
package struct Iota: Operation {
  let start, step: Double
  let count: Int
  let elementType: ElementType

  package var name: String { "iota" }
  package var attributes: String { "start=\(start), step=\(step)" }
  package func resultTypes(of operands: [TensorType]) throws(TensorError) -> [TensorType] {
    guard count >= 0, elementType.isNumeric else {
      throw TensorError(
        operation: name, problem: "\(count) numbers of element type \(elementType)",
        expected: "a count of at least 0 and a numeric element type")
    }
    return [TensorType([count], elementType)]
  }
  package func run(_ operands: [Storage], into results: [Storage]) {
    Kernels.iota(results[0], start: start, step: step)
  }
  package func pullback(_ context: PullbackContext) -> [Tensor?] { [] }
  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] {
    preconditionFailure("an operation without operands has none with a batch axis")
  }
}

extension Iota: ReadableOperation {
  package static let names = ["iota"]

  package init(reading text: inout OperationText) throws(GraphSyntaxError) {
    try text.expect(operands: 0)
    start = try text.number("start")
    step = try text.number("step")
    count = text.results[0].shape.count
    elementType = text.results[0].elementType
  }
}
