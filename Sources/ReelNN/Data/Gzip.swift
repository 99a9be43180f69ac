/// Files compressed by `gzip` (RFC 1952).
enum Gzip {
  /// The contents of a compressed file, of all its members one after another.
  ///
  /// - Parameters:
  ///   - bytes: The file.
  ///   - path: What errors call it.
  static func decompressed(_ bytes: [UInt8], path: String) throws(DataError) -> [UInt8] {
    var output: [UInt8] = []
    var position = 0
    repeat {
      guard let member = member(bytes, at: position) else {
        throw DataError(path: path, problem: "is no complete gzip file")
      }
      output.append(contentsOf: member.output)
      position = member.end
      // Zeros may fill up a block of a tape or disk.
    } while bytes[position...].contains { $0 != 0 }
    return output
  }

  private static func member(_ bytes: [UInt8], at start: Int) -> (output: [UInt8], end: Int)? {
    guard let data = endOfHeader(bytes, at: start),
      let (output, end) = try? Inflate.decompressed(bytes, from: data),
      let sum = bytes.littleEndian(4, at: end), let size = bytes.littleEndian(4, at: end + 4),
      sum == Int(Checksum.crc32(output)), size == output.count & 0xFFFF_FFFF
    else { return nil }
    return (output, end + 8)
  }

  private static func endOfHeader(_ bytes: [UInt8], at start: Int) -> Int? {
    guard bytes.count - start >= 10, bytes[start] == 0x1F, bytes[start + 1] == 0x8B, bytes[start + 2] == 8 else {
      return nil
    }
    let flags = bytes[start + 3]
    var position = start + 10
    if flags & 4 != 0 {
      guard let length = bytes.littleEndian(2, at: position) else { return nil }
      position += 2 + length
    }
    // A name and a comment, each up to a zero.
    for flag in [8, 16] as [UInt8] where flags & flag != 0 {
      guard position < bytes.count, let zero = bytes[position...].firstIndex(of: 0) else { return nil }
      position = zero + 1
    }
    if flags & 2 != 0 { position += 2 }
    return flags & 0xE0 == 0 && position <= bytes.count ? position : nil
  }
}

/// The checksum of gzip and zip files.
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
