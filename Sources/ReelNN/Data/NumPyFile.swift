import Foundation
import Reel

/// An array in NumPy's format: `.npy`.
///
/// Numbers of the types that Reel does not have are converted as in ``Safetensors``; Python objects, text, complex numbers
/// and records are refused.
public struct NumPyFile: Sendable {
  /// The array.
  public let tensor: Tensor

  /// Reads a file.
  ///
  /// - Parameter path: The file; if its name ends in `.gz` it is decompressed.
  /// - Throws: ``DataError`` if it is missing, cut short, no NumPy array, or one of other elements than numbers.
  public init(path: String) throws(DataError) {
    try self.init(bytes: try FileBytes.read(path), path: path)
  }

  /// Reads the bytes of a file.
  ///
  /// - Parameters:
  ///   - bytes: The whole file.
  ///   - path: What errors call it.
  ///   - place: Where in it the array is, for errors.
  /// - Throws: ``DataError``, as for a file.
  public init(bytes: [UInt8], path: String = "npy", place: String = "") throws(DataError) {
    func fail(_ problem: String) -> DataError { DataError(path: path, place: place, problem: problem) }
    guard bytes.starts(with: Array("\u{93}NUMPY".unicodeScalars.map { UInt8($0.value) })), bytes.count >= 10 else {
      throw fail("is no NumPy array")
    }
    let wide = bytes[6] >= 2
    guard (1...3).contains(bytes[6]), let length = bytes.littleEndian(wide ? 4 : 2, at: 8),
      let end = length <= bytes.count - (wide ? 12 : 10) ? (wide ? 12 : 10) + length : nil
    else { throw fail("ends in its header") }
    let text = String(decoding: bytes[(end - length)..<end], as: UTF8.self)
    guard let header = NumPyHeader(text) else { throw fail("has a header that is not understood") }
    guard let element = header.element else {
      throw fail("has elements of type '\(header.description)', which are no numbers of a known size")
    }
    guard let shape = Shape(fromFile: header.extents, elementByteCount: element.byteCount) else {
      throw fail("has the shape \(header.extents), which is not possible")
    }
    let held = bytes.count - end
    guard held == shape.count * element.byteCount else {
      throw fail("holds \(held) bytes where its header says \(shape.count * element.byteCount)")
    }
    var elements = Array(bytes[end...])
    if header.isBigEndian { elements.reverseEach(element.byteCount) }
    // With the first axis fastest it is the transpose of an array with the last axis fastest.
    let stored = header.isFortranOrder ? Shape(shape.extents.reversed()) : shape
    let result = elements.withUnsafeBytes { elements in
      Result { () throws(StoredElement.Misfit) in try element.tensor(stored, elements) }
    }
    do {
      let found = try result.get()
      tensor = header.isFortranOrder ? Recording.suspended { found.transposed() } : found
    } catch {
      throw fail(error.problem)
    }
  }
}

/// Several arrays by name in NumPy's format: `.npz`, stored or compressed.
public struct NumPyArchive: Sendable {
  /// The arrays by name.
  public let tensors: [String: Tensor]

  /// Reads a file.
  ///
  /// - Parameter path: The file.
  /// - Throws: ``DataError`` if it is missing, no archive, or one of its arrays cannot be read.
  public init(path: String) throws(DataError) {
    try self.init(bytes: try FileBytes.read(path), path: path)
  }

  /// Reads the bytes of a file.
  ///
  /// - Parameters:
  ///   - bytes: The whole file.
  ///   - path: What errors call it.
  /// - Throws: ``DataError``, as for a file.
  public init(bytes: [UInt8], path: String = "npz") throws(DataError) {
    let archive = try ZipArchive(bytes, path: path)
    var tensors: [String: Tensor] = [:]
    for entry in archive.entries {
      let name = entry.name.hasSuffix(".npy") ? String(entry.name.dropLast(4)) : entry.name
      let place = "array '\(name)'"
      guard tensors[name] == nil else { throw DataError(path: path, place: place, problem: "is there twice") }
      tensors[name] = try NumPyFile(bytes: try archive.contents(of: entry), path: path, place: place).tensor
    }
    self.tensors = tensors
  }
}

/// The header of an array: a dictionary in Python's notation, such as
/// `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
private struct NumPyHeader {
  let description: String
  let isFortranOrder: Bool
  let extents: [Int]

  init?(_ text: String) {
    guard let description = text.firstMatch(of: /'descr':\s*'([^']*)'/)?.output.1,
      let order = text.firstMatch(of: /'fortran_order':\s*(True|False)/)?.output.1,
      let shape = text.firstMatch(of: /'shape':\s*\(([0-9, ]*)\)/)?.output.1
    else { return nil }
    self.description = String(description)
    isFortranOrder = order == "True"
    let extents = shape.split(whereSeparator: { ", ".contains($0) }).map { Int($0) }
    guard extents.allSatisfy({ $0 != nil }) else { return nil }
    self.extents = extents.compactMap(\.self)
  }

  var isBigEndian: Bool { description.first == ">" }

  /// The elements, or nil if they are no numbers of a known size.
  var element: StoredElement? {
    guard let order = description.first, "<>|=".contains(order) else { return nil }
    let codes: [Substring: StoredElement] = [
      "f2": .float16, "f4": .float32, "f8": .float64, "b1": .bool, "i1": .int8, "i2": .int16, "i4": .int32,
      "i8": .int64, "u1": .uint8, "u2": .uint16, "u4": .uint32, "u8": .uint64,
    ]
    return codes[description.dropFirst()]
  }
}

extension [UInt8] {
  /// Turns the bytes of each element round.
  fileprivate mutating func reverseEach(_ size: Int) {
    for start in stride(from: 0, to: count, by: size) { self[start..<start + size].reverse() }
  }
}
