import Foundation
import Reel
import ReelNN
import Testing

/// Files of bytes are read whole or refused with a reason.
@Suite struct IDXFileTests {
  static func idx(_ extents: [UInt32], _ elements: [UInt8], type: UInt8 = 8) -> [UInt8] {
    [0, 0, type, UInt8(extents.count)]
      + extents.flatMap { extent in (0..<4).map { UInt8(truncatingIfNeeded: extent >> (24 - 8 * UInt32($0))) } }
      + elements
  }

  /// The bytes that `gzip` makes of others.
  static func compressed(_ bytes: [UInt8]) throws -> [UInt8] {
    try withFile(bytes) { path in
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      process.arguments = ["gzip", path]
      try process.run()
      process.waitUntilExit()
      try #require(process.terminationStatus == 0)
      return Array(try Data(contentsOf: URL(fileURLWithPath: path + ".gz")))
    }
  }

  @Test func readsExtentsAndElements() throws {
    try withFile(Self.idx([2, 1, 3], [1, 2, 3, 253, 254, 255])) { path in
      let file = try IDXFile(path: path, rank: 3)
      #expect(file.shape == [2, 1, 3])
      #expect(file.bytes == [1, 2, 3, 253, 254, 255])
    }
    for (extents, count) in [([300], 300), ([0, 28, 28], 0), ([], 1)] as [([UInt32], Int)] {
      let elements = [UInt8](repeating: 7, count: count)
      let file = try withFile(Self.idx(extents, elements)) { try IDXFile(path: $0, rank: extents.count) }
      #expect(file.shape == Shape(extents.map(Int.init)) && file.bytes == elements)
    }
  }

  @Test func readsCompressedFiles() throws {
    // More than a pipe holds, so that reading has to keep up with writing.
    let elements = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
    let bytes = try Self.compressed(Self.idx([500, 400], elements))
    try withFile(bytes, name: "data.gz") { path in
      let file = try IDXFile(path: path, rank: 2)
      #expect(file.shape == [500, 400])
      #expect(file.bytes == elements)
    }
  }

  static let refused: [(bytes: [UInt8], rank: Int, problem: String)] = [
    ([], 1, "is not an IDX file"),
    ([0, 0, 8], 1, "is not an IDX file"),
    ([1, 0, 8, 1, 0, 0, 0, 0], 1, "is not an IDX file"),
    (Array("plain text".utf8), 1, "is not an IDX file"),
    (idx([1], [0], type: 0x0D), 1, "holds elements of type 13, not unsigned bytes (8)"),
    (idx([2], [1, 2]), 3, "has 1 axes, not 3"),
    (idx([2, 1, 1], [1, 2]), 1, "has 3 axes, not 1"),
    ([0, 0, 8, 2, 0, 0, 0, 1, 0, 0], 2, "ends in its header"),
    (idx([2, 3], [1, 2, 3, 4, 5]), 2, "holds 5 elements where its header says 2 × 3"),
    (idx([2, 3], [1, 2, 3, 4, 5, 6, 7]), 2, "holds 7 elements where its header says 2 × 3"),
    (idx([.max, .max, .max], [1]), 3, "holds 1 elements where its header says 4294967295 × 4294967295 × 4294967295"),
    (idx([.max], []), 1, "holds 0 elements where its header says 4294967295"),
    (idx([0, .max, .max], [1]), 3, "holds 1 elements where its header says 0 × 4294967295 × 4294967295"),
  ]

  @Test(arguments: refused.indices)
  func refuses(index: Int) throws {
    let (bytes, rank, problem) = Self.refused[index]
    try withFile(bytes) { path in
      #expect(throws: DataError(path: path, problem: problem)) { try IDXFile(path: path, rank: rank) }
    }
  }

  @Test func refusesWhatIsNotThereOrNoFile() throws {
    let nowhere = "/nowhere/labels-idx1-ubyte.gz"
    #expect(throws: DataError(path: nowhere, problem: "no such file")) { try IDXFile(path: nowhere, rank: 1) }
    let folder = FileManager.default.temporaryDirectory.path
    #expect(throws: DataError(path: folder, problem: "cannot be read")) { try IDXFile(path: folder, rank: 1) }
    #expect("\(DataError(path: "a/b", problem: "no such file"))" == "a/b: no such file")
  }

  @Test func refusesBrokenCompression() throws {
    let whole = try Self.compressed(Self.idx([4], [1, 2, 3, 4]))
    var corrupt = whole
    corrupt[whole.count - 6] ^= 0xFF
    for bytes in [Array(whole.dropLast(5)), corrupt, Self.idx([1], [1]), []] {
      try withFile(bytes, name: "data.gz") { path in
        #expect(throws: DataError(path: path, problem: "is no complete gzip file")) { try IDXFile(path: path, rank: 1) }
      }
    }
    // What is inside is checked like any other file.
    try withFile(try Self.compressed(Array("text".utf8)), name: "data.gz") { path in
      #expect(throws: DataError(path: path, problem: "is not an IDX file")) { try IDXFile(path: path, rank: 1) }
    }
  }
}
