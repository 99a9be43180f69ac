import Foundation
import Reel
import ReelNN
import ReelTestSupport
import Testing

/// Readers of files that are not what they should be: a typed error or a whole result, never a crash.
@Suite struct FuzzTests {
  /// A reader, and a file that it reads.
  struct Reader: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    /// How many mutations are tried: fewer where each starts a process.
    var rounds = 400
    let read: @Sendable ([UInt8]) throws -> Void

    var testDescription: String { name }
  }

  static let readers: [Reader] = [
    Reader(name: "safetensors", bytes: try! Safetensors(SafetensorsTests.samples, metadata: ["a": "b"]).encoded()) {
      for (_, tensor) in try Safetensors(bytes: $0).tensors { _ = tensor.numbers }
    },
    Reader(name: "npy", bytes: NumPySamples.fortranOrder) { _ = try NumPyFile(bytes: $0).tensor.numbers },
    Reader(name: "npz", bytes: NumPySamples.compressedArchive, rounds: 100) { _ = try NumPyArchive(bytes: $0) },
    Reader(name: "stored npz", bytes: NumPySamples.storedArchive) { _ = try NumPyArchive(bytes: $0) },
    Reader(name: "csv", bytes: Array(CSVFileTests.weather.utf8)) { bytes in
      try withFile(bytes) { _ = try CSVFile(path: $0).tensor(["day", "temperature", "rain"], missing: .nan) }
    },
    Reader(name: "idx", bytes: IDXFileTests.idx([2, 3, 1], [1, 2, 3, 4, 5, 6])) { bytes in
      try withFile(bytes) { _ = try IDXFile(path: $0, rank: 3) }
    },
    Reader(
      name: "gzip", bytes: bytes(base64: "H4sICAAAAAAC/25hbWUudHh0AMtIzcnJV8hAJwHjUT2NFwAAAA=="), rounds: 100
    ) { bytes in try withFile(bytes, name: "a.gz") { _ = try CSVFile(path: $0) } },
    Reader(name: "checkpoint", bytes: checkpoint) { bytes in
      try withFile(bytes) { for (_, tensor) in try Checkpoint(path: $0).weights { _ = tensor.numbers } }
    },
    Reader(name: "vocabulary", bytes: Array(#"{"unit":"words","tokens":["a","b"],"unknown":"a"}"#.utf8)) { bytes in
      try withFile(bytes) { _ = try Vocabulary(path: $0) }
    },
  ]

  /// The file of a checkpoint with a model, an optimizer, and tensors and notes of its own.
  private static let checkpoint: [UInt8] = {
    let model = Dense(1)
    _ = model(.ones([1, 2]))
    return try! withTemporaryFolder { folder in
      try Checkpoint(
        of: model, optimizer: Adam(), epoch: 1, step: 2, tensors: ["scale": .ones([2])], notes: ["note": "a b"]
      ).write(to: "\(folder)/c")
      return try ReelNNTests.bytes(of: "\(folder)/c")
    }
  }()

  /// A file with some bytes changed, cut off, doubled or left out.
  static func mutated(_ bytes: [UInt8], _ generator: inout SplitMix) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
      let place = Int.random(in: 0..<bytes.count, using: &generator)
      let end = min(place + Int.random(in: 1...8, using: &generator), bytes.count)
      switch Int.random(in: 0..<7, using: &generator) {
      case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      case 1: bytes[place] = .random(in: 0 ... .max, using: &generator)
      case 2: for index in place..<end { bytes[index] = 0xFF }
      case 3: bytes.removeSubrange(place..<end)
      case 4: bytes.insert(contentsOf: bytes[place..<end], at: place)
      case 5: bytes.removeLast(bytes.count - place)
      default: for index in place..<end { bytes[index] = UInt8(ascii: "0") + UInt8(index % 10) }
      }
    }
    return bytes
  }

  @Test(arguments: readers)
  func onlyTypedErrors(reader: Reader) throws {
    try reader.read(reader.bytes)
    var generator = SplitMix(seed: 17)
    var refused = 0
    for round in 0..<reader.rounds {
      let bytes = Self.mutated(reader.bytes, &generator)
      do {
        try reader.read(bytes)
      } catch is DataError {
        refused += 1
      } catch {
        Issue.record("\(reader.name), round \(round): \(error)")
      }
    }
    #expect(refused > reader.rounds / 4, "\(reader.name): the mutations do nothing")
  }
}
