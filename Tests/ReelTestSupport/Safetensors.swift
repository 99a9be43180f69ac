import Foundation
import Reel

/// Why a safetensors file was refused. Nothing of it is used then.
public enum SafetensorsError: Error, Hashable, Sendable {
  /// The file cannot be read.
  case unreadable(String)
  /// The file ends before its header does, or the header is longer than the format allows.
  case header(length: UInt64, available: Int)
  /// The header is no JSON object of entries.
  case json
  /// What an entry says is no tensor of this reader.
  case entry(name: String, problem: String)
  /// The entries overlap, leave a gap, or do not end where the file does.
  case layout(String)
}

/// The tensors of a safetensors file: eight bytes of header length, a header in JSON, the elements in little endian.
public struct Safetensors: Sendable {
  /// The tensors by name.
  public let tensors: [String: Tensor]
  /// What the writer noted.
  public let metadata: [String: String]

  private static let longestHeader: UInt64 = 100_000_000

  private struct Entry {
    let name: String
    let type: TensorType
    let range: Range<Int>
  }

  /// Reads a file.
  public init(contentsOf url: URL) throws(SafetensorsError) {
    guard let data = try? Data(contentsOf: url) else { throw .unreadable(url.lastPathComponent) }
    try self.init(Array(data))
  }

  /// Reads the bytes of a file, and checks all of it.
  public init(_ bytes: [UInt8]) throws(SafetensorsError) {
    guard bytes.count >= 8 else { throw .header(length: 8, available: bytes.count) }
    let length = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[$1]) << (8 * UInt64($1)) }
    guard length <= Self.longestHeader, length <= UInt64(bytes.count - 8) else {
      throw .header(length: length, available: bytes.count - 8)
    }
    let start = 8 + Int(length)
    guard let header = try? JSONSerialization.jsonObject(with: Data(bytes[8..<start])) as? [String: Any] else {
      throw .json
    }
    metadata = header["__metadata__"] as? [String: String] ?? [:]
    var entries: [Entry] = []
    for (name, value) in header where name != "__metadata__" {
      entries.append(try Self.entry(name, value))
    }
    entries.sort { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }
    try Self.checkLayout(entries, count: bytes.count - start)
    var tensors: [String: Tensor] = [:]
    for entry in entries {
      let range = start + entry.range.lowerBound..<start + entry.range.upperBound
      tensors[entry.name] = try Self.tensor(entry, bytes[range])
    }
    self.tensors = tensors
  }

  private static func entry(_ name: String, _ value: Any) throws(SafetensorsError) -> Entry {
    func fail(_ problem: String) -> SafetensorsError { .entry(name: name, problem: problem) }
    guard let members = value as? [String: Any], let code = members["dtype"] as? String,
      let extents = members["shape"] as? [Int], let offsets = members["data_offsets"] as? [Int]
    else { throw fail("has no dtype, shape and data_offsets") }
    guard
      let elementType = [
        "F32": ElementType.float32, "F64": .float64, "I32": .int32, "BOOL": .bool,
      ][code]
    else { throw fail("has elements of type \(code)") }
    guard extents.allSatisfy({ $0 >= 0 }) else { throw fail("has the shape \(extents)") }
    var size = elementType.byteCount
    for extent in extents {
      let (product, overflow) = size.multipliedReportingOverflow(by: extent)
      guard !overflow else { throw fail("has the shape \(extents)") }
      size = product
    }
    guard offsets.count == 2, offsets[0] >= 0, offsets[1] >= offsets[0], offsets[1] - offsets[0] == size else {
      throw fail("has \(size) bytes at the offsets \(offsets)")
    }
    return Entry(name: name, type: TensorType(Shape(extents), elementType), range: offsets[0]..<offsets[1])
  }

  private static func checkLayout(_ entries: [Entry], count: Int) throws(SafetensorsError) {
    var end = 0
    for entry in entries {
      guard entry.range.lowerBound == end else {
        throw .layout("'\(entry.name)' begins at \(entry.range.lowerBound), not at \(end)")
      }
      end = entry.range.upperBound
    }
    guard end == count else { throw .layout("the tensors end at \(end), the file at \(count)") }
  }

  private static func tensor(_ entry: Entry, _ bytes: ArraySlice<UInt8>) throws(SafetensorsError) -> Tensor {
    let shape = entry.type.shape
    switch entry.type.elementType {
    case .float32:
      return Tensor(words(UInt32.self, bytes).map(Float.init(bitPattern:)), shape: shape)
    case .float64:
      return Tensor(words(UInt64.self, bytes).map(Double.init(bitPattern:)), shape: shape)
    case .int32:
      return Tensor(words(UInt32.self, bytes).map(Int32.init(bitPattern:)), shape: shape)
    case .bool:
      guard bytes.allSatisfy({ $0 <= 1 }) else {
        throw .entry(name: entry.name, problem: "has truth values other than 0 and 1")
      }
      return Tensor(bytes.map { $0 == 1 }, shape: shape)
    }
  }

  private static func words<Word: FixedWidthInteger>(_ type: Word.Type, _ bytes: ArraySlice<UInt8>) -> [Word] {
    bytes.withUnsafeBytes { raw in
      (0..<raw.count / MemoryLayout<Word>.size).map { index in
        Word(littleEndian: raw.loadUnaligned(fromByteOffset: index * MemoryLayout<Word>.size, as: Word.self))
      }
    }
  }
}
