/// Why a text is no graph: what stands where, and what should.
public struct GraphSyntaxError: Error, Hashable, Sendable {
  /// The line, from 1.
  public let line: Int
  /// The character in the line, from 1.
  public let column: Int
  /// What is wrong there.
  public let problem: String
  /// What was expected; may be empty.
  public let expected: String

  /// An error at a byte of a text.
  package init(at offset: Int, of text: [UInt8], problem: String, expected: String = "") {
    let before = text[..<min(offset, text.count)]
    let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    line = before.count { $0 == UInt8(ascii: "\n") } + 1
    // Continuation bytes of UTF-8 begin no character.
    column = before[lineStart...].count { $0 & 0xC0 != 0x80 } + 1
    self.problem = problem
    self.expected = expected
  }
}

extension GraphSyntaxError: CustomStringConvertible {
  /// One line: the place, what is wrong there, what was expected.
  public var description: String {
    "line \(line), column \(column): \(problem)" + (expected.isEmpty ? "" : "; expected \(expected)")
  }
}
