import Foundation
import Reel
import ReelTestSupport
import Testing

/// The reader of the golden files refuses what is not whole, and reads what is.
@Suite struct SafetensorsTests {
  /// A file of a header and some bytes.
  static func file(_ header: String, _ data: [UInt8] = [], length: UInt64? = nil) -> [UInt8] {
    let length = length ?? UInt64(header.utf8.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + Array(header.utf8) + data
  }

  static func entry(_ dtype: String, _ shape: String, _ offsets: String) -> String {
    #""a":{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":\#(offsets)}"#
  }

  @Test func readsEveryElementType() throws {
    let header = #"""
      {"__metadata__":{"made":"by hand"},"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]},\
      "d":{"dtype":"F64","shape":[1],"data_offsets":[4,12]},"i":{"dtype":"I32","shape":[2,1],"data_offsets":[12,20]},\
      "b":{"dtype":"BOOL","shape":[2],"data_offsets":[20,22]},"e":{"dtype":"F32","shape":[0,3],"data_offsets":[22,22]}}
      """#.replacing("\\\n", with: "\n")
    let data: [UInt8] = [0, 0, 0xC0, 0x3F, 0, 0, 0, 0, 0, 0, 0x04, 0xC0, 7, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0]
    let found = try Safetensors(Self.file(header, data))
    expectSameBits(try #require(found.tensors["s"]), Tensor(Float(1.5)))
    expectSameBits(try #require(found.tensors["d"]), Tensor([-2.5]))
    expectSameBits(try #require(found.tensors["i"]), Tensor([Int32(7), -1], shape: [2, 1]))
    expectSameBits(try #require(found.tensors["b"]), Tensor([true, false]))
    #expect(found.tensors["e"]?.shape == [0, 3])
    #expect(found.metadata == ["made": "by hand"])
  }

  static let refused: [(bytes: [UInt8], error: SafetensorsError)] = [
    ([1, 2, 3], .header(length: 8, available: 3)),
    (file("{}", length: 3), .header(length: 3, available: 2)),
    (file("{}", length: .max), .header(length: .max, available: 2)),
    (file("{"), .json),
    (file("[]"), .json),
    (file(#"{"a":1}"#), .entry(name: "a", problem: "has no dtype, shape and data_offsets")),
    (file("{\(entry("F16", "[1]", "[0,2]"))}", [0, 0]), .entry(name: "a", problem: "has elements of type F16")),
    (file("{\(entry("F32", "[-1]", "[0,4]"))}", [0, 0, 0, 0]), .entry(name: "a", problem: "has the shape [-1]")),
    (
      file("{\(entry("F32", "[4294967296,4294967296]", "[0,4]"))}", [0, 0, 0, 0]),
      .entry(name: "a", problem: "has the shape [4294967296, 4294967296]")
    ),
    (
      file("{\(entry("F32", "[2]", "[0,4]"))}", [0, 0, 0, 0]),
      .entry(name: "a", problem: "has 8 bytes at the offsets [0, 4]")
    ),
    (
      file("{\(entry("F32", "[1]", "[4,0]"))}", [0, 0, 0, 0]),
      .entry(name: "a", problem: "has 4 bytes at the offsets [4, 0]")
    ),
    (file("{\(entry("F32", "[1]", "[0,4]"))}", [0, 0, 0]), .layout("the tensors end at 4, the file at 3")),
    (file("{\(entry("F32", "[1]", "[0,4]"))}", [0, 0, 0, 0, 0]), .layout("the tensors end at 4, the file at 5")),
    (file("{\(entry("F32", "[1]", "[4,8]"))}", [UInt8](repeating: 0, count: 8)), .layout("'a' begins at 4, not at 0")),
    (
      file("{\(entry("BOOL", "[1]", "[0,1]"))}", [2]), .entry(name: "a", problem: "has truth values other than 0 and 1")
    ),
  ]

  @Test(arguments: refused.indices)
  func refuses(index: Int) {
    #expect(throws: Self.refused[index].error) { try Safetensors(Self.refused[index].bytes) }
  }

  @Test func aMissingFileIsUnreadable() {
    #expect(throws: SafetensorsError.unreadable("nothing.safetensors")) {
      try Safetensors(contentsOf: URL(fileURLWithPath: "/nowhere/nothing.safetensors"))
    }
  }
}
