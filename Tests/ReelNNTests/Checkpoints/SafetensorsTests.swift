import Foundation
import Reel
import ReelNN
import ReelTestSupport
import Testing

/// Safetensors files are read whole or refused with a reason, and what is written is read back.
@Suite struct SafetensorsTests {
  /// A file of a header and some bytes.
  static func file(_ header: String, _ data: [UInt8] = [], length: UInt64? = nil) -> [UInt8] {
    let length = length ?? UInt64(header.utf8.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + Array(header.utf8) + data
  }

  static func entry(_ dtype: String, _ shape: String, _ offsets: String, name: String = "a") -> String {
    #""\#(name)":{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":\#(offsets)}"#
  }

  static func single(_ dtype: String, _ count: Int, _ data: [UInt8]) -> [UInt8] {
    file("{\(entry(dtype, "[\(count)]", "[0,\(data.count)]"))}", data)
  }

  @Test func readsReelsElementTypes() throws {
    let header = #"""
      {"__metadata__":{"made":"by hand"},"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]},\
      "d":{"dtype":"F64","shape":[1],"data_offsets":[4,12]},"i":{"dtype":"I32","shape":[2,1],"data_offsets":[12,20]},\
      "b":{"dtype":"BOOL","shape":[2],"data_offsets":[20,22]},"e":{"dtype":"F32","shape":[0,3],"data_offsets":[22,22]}}
      """#.replacing("\\\n", with: "\n")
    let data: [UInt8] = [0, 0, 0xC0, 0x3F, 0, 0, 0, 0, 0, 0, 0x04, 0xC0, 7, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0]
    let found = try Safetensors(bytes: Self.file(header, data))
    expectSameBits(try #require(found.tensors["s"]), Tensor(Float(1.5)))
    expectSameBits(try #require(found.tensors["d"]), Tensor([-2.5]))
    expectSameBits(try #require(found.tensors["i"]), Tensor([Int32(7), -1], shape: [2, 1]))
    expectSameBits(try #require(found.tensors["b"]), Tensor([true, false]))
    #expect(found.tensors["e"]?.shape == [0, 3])
    #expect(found.metadata == ["made": "by hand"])
  }

  static let converted: [(dtype: String, bytes: [UInt8], expected: Tensor)] = [
    // 1, -2, 65504, the smallest subnormal number, the largest one, ∞, NaN.
    (
      "F16", [0, 0x3C, 0, 0xC0, 0xFF, 0x7B, 1, 0, 0xFF, 3, 0, 0x7C, 1, 0x7C],
      Tensor([1, -2, 65504, 0x1p-24, 0x3FFp-24, .infinity, .nan] as [Float])
    ),
    ("BF16", [0x80, 0x3F, 0x49, 0xC0, 0x80, 0xFF], Tensor([1, -3.140625, -.infinity] as [Float])),
    ("F8_E5M2", [0x3C, 0xC1, 0x7C, 1], Tensor([1, -2.5, .infinity, 0x1p-16] as [Float])),
    ("F8_E4M3", [0x38, 0xC1, 0x7E, 1, 0xFF], Tensor([1, -2.25, 448, 0x1p-9, .nan] as [Float])),
    ("I8", [0x80, 5], Tensor([-128, 5] as [Int32])),
    ("U8", [0xFF, 5], Tensor([255, 5] as [Int32])),
    ("I16", [0, 0x80, 1, 0], Tensor([-32768, 1] as [Int32])),
    ("U16", [0, 0x80, 1, 0], Tensor([32768, 1] as [Int32])),
    ("U32", [0xFF, 0xFF, 0xFF, 0x7F], Tensor([Int32.max])),
    ("U64", [1, 0, 0, 0, 0, 0, 0, 0], Tensor([1] as [Int32])),
    ("I64", [0, 0, 0, 0x80, 0xFF, 0xFF, 0xFF, 0xFF], Tensor([Int32.min])),
  ]

  @Test(arguments: converted.indices)
  func converts(index: Int) throws {
    let (dtype, bytes, expected) = Self.converted[index]
    let found = try Safetensors(bytes: Self.single(dtype, expected.count, bytes)).tensors["a"]
    expectSameBits(try #require(found), expected, dtype)
  }

  static let refused: [(bytes: [UInt8], place: String, problem: String)] = [
    ([1, 2, 3], "", "has 3 bytes, too few for a safetensors file"),
    (file("{}", length: 3), "header", "has a length of 3 bytes, and the file has 2"),
    (file("{}", length: .max), "header", "has a length of 18446744073709551615 bytes, which is too much"),
    (file("{"), "header", "is no object in JSON"),
    (file(""), "header", "is no object in JSON"),
    (file("[]"), "header", "is no object in JSON"),
    (file(#"{"__metadata__":{"a":1}}"#), "header", "has metadata that are no strings by name"),
    (file(#"{"a":1}"#), "tensor 'a'", "has no dtype, shape and data_offsets"),
    (
      file(#"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#), "tensor 'a'",
      "has no dtype, shape and data_offsets"
    ),
    (file(#"{"a":{"dtype":"F32","shape":[1]}}"#), "tensor 'a'", "has no dtype, shape and data_offsets"),
    (file("{\(entry("C64", "[1]", "[0,8]"))}", [0]), "tensor 'a'", "has elements of the unknown type 'C64'"),
    (file("{\(entry("F32", "[-1]", "[0,4]"))}", [0]), "tensor 'a'", "has the shape [-1], which is not possible"),
    (
      file("{\(entry("F32", "[4294967296,4294967296]", "[0,4]"))}", [0, 0, 0, 0]), "tensor 'a'",
      "has the shape [4294967296, 4294967296], which is not possible"
    ),
    (
      file("{\(entry("F32", "[0,4294967296,4294967296]", "[0,0]"))}"), "tensor 'a'",
      "has the shape [0, 4294967296, 4294967296], which is not possible"
    ),
    (
      file("{\(entry("F32", "[2]", "[0,4]"))}", [0, 0, 0, 0]), "tensor 'a'",
      "has 8 bytes by its shape [2], and 4 by its offsets [0, 4]"
    ),
    (file("{\(entry("F32", "[1]", "[4,0]"))}", [0, 0]), "tensor 'a'", "has the offsets [4, 0], which are no range"),
    (file("{\(entry("F32", "[1]", "[-4,0]"))}", [0]), "tensor 'a'", "has the offsets [-4, 0], which are no range"),
    (file("{\(entry("F32", "[1]", "[0,4]"))}", [0, 0, 0]), "tensor 'a'", "ends at byte 4, and the file at 3"),
    (
      file("{\(entry("F32", "[1]", "[0,4]"))}", [0, 0, 0, 0, 0]), "",
      "has 5 bytes after its header, and its tensors have 4"
    ),
    (
      file("{\(entry("F32", "[1]", "[4,8]"))}", [UInt8](repeating: 0, count: 8)), "tensor 'a'",
      "leaves a gap before it: it begins at byte 4, not at 0"
    ),
    (
      file(
        "{\(entry("F32", "[2]", "[0,8]")),\(entry("F32", "[1]", "[4,8]", name: "b"))}", [UInt8](repeating: 0, count: 8)),
      "tensor 'b'", "overlaps the tensor before it: it begins at byte 4, not at 8"
    ),
    (
      file("{\(entry("F32", "[1]", "[0,4]")),\(entry("F32", "[1]", "[4,8]"))}", [UInt8](repeating: 0, count: 8)),
      "header", "has the name 'a' twice"
    ),
    (
      file(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"dtype":"I32"}}"#, [0, 0, 0, 0]), "header",
      "has the name 'dtype' twice"
    ),
    (
      file(
        #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#
      ),
      "header", "has the name 'a' twice"
    ),
    (single("BOOL", 2, [1, 2]), "tensor 'a'", "element 1 is 2, which is no truth value"),
    (single("I64", 1, [0, 0, 0, 0x80, 0, 0, 0, 0]), "tensor 'a'", "element 0 is 2147483648, which is no int32"),
    (
      single("U64", 1, [UInt8](repeating: 0xFF, count: 8)), "tensor 'a'",
      "element 0 is 18446744073709551615, which is no int32"
    ),
  ]

  @Test(arguments: refused.indices)
  func refuses(index: Int) {
    let (bytes, place, problem) = Self.refused[index]
    #expect(throws: DataError(path: "x.safetensors", place: place, problem: problem)) {
      try Safetensors(bytes: bytes, path: "x.safetensors")
    }
  }

  @Test func aMissingFileIsNamed() {
    #expect(throws: DataError(path: "/nowhere/nothing.safetensors", problem: "no such file")) {
      try Safetensors(path: "/nowhere/nothing.safetensors")
    }
  }

  // MARK: - Writing

  static let samples: [String: Tensor] = [
    "lstm.kernel": sample([3, 8], seed: 1, elementType: .float32), "double": sample([5], seed: 2),
    "labels": Tensor([3, -1, 7] as [Int32]), "mask": Tensor([true, false, true]), "scalar": Tensor(Float(-0.0)),
    "none": .zeros([0, 4]), "\"quotes\"\\\n\u{1}é 🜁": Tensor([Float.nan, .infinity]),
  ]

  @Test func whatIsWrittenIsRead() throws {
    let metadata = ["note": "a \"quoted\"\tword\\", "empty": ""]
    let file = Safetensors(Self.samples, metadata: metadata)
    let bytes = try file.encoded()
    let found = try Safetensors(bytes: bytes)
    #expect(found.metadata == metadata)
    #expect(Set(found.tensors.keys) == Set(Self.samples.keys))
    for (name, tensor) in Self.samples { expectSameBits(try #require(found.tensors[name]), tensor, name) }
    #expect(try found.encoded() == bytes)
    try withTemporaryFolder { folder in
      try file.write(to: "\(folder)/a.safetensors")
      #expect(try ReelNNTests.bytes(of: "\(folder)/a.safetensors") == bytes)
    }
    // Elements are aligned, and the header fills up whole words.
    #expect((8 + Int(bytes[0]) + Int(bytes[1]) << 8) % 8 == 0)
  }

  @Test func everyTruncationIsRefused() throws {
    let bytes = try Safetensors(Self.samples).encoded()
    for count in stride(from: 0, to: bytes.count, by: 7) {
      #expect(throws: DataError.self) { try Safetensors(bytes: Array(bytes[..<count])) }
    }
  }

  @Test func theNameOfTheMetadataIsTaken() {
    #expect(
      throws: DataError(path: "safetensors", place: "tensor '__metadata__'", problem: "has the name of the metadata")
    ) { try Safetensors(["__metadata__": .zeros([1])]).encoded() }
  }
}
