/// What is wrong with the operands of an operation, found by its type rule before anything runs.
///
/// The boundaries of Reel (`Graph(tracing:)`, compiled calls, `checkGradients`, the calls of a model) throw it. A bare
/// eager expression traps with the same words, as an array index out of range does.
public struct TensorError: Error, Hashable, Sendable {
  /// The layers around the operation, outermost first, as they are named in the source: `["encoder", "lstm"]`.
  public var path: [String]
  /// The name of the operation, such as `matmul`.
  public var operation: String
  /// The types of the operands, where the operation got as far as having some.
  public var operands: [TensorType]
  /// What was found.
  public var problem: String
  /// What was expected, or what to do about it; may be empty.
  public var expected: String

  /// An error with its parts; the path is that of the layers running now.
  public init(operation: String, operands: [TensorType] = [], problem: String, expected: String = "") {
    self.path = Recording.path.filter { $0 != Recording.reverseMark }
    self.operation = operation
    self.operands = operands
    self.problem = problem
    self.expected = expected
  }

  /// Hands the error to the boundary around the running code, or traps if there is none.
  ///
  /// Code that reports goes on with a placeholder; the boundary throws the first error reported to it.
  package func report() {
    guard let boundary = Recording.boundary else { fatalError(description) }
    boundary.receive(self)
  }
}

extension TensorError: CustomStringConvertible {
  /// One line: layers, operation, what was found with which operands, what was expected.
  public var description: String {
    var text = path.isEmpty ? "" : path.joined(separator: ".") + ": "
    // A layer that reports for itself is not named twice.
    text += path.last == operation ? problem : "\(operation): \(problem)"
    if !operands.isEmpty {
      text += " (operands: " + operands.map(\.description).joined(separator: ", ") + ")"
    }
    if !expected.isEmpty { text += "; expected \(expected)" }
    return text
  }
}
