import Foundation

/// The sources of the package, for tests of how they are built.
package struct SourceFile: Sendable {
  /// The path from the root of the package.
  package let path: String
  package let text: String

  package var lineCount: Int { text.split(separator: "\n", omittingEmptySubsequences: false).count - 1 }

  /// Every file with one of some extensions under a folder of the package.
  package static func all(under folder: String, extensions: Set<String> = ["swift"]) throws -> [SourceFile] {
    let here = URL(filePath: #filePath)
    let start = here.appending(path: "../../../\(folder)").standardizedFileURL
    var files: [SourceFile] = []
    for name in try FileManager.default.subpathsOfDirectory(atPath: start.path()).sorted() {
      let file = start.appending(path: name)
      guard extensions.contains(file.pathExtension) else { continue }
      files.append(SourceFile(path: "\(folder)/\(name)", text: try String(contentsOf: file, encoding: .utf8)))
    }
    return files
  }
}
