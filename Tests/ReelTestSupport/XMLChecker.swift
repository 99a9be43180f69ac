import Foundation

/// Whether a text is well-formed XML, as far as pictures use it: elements that close in order, quoted attributes, no bare
/// ampersands or brackets.
package enum XMLChecker {
  /// What is wrong; nil if nothing is.
  package static func failure(_ text: String) throws -> String? {
    var open: [Substring] = []
    var rest = text[...]
    while let start = rest.firstIndex(of: "<") {
      if let failure = contentFailure(rest[..<start]) { return failure }
      guard let end = tagEnd(rest[start...]) else { return "a tag without an end: \(rest[start...].prefix(60))" }
      let tag = rest[rest.index(after: start)..<end]
      rest = rest[rest.index(after: end)...]
      if tag.hasPrefix("/") {
        guard open.popLast() == tag.dropFirst() else { return "</\(tag.dropFirst())> closes something else" }
      } else {
        let form = /[A-Za-z]+(?: [A-Za-z0-9:\-]+="[^"<&]*(?:&[a-z]+;[^"<&]*)*")*\/?/
        guard try form.wholeMatch(in: tag) != nil else { return "a malformed tag <\(tag.prefix(120))>" }
        if !tag.hasSuffix("/") { open.append(tag.prefix { $0.isLetter }) }
      }
    }
    if let failure = contentFailure(rest) { return failure }
    return open.isEmpty ? nil : "<\(open.last!)> is not closed"
  }

  private static func tagEnd(_ text: Substring) -> Substring.Index? {
    var isQuoted = false
    return text.indices.first { index in
      if text[index] == "\"" { isQuoted.toggle() }
      return text[index] == ">" && !isQuoted
    }
  }

  private static func contentFailure(_ text: Substring) -> String? {
    if text.contains(">") { return "a bare '>' in \(text.prefix(80))" }
    let bare = text.matches(of: /&(?!(?:amp|lt|gt|quot);)/)
    return bare.isEmpty ? nil : "a bare '&' in \(text.prefix(80))"
  }
}

/// A folder that is there for the time of a test.
package enum TemporaryFolder {
  /// Calls `body` with the path of a new folder, and removes it afterwards.
  package static func with<Result>(_ body: (String) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder.path)
  }
}
