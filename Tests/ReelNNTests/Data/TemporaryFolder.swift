import Foundation

/// Runs code with the path of a new folder, which is gone afterwards.
func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("reel-test-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder.path)
}

/// Runs code with the path of a file of some bytes.
@discardableResult
func withFile<Result>(_ bytes: [UInt8], name: String = "data", _ body: (String) throws -> Result) throws -> Result {
  try withTemporaryFolder { folder in
    let file = "\(folder)/\(name)"
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    return try body(file)
  }
}

/// The bytes of a file.
func bytes(of path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

/// Bytes in base 64.
func bytes(base64: String) -> [UInt8] { Array(Data(base64Encoded: base64)!) }
