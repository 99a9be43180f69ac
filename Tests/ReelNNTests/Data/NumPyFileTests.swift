import Foundation
import Reel
import ReelNN
import ReelTestSupport
import Testing

/// Arrays that NumPy 2.4 wrote.
enum NumPySamples {
  static let float32 = bytes(
    base64: """
      k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAIA/AAAgQAAAQMAAAIBAAACgQAAAwEA=
      """)
  static let fortranOrder = bytes(
    base64: """
      k05VTVBZAQB2AHsnZGVzY3InOiAnPGY4JywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMyksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAAAAAAAAAAAAhAAAAAAAAA8D8AAAAAAAAQQAAAAAAAAABAAAAAAAAAFEA=
      """)
  static let bigEndian = bytes(
    base64: """
      k05VTVBZAQB2AHsnZGVzY3InOiAnPmkyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDMsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAf/+ASw=
      """)
  static let int64 = bytes(
    base64: """
      k05VTVBZAQB2AHsnZGVzY3InOiAnPGk4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoHAAAAAAAAAA==
      """)
  static let bool = bytes(
    base64: """
      k05VTVBZAQB2AHsnZGVzY3InOiAnfGIxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAA==
      """)
  static let float16InVersion3 = bytes(
    base64: """
      k05VTVBZAwB0AAAAeydkZXNjcic6ICc8ZjInLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMiwgMSksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAOADA
      """)
  static let complex = bytes(
    base64: """
      k05VTVBZAQB2AHsnZGVzY3InOiAnPGMxNicsICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgxLCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAAAAAAAAAAAPA/
      """)
  /// `x`: 0 to 49 in each of four rows; `labels`: 1, 2, 3.
  static let compressedArchive = bytes(
    base64: """
      UEsDBC0AAAAIAAAAIQC1Tk0o//////////8FABQAeC5ucHkBABAAoAMAAAAAAAC/AAAAAAAAAO3PoQ8BcRjG8dcmmAmCIAi/YPuxXbhwNjObY6YxRZC4cSYYdmeK2S6KNkUURVEURVEURVH05U+waZ69n3d73/ZsGq16sx2SuSx03/V7ni4oXRxY2lB6MPFmnjPuTLy++/7XnJHv8veHztTlzliGyplZQy3Vt4nKJ0GJZTMIsMMJN0hZJA4FEzaa6GKKACusscUOexxwxAlnXHDFDXc88IRURMKIIIY4EkgiBYU0MjBgwkIeRdioVv49/j1+0eMFUEsDBC0AAAAIAAAAIQDrwCsE//////////8KABQAbGFiZWxzLm5weQEAEACMAAAAAAAAAE0AAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpNpoq6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaxjqaOgq1ChQALkYGBgYmIGYGYgBQSwECLQMtAAAACAAAACEAtU5NKL8AAACgAwAABQAAAAAAAAAAAAAAgAEAAAAAeC5ucHlQSwECLQMtAAAACAAAACEA68ArBE0AAACMAAAACgAAAAAAAAAAAAAAgAH2AAAAbGFiZWxzLm5weVBLBQYAAAAAAgACAGsAAAB/AQAAAAA=
      """)
  static let storedArchive = bytes(
    base64: """
      UEsDBC0AAAAAAAAAIQCU3hHI//////////8FABQAeC5ucHkBABAAkAAAAAAAAACQAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJzxmOCcsICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgyLCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAKAAAAAAAA+D8AAAAAAAAEQFBLAQItAy0AAAAAAAAAIQCU3hHIkAAAAJAAAAAFAAAAAAAAAAAAAACAAQAAAAB4Lm5weVBLBQYAAAAAAQABADMAAADHAAAAAAA=
      """)

  /// A file of one line of header and some bytes.
  static func file(_ header: String, _ data: [UInt8] = []) -> [UInt8] {
    [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8) + data
  }
}

/// NumPy's arrays are read whole or refused with a reason.
@Suite struct NumPyFileTests {
  static let arrays: [(bytes: [UInt8], expected: Tensor)] = [
    (NumPySamples.float32, Tensor([1, 2.5, -3, 4, 5, 6] as [Float], shape: [2, 3])),
    (NumPySamples.fortranOrder, Tensor([0, 1, 2, 3, 4, 5] as [Double], shape: [2, 3])),
    (NumPySamples.bigEndian, Tensor([1, -2, 300] as [Int32])),
    (NumPySamples.int64, Tensor(Int32(7))),
    (NumPySamples.bool, Tensor([true, false])),
    (NumPySamples.float16InVersion3, Tensor([0.5, -2] as [Float], shape: [2, 1])),
  ]

