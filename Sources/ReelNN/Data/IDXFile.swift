import Foundation
import Reel

/// An array of bytes in the IDX format of the MNIST files: big-endian extents, then the elements in row-major order.
public struct IDXFile: Sendable {
  /// The extents: `[images, rows, columns]` for images, `[labels]` for labels.
  public let shape: Shape
  /// The elements.
  public let bytes: [UInt8]

  /// Reads a file of unsigned bytes.
  ///
  /// - Parameters:
  ///   - path: The file; if its name ends in `.gz` it is decompressed with the system's `gzip`.
  ///   - rank: The number of axes the file must have.
  /// - Throws: ``DataError`` if the file is missing, no IDX file of unsigned bytes, of another rank, or not as long as its
  ///   header says.
  public init(path: String, rank: Int) throws {
    let data = try Self.contents(of: path)
    func fail(_ problem: String) -> DataError { DataError(path: path, problem: problem) }
    guard data.count >= 4, data[0] == 0, data[1] == 0 else { throw fail("is not an IDX file") }
    guard data[2] == 0x08 else { throw fail("holds elements of type \(data[2]), not unsigned bytes (8)") }
    guard data[3] == rank else { throw fail("has \(data[3]) axes, not \(rank)") }
    guard data.count >= 4 + 4 * rank else { throw fail("ends in its header") }
    let extents = (0..<rank).map { axis in
      (0..<4).reduce(0) { $0 << 8 | Int(data[4 + 4 * axis + $1]) }
    }
    // Extents of up to 2³² can overflow their product.
    let count = extents.reduce(Optional(1)) { product, extent in
      product.flatMap { $0.multipliedReportingOverflow(by: extent).overflow ? nil : $0 * extent }
    }
    let held = data.count - 4 - 4 * rank
    guard held == count else {
      let product = extents.map(String.init).joined(separator: " × ")
      throw fail("holds \(held) elements where its header says \(product)")
    }
    shape = Shape(extents)
    bytes = Array(data[(4 + 4 * rank)...])
  }

  private static func contents(of path: String) throws -> [UInt8] {
    guard FileManager.default.fileExists(atPath: path) else { throw DataError(path: path, problem: "no such file") }
    if path.hasSuffix(".gz") { return try decompressed(path) }
    do {
      return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    } catch {
      throw DataError(path: path, problem: "cannot be read")
    }
  }

  private static func decompressed(_ path: String) throws -> [UInt8] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["gzip", "-dc", "--", path]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    do {
      try process.run()
    } catch {
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
}
