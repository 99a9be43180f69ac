import Foundation

/// Decompression by the system's `gzip`, which also checks what comes out.
enum Gzip {
  /// The contents of a compressed file, of all its members one after another.
  static func decompressed(path: String) throws(DataError) -> [UInt8] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["gzip", "-dc", "--", path]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else {
      throw DataError(path: path, problem: "cannot be decompressed, for there is no gzip")
    }
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    // 127 is how `env` says that it found no program of the name.
    guard process.terminationStatus != 127 else {
      throw DataError(path: path, problem: "cannot be decompressed, for there is no gzip")
    }
    guard process.terminationStatus == 0 else { throw DataError(path: path, problem: "is no complete gzip file") }
    return Array(data)
  }

  /// The contents of a deflate stream such as zip archives hold: with a header and the trailer that says its checksum and
  /// size it is a gzip file.
  static func inflated(_ stream: ArraySlice<UInt8>, checksum: Int, size: Int) throws(DataError) -> [UInt8] {
    func littleEndian(_ number: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
    let header: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF]
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).gz")
    defer { try? FileManager.default.removeItem(at: file) }
    do {
      try Data(header + stream + littleEndian(checksum) + littleEndian(size)).write(to: file)
    } catch {
      throw DataError(path: file.path, problem: "cannot be written")
    }
    return try decompressed(path: file.path)
  }
}

/// The checksum of zip files.
enum Checksum {
  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { sum, _ in sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
  }

  /// The cyclic redundancy check of some bytes.
  static func crc32(_ bytes: [UInt8]) -> UInt32 {
    let table = table
    var sum = UInt32.max
    for byte in bytes { sum = sum >> 8 ^ table[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] }
    return ~sum
  }
}

extension [UInt8] {
  /// An unsigned number of up to eight bytes in little endian; nil if the bytes are not there or it is no `Int`.
  func littleEndian(_ count: Int, at position: Int) -> Int? {
    guard position >= 0, count <= self.count, position <= self.count - count else { return nil }
    let number = (0..<count).reduce(UInt64(0)) { $0 | UInt64(self[position + $1]) << UInt64(8 * $1) }
    return Int(exactly: number)
  }
}
