import Foundation
import Reel

/// What the header of a safetensors file says: the tensors, and where their bytes are.
struct SafetensorsHeader {
  struct Entry {
    let name: String
    let element: StoredElement
    let shape: Shape
    /// Counted from the end of the header.
    let range: Range<Int>
  }

  /// The tensors in the order of their bytes.
  let entries: [Entry]
  let metadata: [String: String]

  static let metadataKey = "__metadata__"

  /// Parses the JSON of a header, and checks all that it says.
  ///
  /// - Parameters:
  ///   - json: The header.
  ///   - byteCount: The bytes after it, which the tensors have to fill.
  ///   - path: The file, for errors.
  init(_ json: [UInt8], byteCount: Int, path: String) throws(DataError) {
    guard let document = try? JSONDecoder().decode(Document.self, from: Data(json)) else {
      throw DataError(path: path, place: "header", problem: "is no object in JSON")
    }
    if let name = document.broken.min() {
      throw name == Self.metadataKey
        ? DataError(path: path, place: "header", problem: "has metadata that are no strings by name")
        : DataError(path: path, place: "tensor '\(name)'", problem: "has no dtype, shape and data_offsets")
    }
    // The decoder keeps one of two members with one name, and the bytes of the other would be a gap.
    if let key = duplicateKey(inJSON: json) {
      throw DataError(path: path, place: "header", problem: "has the name '\(key)' twice")
    }
    var entries: [Entry] = []
    for (name, found) in document.tensors { entries.append(try Self.entry(name, found, path: path)) }
    entries.sort {
      ($0.range.lowerBound, $0.range.upperBound, $0.name) < ($1.range.lowerBound, $1.range.upperBound, $1.name)
    }
    try Self.checkLayout(entries, byteCount: byteCount, path: path)
    self.entries = entries
    metadata = document.metadata
  }

  private static func entry(_ name: String, _ found: Document.Tensor, path: String) throws(DataError) -> Entry {
    func fail(_ problem: String) -> DataError { DataError(path: path, place: "tensor '\(name)'", problem: problem) }
    guard let element = StoredElement(rawValue: found.dtype) else {
      throw fail("has elements of the unknown type '\(found.dtype)'")
    }
    guard let shape = Shape(fromFile: found.shape, elementByteCount: element.byteCount) else {
      throw fail("has the shape \(found.shape), which is not possible")
    }
    let (offsets, size) = (found.data_offsets, shape.count * element.byteCount)
    guard offsets.count == 2, offsets[0] >= 0, offsets[1] >= offsets[0] else {
      throw fail("has the offsets \(offsets), which are no range")
    }
    guard offsets[1] - offsets[0] == size else {
      throw fail("has \(size) bytes by its shape \(shape), and \(offsets[1] - offsets[0]) by its offsets \(offsets)")
    }
    return Entry(name: name, element: element, shape: shape, range: offsets[0]..<offsets[1])
  }

  /// The tensors fill the bytes: none overlaps another, leaves a gap or goes beyond the end.
  private static func checkLayout(_ entries: [Entry], byteCount: Int, path: String) throws(DataError) {
    var end = 0
    for entry in entries {
      guard entry.range.lowerBound == end else {
        let problem = entry.range.lowerBound < end ? "overlaps the tensor before it" : "leaves a gap before it"
        throw DataError(
          path: path, place: "tensor '\(entry.name)'",
          problem: "\(problem): it begins at byte \(entry.range.lowerBound), not at \(end)")
      }
      end = entry.range.upperBound
      guard end <= byteCount else {
        throw DataError(
          path: path, place: "tensor '\(entry.name)'", problem: "ends at byte \(end), and the file at \(byteCount)")
      }
    }
    guard end == byteCount else {
      throw DataError(path: path, problem: "has \(byteCount) bytes after its header, and its tensors have \(end)")
    }
  }
}

/// The header as it stands in the file.
private struct Document: Decodable {
  struct Tensor: Decodable {
    let dtype: String
    let shape: [Int]
    let data_offsets: [Int]
  }

  struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  var tensors: [String: Tensor] = [:]
  var metadata: [String: String] = [:]
  /// The names of what is no tensor, or no metadata.
  var broken: [String] = []

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    for key in container.allKeys {
      do {
        if key.stringValue == SafetensorsHeader.metadataKey {
          metadata = try container.decode([String: String].self, forKey: key)
        } else {
          tensors[key.stringValue] = try container.decode(Tensor.self, forKey: key)
        }
      } catch {
        broken.append(key.stringValue)
      }
    }
  }
}

/// A key that an object of a JSON text has twice; nil if there is none.
///
/// - Parameter json: A text that has been parsed before, so that quotes and brackets are in place.
func duplicateKey(inJSON json: [UInt8]) -> String? {
  var open: [Set<String>] = []
  var index = 0
  while index < json.count {
    switch json[index] {
    case UInt8(ascii: "{"), UInt8(ascii: "["): open.append([])
    case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = open.popLast()
    case UInt8(ascii: "\""):
      let start = index
      index += 1
      while index < json.count, json[index] != UInt8(ascii: "\"") {
        index += json[index] == UInt8(ascii: "\\") ? 2 : 1
      }
      let next = json[min(index + 1, json.count)...].first { !" \t\n\r".utf8.contains($0) }
      guard next == UInt8(ascii: ":"), !open.isEmpty else { break }
      let key = (try? JSONDecoder().decode(String.self, from: Data(json[start...index]))) ?? ""
      if !open[open.count - 1].insert(key).inserted { return key }
    default: break
    }
    index += 1
  }
  return nil
}
