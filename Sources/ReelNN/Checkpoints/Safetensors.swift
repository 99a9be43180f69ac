import Foundation
import Reel

/// Named tensors in a file that every framework reads: the safetensors format.
///
///     try Safetensors(["kernel": kernel], metadata: ["made": "by hand"]).write(to: "weights.safetensors")
///     let kernel = try Safetensors(path: "weights.safetensors").tensors["kernel"]
///
/// A file is eight bytes of header length, a header in JSON, and the elements in little endian and row-major order.
/// Elements of types that Reel does not have are converted: floating-point numbers of 8 and 16 bits to `float32`, integers
/// of other sizes to `int32`; one that is no `int32` is an error.
public struct Safetensors: Sendable {
  /// The tensors by name.
  public var tensors: [String: Tensor]
  /// Notes of the writer by name.
  public var metadata: [String: String]

  /// The longest header that the format allows.
  static let longestHeader = 100_000_000

  /// Tensors to be written.
  ///
  /// - Parameters:
  ///   - tensors: The tensors by name.
  ///   - metadata: Notes by name; none by default.
  public init(_ tensors: [String: Tensor], metadata: [String: String] = [:]) {
    self.tensors = tensors
    self.metadata = metadata
  }

  /// Reads a file, after checking all that its header says.
  ///
  /// - Parameter path: The file.
  /// - Throws: ``DataError`` that names the tensor and the place: for a file that is cut short, a header that is too long or
  ///   no JSON, names that occur twice, unknown element types, shapes and offsets that do not fit each other, overlaps
  ///   and gaps.
  public init(path: String) throws(DataError) {
    try self.init(bytes: try FileBytes.read(path), path: path)
  }

  /// Reads the bytes of a file.
  ///
  /// - Parameters:
  ///   - bytes: The whole file.
  ///   - path: What errors call it.
  /// - Throws: ``DataError``, as for a file.
  public init(bytes: [UInt8], path: String = "safetensors") throws(DataError) {
    guard bytes.count >= 8 else {
      throw DataError(path: path, problem: "has \(bytes.count) bytes, too few for a safetensors file")
    }
    let length = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[$1]) << (8 * UInt64($1)) }
    guard length <= UInt64(Self.longestHeader) else {
      throw DataError(path: path, place: "header", problem: "has a length of \(length) bytes, which is too much")
    }
    guard length <= UInt64(bytes.count - 8) else {
      throw DataError(
        path: path, place: "header", problem: "has a length of \(length) bytes, and the file has \(bytes.count - 8)")
    }
    let start = 8 + Int(length)
    let header = try SafetensorsHeader(Array(bytes[8..<start]), byteCount: bytes.count - start, path: path)
    var tensors: [String: Tensor] = [:]
    for entry in header.entries {
      tensors[entry.name] = try Self.tensor(
        entry, bytes[start + entry.range.lowerBound..<start + entry.range.upperBound], path)
    }
    self.tensors = tensors
    metadata = header.metadata
  }

  private static func tensor(
    _ entry: SafetensorsHeader.Entry, _ bytes: ArraySlice<UInt8>, _ path: String
  ) throws(DataError) -> Tensor {
    let result = bytes.withUnsafeBytes { bytes in
      Result { () throws(StoredElement.Misfit) in try entry.element.tensor(entry.shape, bytes) }
    }
    do {
      return try result.get()
    } catch {
      throw DataError(path: path, place: "tensor '\(entry.name)'", problem: error.problem)
    }
  }
}

// MARK: - Writing

extension Safetensors {
  /// Writes a file, or replaces one: whoever reads it finds the old file or the new one whole, even after a crash.
  ///
  /// The same tensors and notes make the same bytes. Wider elements come first, so that all are aligned.
  ///
  /// - Parameter path: The file; its folder exists.
  /// - Throws: ``DataError`` if it cannot be written; a file that was there is then as before.
  public func write(to path: String) throws(DataError) {
    let (header, names) = try header(path: path)
    try AtomicFile.replace(path) { (file) throws(DataError) in
      try file.append(header)
      for name in names {
        try tensors[name]!.withBytes { (bytes) throws(DataError) in try file.append(bytes) }
      }
    }
  }

  /// The bytes of the file.
  ///
  /// - Throws: ``DataError`` for a tensor called `__metadata__`.
  public func encoded() throws(DataError) -> [UInt8] {
    var (bytes, names) = try header(path: "safetensors")
    for name in names { tensors[name]!.withBytes { bytes.append(contentsOf: $0) } }
    return bytes
  }

  /// The bytes before the elements, and the order of the tensors after them.
  private func header(path: String) throws(DataError) -> (bytes: [UInt8], names: [String]) {
    if tensors[SafetensorsHeader.metadataKey] != nil {
      throw DataError(
        path: path, place: "tensor '\(SafetensorsHeader.metadataKey)'", problem: "has the name of the metadata")
    }
    let names = tensors.keys.sorted {
      (-tensors[$0]!.elementType.byteCount, $0) < (-tensors[$1]!.elementType.byteCount, $1)
    }
    var members: [String] = []
    if !metadata.isEmpty {
      let notes = metadata.sorted { $0.key < $1.key }.map { "\(Self.quoted($0.key)):\(Self.quoted($0.value))" }
      members.append("\(Self.quoted(SafetensorsHeader.metadataKey)):{\(notes.joined(separator: ","))}")
    }
    var end = 0
    for name in names {
      let tensor = tensors[name]!
      let start = end
      end += tensor.count * tensor.elementType.byteCount
      let shape = tensor.shape.extents.map(String.init).joined(separator: ",")
      members.append(
        "\(Self.quoted(name)):{\"dtype\":\"\(StoredElement(tensor.elementType).rawValue)\","
          + "\"shape\":[\(shape)],\"data_offsets\":[\(start),\(end)]}")
    }
    var json = Array("{\(members.joined(separator: ","))}".utf8)
    json += [UInt8](repeating: UInt8(ascii: " "), count: (8 - json.count % 8) % 8)
    guard json.count <= Self.longestHeader else {
      throw DataError(path: path, place: "header", problem: "would be longer than the format allows")
    }
    return ((0..<8).map { UInt8(truncatingIfNeeded: json.count >> (8 * $0)) } + json, names)
  }

  private static func quoted(_ text: String) -> String {
    text.unicodeScalars.reduce(into: "\"") { quoted, scalar in
      switch scalar {
      case "\"", "\\": quoted += "\\\(scalar)"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    } + "\""
  }
}
