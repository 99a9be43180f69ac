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
  ///   - path: The file; if its name ends in `.gz` it is decompressed.
  ///   - rank: The number of axes the file must have.
  /// - Throws: ``DataError`` if the file is missing, no IDX file of unsigned bytes, of another rank, or not as long as its
  ///   header says.
  public init(path: String, rank: Int) throws(DataError) {
    let data = try FileBytes.read(path)
    func fail(_ problem: String) -> DataError { DataError(path: path, problem: problem) }
    guard data.count >= 4, data[0] == 0, data[1] == 0 else { throw fail("is not an IDX file") }
    guard data[2] == 0x08 else { throw fail("holds elements of type \(data[2]), not unsigned bytes (8)") }
    guard data[3] == rank else { throw fail("has \(data[3]) axes, not \(rank)") }
    guard data.count >= 4 + 4 * rank else { throw fail("ends in its header") }
    let extents = (0..<rank).map { axis in
      (0..<4).reduce(0) { $0 << 8 | Int(data[4 + 4 * axis + $1]) }
    }
    let held = data.count - 4 - 4 * rank
    guard let shape = Shape(fromFile: extents, elementByteCount: 1), held == shape.count else {
      let product = extents.map(String.init).joined(separator: " × ")
      throw fail("holds \(held) elements where its header says \(product)")
    }
    self.shape = shape
    bytes = Array(data[(4 + 4 * rank)...])
  }

  /// The elements as numbers, each multiplied by a factor: 1/255 brings pixels into 0...1.
  ///
  /// - Parameters:
  ///   - scale: The factor; 1 by default.
  ///   - elementType: `int32` for labels, say; ``Reel/ElementType/default`` if nil. Integers are rounded towards zero.
  public func tensor(scaledBy scale: Double = 1, elementType: ElementType? = nil) -> Tensor {
    let numbers = Tensor(bytes.map { Double($0) * scale }, shape: shape)
    return numbers.converted(to: elementType ?? .default)
  }
}
