import Foundation
import Reel
import Testing

/// One section of `Docs/Errors.md`: mistakes, and the messages that tests have of them.
///
/// Each test target fills the sections of what it tests from the tables that its tests run. `REEL_REWRITE=errors` in the
/// environment writes them into the page instead of comparing.
package struct ErrorPage {
  /// A mistake and its message.
  package struct Row {
    let words: [String]

    /// - Parameter words: The columns, the message last.
    package init(_ words: String...) { self.words = words }
  }

  let section: String
  let columns: [String]
  let rows: [Row]

  /// - Parameters:
  ///   - section: The name of the section, which the page has in a comment before and after it.
  ///   - columns: What stands above the columns.
  ///   - rows: The rows; a mistake with the same words as one before it is left out.
  package init(section: String, columns: String..., rows: [Row]) {
    self.section = section
    self.columns = columns
    self.rows = rows
  }

  /// The table as it stands in the page.
  private var table: String {
    var seen: Set<[String]> = []
    let lines = rows.filter { seen.insert($0.words).inserted }.map { row in
      "| " + row.words.map { $0.replacing("|", with: "\\|").replacing("\n", with: " ") }.joined(separator: " | ") + " |"
    }
    let head = ["| \(columns.joined(separator: " | ")) |", "|\(columns.map { _ in "---|" }.joined())"]
    return (head + lines).joined(separator: "\n")
  }

  /// Expects the page to have the section as it is, or writes it.
  package func expectInPage(sourceLocation: SourceLocation = #_sourceLocation) throws {
    let page = URL(filePath: #filePath).appending(path: "../../../Docs/Errors.md").standardizedFileURL
    let text = try String(contentsOf: page, encoding: .utf8)
    let (start, end) = ("<!-- \(section) -->\n", "\n<!-- end of \(section) -->")
    let from = try #require(text.firstRange(of: start), sourceLocation: sourceLocation).upperBound
    let to = try #require(text[from...].firstRange(of: end), sourceLocation: sourceLocation).lowerBound
    if ProcessInfo.processInfo.environment["REEL_REWRITE"] == "errors" {
      try Data((text[..<from] + table + text[to...]).utf8).write(to: page, options: .atomic)
      return
    }
    let (found, expected) = (text[from..<to].split(separator: "\n"), table.split(separator: "\n"))
    for line in expected where !found.contains(line) {
      Issue.record("the page lacks: \(line)", sourceLocation: sourceLocation)
    }
    #expect(
      text[from..<to] == table[...], "REEL_REWRITE=errors swift test --filter ErrorPage writes Docs/Errors.md anew",
      sourceLocation: sourceLocation)
  }
}

extension ErrorPage.Row {
  /// A mistake in an operation: its name with the types of its operands, and the message.
  package init(_ bad: BadOperands) { self.init(bad.operation, operands: bad.types, message: bad.message) }

  /// A mistake and its message.
  package init(_ mistake: Mistake) { self.init(mistake.what, mistake.message) }

  /// Something called with tensors of some types, and the message.
  package init(_ name: String, operands: [TensorType], message: String) {
    let types = operands.map(\.description).joined(separator: ", ")
    self.init(types.isEmpty ? "`\(name)`" : "`\(name)` of \(types)", message)
  }

  /// Something called with tensors of some types, and the message, which starts with its name.
  package init(message: String, operands: [TensorType] = []) {
    self.init(String(message.prefix { $0 != ":" }), operands: operands, message: message)
  }
}
