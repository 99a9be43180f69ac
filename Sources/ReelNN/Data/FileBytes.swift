import Foundation
import Reel

/// Reads whole files, with one error for each way it can fail.
enum FileBytes {
  /// The contents of a file; a file whose name ends in `.gz` is decompressed with the system's `gzip`.
  static func read(_ path: String) throws(DataError) -> [UInt8] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw DataError(path: path, problem: "no such file")
    }
    if path.hasSuffix(".gz"), !isFolder.boolValue { return try Gzip.decompressed(path: path) }
    guard !isFolder.boolValue, let data = try? Data(contentsOf: URL(fileURLWithPath: path)) else {
      throw DataError(path: path, problem: "cannot be read")
    }
    return Array(data)
  }

  /// The text of a file in UTF-8, perhaps compressed, without a byte order mark.
  static func readText(_ path: String) throws(DataError) -> String {
    var bytes = try read(path)[...]
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw DataError(path: path, problem: "is no text in UTF-8")
    }
    return text
  }
}

extension Shape {
  /// The shape that a file says, if the elements it would have, and those of each of its parts, can be counted in bytes.
  init?(fromFile extents: [Int], elementByteCount: Int) {
    var byteCount = elementByteCount
    for extent in extents where extent != 0 {
      guard extent > 0 else { return nil }
      let (product, overflow) = byteCount.multipliedReportingOverflow(by: extent)
      guard !overflow else { return nil }
      byteCount = product
    }
    self.init(extents)
  }
}
