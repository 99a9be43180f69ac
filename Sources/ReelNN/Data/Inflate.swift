/// Decompression of the deflate format (RFC 1951), which gzip and zip files hold.
///
/// It is written out here because a library for it is not at hand everywhere: Foundation has none on Linux, and a process
/// cannot be started on every Apple platform.
enum Inflate {
  /// Why bytes are no deflate stream.
  enum Failure: Error {
    case truncated, invalid
    /// The stream gives more than it was allowed to.
    case tooLong
  }

  /// Decompresses one stream.
  ///
  /// - Parameters:
  ///   - bytes: Where the stream is.
  ///   - start: Where it begins.
  ///   - limit: The largest number of bytes it may give.
  /// - Returns: The bytes, and the position after the stream.
  static func decompressed(
    _ bytes: [UInt8], from start: Int, limit: Int = .max
  ) throws(Failure) -> (output: [UInt8], end: Int) {
    let result = bytes.withUnsafeBufferPointer { bytes in
      Result { () throws(Failure) in
        var stream = InflateStream(bits: BitReader(bytes: bytes, next: start), limit: limit)
        try stream.run()
        return (stream.output, stream.bits.position)
      }
    }
    return try result.get()
  }
}

/// Bits from the least significant of the first byte on.
private struct BitReader {
  let bytes: UnsafeBufferPointer<UInt8>
  var next: Int
  var held: UInt64 = 0
  var count = 0

  init(bytes: UnsafeBufferPointer<UInt8>, next: Int) {
    self.bytes = bytes
    self.next = next
  }

  /// The position of the first byte of which no bit was taken.
  var position: Int { next - count / 8 }

  mutating func fill() {
    while count <= 48, next < bytes.count {
      held |= UInt64(bytes[next]) << UInt64(count)
      next += 1
      count += 8
    }
  }

  mutating func drop(_ bits: Int) {
    held >>= UInt64(bits)
    count -= bits
  }

  mutating func take(_ bits: Int) throws(Inflate.Failure) -> Int {
    if count < bits { fill() }
    guard count >= bits else { throw .truncated }
    defer { drop(bits) }
    return Int(held & (1 << UInt64(bits) - 1))
  }

  mutating func symbol(_ code: HuffmanCode) throws(Inflate.Failure) -> Int {
    if count < 15 { fill() }
    let entry = code.entries[Int(held & code.mask)]
    let length = Int(entry & 15)
    guard length > 0 else { throw count < 15 ? .truncated : .invalid }
    guard length <= count else { throw .truncated }
    drop(length)
    return Int(entry >> 4)
  }
}

/// A prefix code as a table: what the next bits stand for, whatever comes after the code word.
private struct HuffmanCode {
  /// The symbol, and in the last four bits the length of its code word; 0 where there is none.
  let entries: [UInt16]
  let mask: UInt64

  /// The code whose words have some lengths; 0 for a symbol that has none.
  init(_ lengths: some Collection<UInt8>) throws(Inflate.Failure) {
    let longest = Int(max(lengths.max() ?? 1, 1))
    var counts = [Int](repeating: 0, count: 16)
    for length in lengths { counts[Int(length)] += 1 }
    counts[0] = 0
    var next = [Int](repeating: 0, count: 16)
    var code = 0
    for length in 1...15 {
      code = (code + counts[length - 1]) << 1
      next[length] = code
      guard code + counts[length] <= 1 << length else { throw .invalid }
    }
    var entries = [UInt16](repeating: 0, count: 1 << longest)
    for (symbol, length) in lengths.enumerated() where length > 0 {
      let length = Int(length)
      // Code words come with their first bit lowest.
      var place = Self.reversed(next[length], bits: length)
      next[length] += 1
      while place < entries.count {
        entries[place] = UInt16(symbol << 4 | length)
        place += 1 << length
      }
    }
    self.entries = entries
    mask = UInt64(entries.count - 1)
  }

  private static func reversed(_ word: Int, bits: Int) -> Int {
    (0..<bits).reduce(0) { $0 | (word >> $1 & 1) << (bits - 1 - $1) }
  }
}

