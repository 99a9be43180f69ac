import Foundation

/// A picture in SVG: text that every browser draws, without fonts, scripts or other files.
///
/// Its colours follow the reader's light or dark setting (`prefers-color-scheme`).
///
///     try graph.svg().write(to: "graph.svg")
public struct SVG: Hashable, Sendable, CustomStringConvertible {
  /// The text of the picture, an XML document.
  public let text: String

  /// A picture from its text.
  package init(text: String) { self.text = text }

  /// The text of the picture.
  public var description: String { text }

  /// Writes the picture to a file, which is replaced in one step: a reader finds the old picture or the new one.
  ///
  /// - Parameter path: The file; its folder exists.
  /// - Throws: ``WritingError``; an old file is then as it was.
  public func write(to path: String) throws(WritingError) { try WritingError.write(text, to: path) }
}

/// Why a file could not be written. If there was one before, it is as it was.
public struct WritingError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file.
  public let path: String
  /// What is wrong.
  public let problem: String

  /// One line: the file and what is wrong.
  public var description: String { "\(path): \(problem)" }

  /// Replaces a file by a text in one step.
  package static func write(_ text: String, to path: String) throws(WritingError) {
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    var isFolder: ObjCBool = false
    guard !path.isEmpty else { throw WritingError(path: path, problem: "no file is named") }
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
      throw WritingError(path: path, problem: "cannot be written, for there is no folder \(folder)")
    }
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      throw WritingError(path: path, problem: "cannot be written, for it is a folder")
    }
    do {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw WritingError(path: path, problem: "cannot be written: \(error.localizedDescription)")
    }
  }
}