  @Test(arguments: arrays.indices)
  func readsArrays(index: Int) throws {
    let (bytes, expected) = Self.arrays[index]
    expectSameBits(try NumPyFile(bytes: bytes).tensor, expected)
    try withFile(bytes, name: "a.npy") { expectSameBits(try NumPyFile(path: $0).tensor, expected) }
  }

  @Test func readsArchives() throws {
    let archive = try NumPyArchive(bytes: NumPySamples.compressedArchive)
    #expect(Set(archive.tensors.keys) == ["x", "labels"])
    expectSameBits(
      try #require(archive.tensors["x"]), Tensor((0..<200).map { Float($0 % 50) }, shape: [4, 50]))
    expectSameBits(try #require(archive.tensors["labels"]), Tensor([1, 2, 3] as [Int32]))
    let stored = try withFile(NumPySamples.storedArchive, name: "a.npz") { try NumPyArchive(path: $0) }
    expectSameBits(try #require(stored.tensors["x"]), Tensor([1.5, 2.5]))
  }

  static let refused: [(bytes: [UInt8], problem: String)] = [
    ([], "is no NumPy array"), (Array("NUMPY version one".utf8), "is no NumPy array"),
    (Array(NumPySamples.float32[..<60]), "ends in its header"),
    (NumPySamples.file("{'descr': [('a', '<f4')]}"), "has a header that is not understood"),
    (
      NumPySamples.complex, "has elements of type '<c16', which are no numbers of a known size"
    ),
    (
      NumPySamples.file("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}"),
      "has elements of type '|O', which are no numbers of a known size"
    ),
    (
      NumPySamples.file("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}"),
      "has the shape [4294967296, 4294967296], which is not possible"
    ),
    (
      NumPySamples.file("{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999999999999999,)}"),
      "has a header that is not understood"
    ),
    (Array(NumPySamples.float32.dropLast()), "holds 23 bytes where its header says 24"),
    (NumPySamples.float32 + [0], "holds 25 bytes where its header says 24"),
    (
      NumPySamples.file("{'descr': '<u4', 'fortran_order': False, 'shape': (1,)}", [0, 0, 0, 0x80]),
      "element 0 is 2147483648, which is no int32"
    ),
  ]

  @Test(arguments: refused.indices)
  func refuses(index: Int) {
    let (bytes, problem) = Self.refused[index]
    #expect(throws: DataError(path: "a.npy", problem: problem)) { try NumPyFile(bytes: bytes, path: "a.npy") }
  }

  /// An archive with bytes of it changed.
  private static func changed(
    _ archive: [UInt8] = NumPySamples.compressedArchive, at places: Range<Int>, _ change: (UInt8) -> UInt8
  ) -> [UInt8] {
    var bytes = archive
    for place in places { bytes[place] = change(bytes[place]) }
    return bytes
  }

  static let refusedArchives: [(bytes: [UInt8], place: String, problem: String)] = {
    let (whole, stored) = (NumPySamples.compressedArchive, NumPySamples.storedArchive)
    return [
      ([], "", "is no complete zip archive"),
      (Array(whole.dropLast(30)), "", "is no complete zip archive"),
      (changed(at: 100..<101) { $0 ^ 0xFF }, "entry 'x.npy'", "cannot be decompressed"),
      (
        changed(stored, at: stored.count - 80..<stored.count - 79) { $0 ^ 1 }, "entry 'x.npy'",
        "has other contents than its checksum says"
      ),
      (
        changed(at: 393..<394) { _ in 12 }, "entry 'x.npy'",
        "is compressed by method 12, and only stored and deflated ones are read"
      ),
      // A size that is a lie makes no allocation.
      (changed(at: 407..<411) { _ in 0xFE }, "entry 'x.npy'", "cannot be decompressed"),
    ]
  }()

  @Test(arguments: refusedArchives.indices)
  func refusesArchives(index: Int) {
    let (bytes, place, problem) = Self.refusedArchives[index]
    #expect(throws: DataError(path: "a.npz", place: place, problem: problem)) {
      try NumPyArchive(bytes: bytes, path: "a.npz")
    }
  }
}
