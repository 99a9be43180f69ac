/// The files in a zip archive, stored or deflated, such as NumPy's `.npz`.
struct ZipArchive {
  /// A file as the directory of the archive describes it.
  struct Entry {
    let name: String
    let method, checksum, compressedSize, size: Int
    /// Where its local header is.
    let position: Int
  }

  let entries: [Entry]
  private let bytes: [UInt8]
  private let path: String

  /// Reads the directory of an archive.
  ///
  /// - Parameters:
  ///   - bytes: The archive.
  ///   - path: What errors call it.
  init(_ bytes: [UInt8], path: String) throws(DataError) {
    self.bytes = bytes
    self.path = path
    guard let (count, start) = Self.directory(of: bytes) else {
      throw DataError(path: path, problem: "is no complete zip archive")
    }
    var entries: [Entry] = []
    var position = start
    while entries.count < count {
      guard let (entry, next) = Self.entry(bytes, at: position) else {
        throw DataError(
          path: path, place: "entry \(entries.count)", problem: "is broken in the directory of the archive")
      }
      entries.append(entry)
      position = next
    }
    self.entries = entries
  }

  /// The contents of a file, whose size and checksum are as the directory says.
  func contents(of entry: Entry) throws(DataError) -> [UInt8] {
    func fail(_ problem: String) -> DataError {
      DataError(path: path, place: "entry '\(entry.name)'", problem: problem)
    }
    guard let start = dataStart(of: entry), entry.compressedSize <= bytes.count - start else {
      throw fail("lies outside the archive")
    }
    let contents: [UInt8]
    switch entry.method {
    case 0:
      contents = Array(bytes[start..<start + entry.compressedSize])
    case 8:
      let stream = bytes[start..<start + entry.compressedSize]
      guard let output = try? Gzip.inflated(stream, checksum: entry.checksum, size: entry.size) else {
        throw fail("cannot be decompressed")
      }
      contents = output
    default: throw fail("is compressed by method \(entry.method), and only stored and deflated ones are read")
    }
    guard contents.count == entry.size, Int(Checksum.crc32(contents)) == entry.checksum else {
      throw fail("has other contents than its checksum says")
    }
    return contents
  }

  private func dataStart(of entry: Entry) -> Int? {
    guard bytes.littleEndian(4, at: entry.position) == 0x0403_4B50,
      let name = bytes.littleEndian(2, at: entry.position + 26),
      let extra = bytes.littleEndian(2, at: entry.position + 28)
    else { return nil }
    let start = entry.position + 30 + name + extra
    return start <= bytes.count ? start : nil
  }

  // MARK: - The directory

  /// The number of entries, and where the first is.
  private static func directory(of bytes: [UInt8]) -> (count: Int, start: Int)? {
    // The end record is the last thing but for a comment of up to 65,535 bytes.
    let candidates = stride(from: bytes.count - 22, through: max(0, bytes.count - 22 - 0xFFFF), by: -1)
    guard bytes.count >= 22, let end = candidates.first(where: { bytes.littleEndian(4, at: $0) == 0x0605_4B50 }),
      var count = bytes.littleEndian(2, at: end + 10), var start = bytes.littleEndian(4, at: end + 16)
    else { return nil }
    if count == 0xFFFF || start == 0xFFFF_FFFF {
      guard bytes.littleEndian(4, at: end - 20) == 0x0706_4B50, let record = bytes.littleEndian(8, at: end - 12),
        bytes.littleEndian(4, at: record) == 0x0606_4B50,
        let longCount = record <= bytes.count - 56 ? bytes.littleEndian(8, at: record + 32) : nil,
        let longStart = bytes.littleEndian(8, at: record + 48)
      else { return nil }
      (count, start) = (longCount, longStart)
    }
    // An entry takes 46 bytes at least.
    return start <= bytes.count && count <= (bytes.count - start) / 46 ? (count, start) : nil
  }

  private static func entry(_ bytes: [UInt8], at start: Int) -> (entry: Entry, next: Int)? {
    guard bytes.count - start >= 46, bytes.littleEndian(4, at: start) == 0x0201_4B50 else { return nil }
    func number(_ count: Int, at offset: Int) -> Int { bytes.littleEndian(count, at: start + offset) ?? 0 }
    let (nameLength, extraLength) = (number(2, at: 28), number(2, at: 30))
    let next = start + 46 + nameLength + extraLength + number(2, at: 32)
    // The first flag says that the file is encrypted.
    guard next <= bytes.count, number(2, at: 8) & 1 == 0 else { return nil }
    let name = String(decoding: bytes[start + 46..<start + 46 + nameLength], as: UTF8.self)
    var sizes = [number(4, at: 24), number(4, at: 20), number(4, at: 42)]
    guard widen(&sizes, bytes, extra: start + 46 + nameLength..<start + 46 + nameLength + extraLength) else {
      return nil
    }
    let entry = Entry(
      name: name, method: number(2, at: 10), checksum: number(4, at: 16), compressedSize: sizes[1], size: sizes[0],
      position: sizes[2])
    return (entry, next)
  }

  /// Numbers that do not fit four bytes are in an extra field.
  private static func widen(_ sizes: inout [Int], _ bytes: [UInt8], extra: Range<Int>) -> Bool {
    var position = extra.lowerBound
    while sizes.contains(0xFFFF_FFFF), position + 4 <= extra.upperBound {
      let (identifier, length) = (bytes.littleEndian(2, at: position)!, bytes.littleEndian(2, at: position + 2)!)
      var field = position + 4
      position = field + length
      guard identifier == 1, position <= extra.upperBound else { continue }
      for index in sizes.indices where sizes[index] == 0xFFFF_FFFF {
        guard field + 8 <= position, let size = bytes.littleEndian(8, at: field) else { return false }
        sizes[index] = size
        field += 8
      }
      return true
    }
    return !sizes.contains(0xFFFF_FFFF)
  }
}
