/// Why data could not be read or written. Nothing of a file that was refused is used.
public struct DataError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file, or another name of where the data is.
  public let path: String
  /// Where in the file: `tensor 'lstm.kernel'`, `line 3, column 'price'`; empty for the file as a whole.
  public let place: String
  /// What is wrong with it.
  public let problem: String

  /// An error with its parts.
  public init(path: String, place: String = "", problem: String) {
    self.path = path
    self.place = place
    self.problem = problem
  }

  /// One line: the file, the place in it, and what is wrong with it.
  public var description: String { place.isEmpty ? "\(path): \(problem)" : "\(path): \(place): \(problem)" }
}
