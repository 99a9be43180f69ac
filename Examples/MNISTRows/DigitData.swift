import Foundation
import Reel
import ReelNN

/// Handwritten digits as sequences of rows.
struct DigitData {
  /// `[digits, 28, 28]` in 0...1.
  let images: Tensor
  /// `[digits]`, `int32`.
  let labels: Tensor

  var count: Int { labels.shape[0] }

  /// The data that comes with the example.
  static let bundledDirectory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Data"

  /// Reads `train` or `t10k` from a folder that holds MNIST as it is distributed.
  ///
  /// - Throws: ``ReelNN/DataError`` if a file is missing or not what it should be.
  init(_ part: String, in directory: String) throws {
    let imagePath = try Self.file("\(part)-images", "idx3-ubyte", in: directory)
    let labelPath = try Self.file("\(part)-labels", "idx1-ubyte", in: directory)
    let pixels = try IDXFile(path: imagePath, rank: 3)
    let classes = try IDXFile(path: labelPath, rank: 1)
    guard pixels.shape[0] == classes.shape[0], pixels.shape.count > 0 else {
      throw DataError(path: labelPath, problem: "has \(classes.shape[0]) labels for \(pixels.shape[0]) images")
    }
    guard let largest = classes.bytes.max(), largest < 10 else {
      throw DataError(path: labelPath, problem: "has a label that is no digit")
    }
    images = Tensor(pixels.bytes.map { Float($0) / 255 }, shape: pixels.shape)
    labels = Tensor(classes.bytes.map(Int32.init))
  }

  private static func file(_ name: String, _ suffix: String, in directory: String) throws -> String {
    let candidates = ["-\(suffix)", ".\(suffix)", "-\(suffix).gz", ".\(suffix).gz"].map { "\(directory)/\(name)\($0)" }
    guard let found = candidates.first(where: FileManager.default.fileExists(atPath:)) else {
      throw DataError(path: candidates[0], problem: "no such file, nor with .gz")
    }
    return found
  }
}
