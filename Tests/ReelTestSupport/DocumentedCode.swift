import Foundation
import Testing

/// Compares the blocks of Swift on a page with the code of a test, which is compiled and run.
///
/// In the test, a block lies between `// Page: block 1` and `// Page: end`, in the order of the page.
///
/// - Parameters:
///   - page: The page, from the top of the package: `README.md`.
///   - source: The file of the test.
public func expectBlocks(of page: String, in source: String = #filePath) throws {
  let tests = URL(filePath: source)
  guard let top = tests.pathComponents.lastIndex(of: "Tests") else {
    Issue.record("\(source) does not lie in Tests")
    return
  }
  let root = (0..<tests.pathComponents.count - top).reduce(tests) { url, _ in url.deletingLastPathComponent() }
  let blocks = try lines(of: root.appending(path: page)).split(separator: "```swift").dropFirst().map {
    Array($0.prefix { $0 != "```" })
  }
  let code = try lines(of: tests)
  let marked = code.count { $0.contains("// Page: block ") }
  #expect(blocks.count == marked && marked > 0, "\(page) has \(blocks.count) blocks, the test \(marked)")
  for (number, block) in blocks.enumerated() {
    let start = try #require(code.firstIndex { $0.hasSuffix("// Page: block \(number + 1)") }) + 1
    let end = try #require(code[start...].firstIndex { $0.hasSuffix("// Page: end") })
    let indentation = code[start].prefix { $0 == " " }.count
    let shown = code[start..<end].map { String($0.dropFirst(indentation)) }
    #expect(words(shown) == words(block), "\(page), block \(number + 1)")
  }
}

/// Compares the blocks of Swift on a page with sources that are compiled: each block stands in one of them, line by line,
/// in whatever indentation.
///
/// - Parameters:
///   - page: The page, from the top of the package.
///   - folder: The folder of the sources, from the top of the package.
public func expectBlocks(of page: String, from folder: String) throws {
  let sources = try SourceFile.all(under: folder).map { words(lines($0.text)) }
  let text = try #require(try SourceFile.all(under: "Docs", extensions: ["md"]).first { $0.path == page }, "\(page)")
  let blocks = lines(text.text).split(separator: "```swift").dropFirst().map { words(Array($0.prefix { $0 != "```" })) }
  #expect(!blocks.isEmpty, "\(page) has no block")
  for (number, block) in blocks.enumerated() {
    let isThere = sources.contains { $0.count >= block.count && $0.firstRange(of: block) != nil }
    #expect(isThere, "\(page), block \(number + 1) is nowhere in \(folder)")
  }
}

/// Compares what a program printed with a page: the printed lines stand on it, one after another.
///
/// - Parameters:
///   - output: What was printed.
///   - page: The page, from the top of the package.
public func expectOutput(_ output: String, on page: String) throws {
  let text = try #require(try SourceFile.all(under: "Docs", extensions: ["md"]).first { $0.path == page }, "\(page)")
  let printed = output.trimmingCharacters(in: .newlines)
  #expect(!printed.isEmpty && text.text.contains("\n\(printed)\n"), "\(page) shows other output than\n\(printed)")
}

private func lines(of file: URL) throws -> [String] {
  lines(try String(contentsOf: file, encoding: .utf8))
}

private func lines(_ text: String) -> [String] {
  text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
}

/// Lines whose comments are not lined up, for the formatter has other ideas of that.
private func words(_ lines: [String]) -> [[Substring]] { lines.map { $0.split(separator: " ") } }
