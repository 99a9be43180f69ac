import Reel

/// Why tensors are no weights of a model. The model is then as it was before.
public struct WeightsError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A tensor of another type than its parameter.
  public struct Mismatch: Hashable, Sendable {
    /// The name of both.
    public let name: String
    /// The type of the tensor.
    public let found: TensorType
    /// What the parameter needs.
    public let expected: String

    /// A mismatch from its parts.
    public init(name: String, found: TensorType, expected: String) {
      self.name = name
      self.found = found
      self.expected = expected
    }
  }

  /// The file, or another name of where the tensors are; empty if they have none.
  public var path: String
  /// The parameters without a tensor.
  public var missing: [String]
  /// The tensors without a parameter.
  public var unexpected: [String]
  /// The tensors of other shapes or element types.
  public var mismatched: [Mismatch]

  /// An error with its parts.
  public init(path: String = "", missing: [String] = [], unexpected: [String] = [], mismatched: [Mismatch] = []) {
    self.path = path
    self.missing = missing
    self.unexpected = unexpected
    self.mismatched = mismatched
  }

  var isEmpty: Bool { missing.isEmpty && unexpected.isEmpty && mismatched.isEmpty }

  /// One line: what is missing, unexpected and of another type, each with all its names.
  public var description: String {
    func list(_ names: [String]) -> String { names.map { "'\($0)'" }.joined(separator: ", ") }
    var parts: [String] = []
    if !missing.isEmpty { parts.append("no tensor for \(list(missing))") }
    if !unexpected.isEmpty { parts.append("no parameter for \(list(unexpected))") }
    parts += mismatched.map { "'\($0.name)' is \($0.found), expected \($0.expected)" }
    return (path.isEmpty ? "weights: " : "\(path): ") + parts.joined(separator: "; ")
  }
}

/// In what tensors may differ from the parameters of a model that they are loaded into.
public struct WeightDifferences: OptionSet, Hashable, Sendable {
  /// The options as bits.
  public let rawValue: Int

  /// Options from bits.
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// Parameters without a tensor keep their values.
  public static let missing = WeightDifferences(rawValue: 1)
  /// Tensors without a parameter are passed over.
  public static let unexpected = WeightDifferences(rawValue: 2)
  /// Tensors of another shape or element type than their parameter are passed over; Keras's `skip_mismatch`.
  public static let mismatched = WeightDifferences(rawValue: 4)
}
