/// Why a gradient check failed.
public enum GradientCheckError: Error, Hashable, Sendable {
  /// The function gave two results for the same arguments: which, and what they were.
  case notDeterministic(String)
  /// A derivative by reverse mode is not the numeric one.
  case wrongGradient(WrongGradient)
  /// The function or its gradient is infinite or not a number.
  case notFinite(NonFiniteValue)
}

/// A derivative that is not the numeric one.
public struct WrongGradient: Hashable, Sendable {
  /// The name of the tensor that the derivative is by, such as `lstm.recurrentKernel`.
  public let tensor: String
  /// The element of the tensor, one entry for each axis.
  public let index: [Int]
  /// 1 for a derivative of the function, 2 for one of its gradient, and so on.
  public let order: Int
  /// The derivative by reverse mode. Of a function with more than one result it is that of their sum with fixed random
  /// weights.
  public let analytic: Double
  /// The derivative by differences.
  public let numeric: Double
  /// The estimated error of `numeric`.
  public let estimatedError: Double
  /// The operation whose own pullback is wrong, or that lets no gradient through; nil if every one is right by itself.
  public let operation: SuspectOperation?

  /// |analytic - numeric| / max(|analytic|, |numeric|).
  public var relativeError: Double { abs(analytic - numeric) / max(abs(analytic), abs(numeric)) }
}

/// An operation of a checked program.
public struct CheckedOperation: Hashable, Sendable {
  /// The name of the operation, such as `tanh`.
  public let name: String
  /// The layers around it, outermost first.
  public let path: [String]

  init(_ node: Node) {
    name = node.operation.name
    path = node.path.filter { $0 != Recording.reverseMark }
  }
}

/// An operation whose own pullback is wrong when it is checked alone, on the operands it had.
public struct SuspectOperation: Hashable, Sendable {
  /// The operation.
  public let operation: CheckedOperation
  /// 1 if its pullback is wrong, 2 if the pullback is right but its derivative is wrong, and so on.
  public let order: Int
  /// The wrong derivative, of a random sum of the operation's results by one element of an operand.
  public let analytic: Double
  /// The numeric one.
  public let numeric: Double
  /// Whether the pullback gives any gradient at all.
  public let hasGradient: Bool
}

/// A value that is infinite or not a number.
public struct NonFiniteValue: Hashable, Sendable {
  /// What it is: `output[3]`, or `the gradient by input[0, 1]`.
  public let name: String
  /// The value.
  public let value: Double
  /// The first operation that gave such a value; nil if it is none.
  public let operation: CheckedOperation?
}

// MARK: - Messages

extension GradientCheckError: CustomStringConvertible {
  /// What is wrong, where, and what to look at, in one line.
  public var description: String {
    switch self {
    case .notDeterministic(let difference):
      """
      the function is not deterministic: called twice with the same arguments, \(difference); draw random numbers from a \
      key made outside the function
      """
    case .wrongGradient(let gradient): gradient.description
    case .notFinite(let value): value.description
    }
  }
}

extension WrongGradient: CustomStringConvertible {
  /// The tensor and element, both values, and the operation to look at.
  public var description: String {
    """
    wrong \(derivativeName(order)) by \(Self.name(tensor, index)): analytic \(analytic.rounded(toDigits: 9)), numeric \
    \(numeric.rounded(toDigits: 9)) ± \(estimatedError.rounded(toDigits: 1)), relative error \
    \(relativeError.rounded(toDigits: 2)); \(cause)
    """
  }

  private var cause: String {
    guard let operation else {
      return """
        every operation on the tape is right when checked alone, so that something is computed outside the tape, as with \
        item or numbers
        """
    }
    guard operation.hasGradient else { return "\(operation.operation) lets no gradient through" }
    return """
      the \(pullbackName(operation.order)) of \(operation.operation) is wrong when checked alone (analytic \
      \(operation.analytic.rounded(toDigits: 9)), numeric \(operation.numeric.rounded(toDigits: 9)))
      """
  }

  private func derivativeName(_ order: Int) -> String {
    switch order {
    case 1: "gradient"
    case 2: "second-order gradient"
    default: "gradient of order \(order)"
    }
  }

  private func pullbackName(_ order: Int) -> String {
    switch order {
    case 1: "pullback"
    case 2: "derivative of the pullback"
    default: "derivative of order \(order - 1) of the pullback"
    }
  }

  /// An element of a tensor as the source would name it.
  static func name(_ tensor: String, _ index: [Int]) -> String {
    index.isEmpty ? tensor : "\(tensor)[\(index.map(String.init).joined(separator: ", "))]"
  }
}

extension CheckedOperation: CustomStringConvertible {
  /// The name, and the layers where there are any: `tanh in encoder.lstm`.
  public var description: String { path.isEmpty ? name : "\(name) in \(path.joined(separator: "."))" }
}

extension NonFiniteValue: CustomStringConvertible {
  /// What is not finite, and where that began.
  public var description: String {
    "\(name) is \(value.isNaN ? .nan : value)"
      + (operation.map { "; the first operation to give a value that is not finite is \($0)" } ?? "")
  }
}
