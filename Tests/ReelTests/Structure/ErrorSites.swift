import ReelTestSupport

/// The places in the sources that make an error, and the pattern of each problem that they can state.
struct ErrorSite {
  let path: String
  /// The string literals of the problem, each as literal text with gaps for what is interpolated.
  let problems: [[String]]

  static func all() throws -> [ErrorSite] {
    try SourceFile.all(under: "Sources/Reel").flatMap { file in
      let starts = file.text.matches(of: /TensorError\(\n?\s*operation:|throw fail\(/).map(\.range.lowerBound)
      return starts.map { file.text[$0...] }.filter { !$0.hasPrefix("throw") || file.text.contains("-> TensorError {") }
        .map { ErrorSite(path: file.path, problems: problems(of: $0)) }
    }
  }

  /// The literals between `problem:` (or the parenthesis of a helper) and the next argument.
  private static func problems(of call: Substring) -> [[String]] {
    let start = call.hasPrefix("throw fail(") ? call.firstIndex(of: "(")! : call.firstRange(of: "problem:")!.lowerBound
    var rest = call[start...].dropFirst()
    var found: [[String]] = []
    var depth = 0
    while let character = rest.first {
      if character == "\"" {
        let (pieces, after) = literal(rest.dropFirst())
        found.append(pieces)
        rest = after
        continue
      }
      if "([{".contains(character) { depth += 1 }
      if ")]}".contains(character) { depth -= 1 }
      if depth < 0 || (depth == 0 && character == ",") { break }
      rest = rest.dropFirst()
    }
    return found.filter { !$0.allSatisfy(\.isEmpty) }
  }

  /// The pieces of a literal from behind its first quotation mark, split where something is interpolated.
  private static func literal(_ text: Substring) -> (pieces: [String], rest: Substring) {
    var pieces = [""]
    var rest = text
    while let character = rest.first, character != "\"" {
      if rest.hasPrefix("\\(") {
        rest = interpolation(rest.dropFirst(2))
        pieces.append("")
      } else {
        pieces[pieces.count - 1].append(character)
        rest = rest.dropFirst()
      }
    }
    return (pieces, rest.dropFirst())
  }

  private static func interpolation(_ text: Substring) -> Substring {
    var rest = text
    var depth = 1
    while let character = rest.first, depth > 0 {
      if character == "\"" {
        rest = literal(rest.dropFirst()).rest
        continue
      }
      if character == "(" { depth += 1 }
      if character == ")" { depth -= 1 }
      rest = rest.dropFirst()
    }
    return rest
  }

  /// Whether a message has the pieces in their order.
  static func matches(_ pieces: [String], _ message: String) -> Bool {
    var rest = message[...]
    for piece in pieces where !piece.isEmpty {
      guard let range = rest.firstRange(of: piece) else { return false }
      rest = rest[range.upperBound...]
    }
    return true
  }
}