private struct InflateStream {
  var bits: BitReader
  let limit: Int
  var output: [UInt8] = []

  private static let lengthBases = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
  ]
  private static let lengthBits = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
  ]
  private static let distanceBases = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
    8193, 12289, 16385, 24577,
  ]

  init(bits: BitReader, limit: Int) {
    self.bits = bits
    self.limit = limit
  }

  mutating func run() throws(Inflate.Failure) {
    var isLast = false
    while !isLast {
      isLast = try bits.take(1) == 1
      switch try bits.take(2) {
      case 0: try copyStored()
      case 1: try decode(try HuffmanCode(Self.fixedLengths), try HuffmanCode([UInt8](repeating: 5, count: 30)))
      case 2:
        let (literals, distances) = try dynamicCodes()
        try decode(literals, distances)
      default: throw .invalid
      }
    }
  }

  private static let fixedLengths =
    [UInt8](repeating: 8, count: 144) + [UInt8](repeating: 9, count: 112) + [UInt8](repeating: 7, count: 24)
    + [UInt8](repeating: 8, count: 8)

  private mutating func copyStored() throws(Inflate.Failure) {
    bits.drop(bits.count % 8)
    let (length, complement) = (try bits.take(16), try bits.take(16))
    guard length ^ complement == 0xFFFF else { throw .invalid }
    let start = bits.position
    guard start + length <= bits.bytes.count else { throw .truncated }
    guard output.count + length <= limit else { throw .tooLong }
    output.append(contentsOf: bits.bytes[start..<start + length])
    bits = BitReader(bytes: bits.bytes, next: start + length)
  }

  private mutating func dynamicCodes() throws(Inflate.Failure) -> (HuffmanCode, HuffmanCode) {
    let literalCount = try bits.take(5) + 257
    let distanceCount = try bits.take(5) + 1
    let lengthCount = try bits.take(4) + 4
    guard literalCount <= 286, distanceCount <= 30 else { throw .invalid }
    let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
    var codeLengths = [UInt8](repeating: 0, count: 19)
    for place in order.prefix(lengthCount) { codeLengths[place] = UInt8(try bits.take(3)) }
    let code = try HuffmanCode(codeLengths)
    var lengths: [UInt8] = []
    while lengths.count < literalCount + distanceCount {
      let symbol = try bits.symbol(code)
      var (repeated, times) = (UInt8(0), 1)
      switch symbol {
      case 16:
        guard let last = lengths.last else { throw .invalid }
        (repeated, times) = (last, 3 + (try bits.take(2)))
      case 17: times = 3 + (try bits.take(3))
      case 18: times = 11 + (try bits.take(7))
      default: repeated = UInt8(symbol)
      }
      lengths.append(contentsOf: repeatElement(repeated, count: times))
    }
    guard lengths.count == literalCount + distanceCount, lengths[256] > 0 else { throw .invalid }
    return (try HuffmanCode(lengths[..<literalCount]), try HuffmanCode(lengths[literalCount...]))
  }

  private mutating func decode(_ literals: HuffmanCode, _ distances: HuffmanCode) throws(Inflate.Failure) {
    while true {
      let symbol = try bits.symbol(literals)
      if symbol == 256 { return }
      if symbol < 256 {
        guard output.count < limit else { throw .tooLong }
        output.append(UInt8(symbol))
        continue
      }
      guard symbol <= 285 else { throw .invalid }
      let length = Self.lengthBases[symbol - 257] + (try bits.take(Self.lengthBits[symbol - 257]))
      let place = try bits.symbol(distances)
      guard place < 30 else { throw .invalid }
      let distance = Self.distanceBases[place] + (try bits.take(place < 2 ? 0 : place / 2 - 1))
      guard distance <= output.count else { throw .invalid }
      guard output.count + length <= limit else { throw .tooLong }
      // The copy may reach into what it writes itself.
      for _ in 0..<length { output.append(output[output.count - distance]) }
    }
  }
}
