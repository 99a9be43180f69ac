/// Why data could not be read. Nothing of the file is used then.
public struct DataError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file.
  public let path: String
  /// What is wrong with it.
  public let problem: String

  /// An error with its parts.
  public init(path: String, problem: String) {
    self.path = path
    self.problem = problem
  }

  /// One line: the file and what is wrong with it.
  public var description: String { "\(path): \(problem)" }
}
