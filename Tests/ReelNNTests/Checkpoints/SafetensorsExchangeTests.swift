import Foundation
import Reel
import ReelNN
import ReelTestSupport
import Testing

/// Files that go from one program to another. `Tests/Scripts/safetensors_roundtrip.py` runs this test with a folder in
/// `REEL_EXCHANGE_FOLDER`, puts a file there first, and reads the one that is written; alone, Reel writes both.
@Suite struct SafetensorsExchangeTests {
  /// The same formulas are in the script.
  static let tensors: [String: Tensor] = [
    "f32": Tensor((0..<12).map { Float($0) / 2 - 1 }, shape: [3, 4]), "f64": Tensor((0..<5).map { Double($0) / 3 }),
    "i32": Tensor([1, -2, 3, -4] as [Int32], shape: [2, 2]), "bool": Tensor([true, false, true]),
    "scalar": Tensor(Float(2.5)), "empty": .zeros([0, 3]), "layers.0.\"ключ\"": Tensor([Float.infinity, -0.0]),
  ]

  @Test func exchangesFiles() throws {
    try withTemporaryFolder { own in
      let folder = ProcessInfo.processInfo.environment["REEL_EXCHANGE_FOLDER"] ?? own
      if folder == own {
        try Safetensors(Self.tensors, metadata: ["made": "elsewhere"]).write(to: "\(folder)/there.safetensors")
      }
      let found = try Safetensors(path: "\(folder)/there.safetensors")
      #expect(found.metadata == ["made": "elsewhere"])
      for (name, tensor) in Self.tensors { expectSameBits(try #require(found.tensors[name]), tensor, name) }
      for (name, tensor) in found.tensors where Self.tensors[name] == nil {
        // What the script adds: other element types of the numbers 0, 1, 2.
        expectClose(tensor, Tensor([0, 1, 2] as [Float]), relative: 0, absolute: 0, name)
      }
      try Safetensors(Self.tensors, metadata: ["made": "by Reel"]).write(to: "\(folder)/reel.safetensors")
    }
  }
}
