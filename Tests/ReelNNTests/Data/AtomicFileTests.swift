import Foundation
import Reel
import ReelNN
import Testing

/// Files are replaced in one step, and what a dead process left behind goes away.
@Suite struct AtomicFileTests {
  private static func write(_ number: Float, to path: String) throws {
    try Safetensors(["a": Tensor(number)]).write(to: path)
  }

  private static func read(_ path: String) throws -> Double? { try Safetensors(path: path).tensors["a"]?.item }

  @Test func aFileIsReplacedAndNothingElseIsLeft() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/w.safetensors"
      // What a process left that died while it wrote; and other files, whose names are alike.
      for name in [".w.safetensors.1-2.partial", ".w.safetensors.partially", ".v.safetensors.1-2.partial"] {
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
      }
      try Self.write(1, to: path)
      #expect(try Self.read(path) == 1)
      try Self.write(2, to: path)
      #expect(try Self.read(path) == 2)
      let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(Set(names) == ["w.safetensors", ".w.safetensors.partially", ".v.safetensors.1-2.partial"])
    }
  }

  @Test func aLinkIsFollowedAndPermissionsAreKept() throws {
    try withTemporaryFolder { folder in
      try Self.write(1, to: "\(folder)/real")
      try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: "\(folder)/real")
      try FileManager.default.createSymbolicLink(atPath: "\(folder)/link", withDestinationPath: "real")
      try Self.write(2, to: "\(folder)/link")
      #expect(try Self.read("\(folder)/real") == 2)
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/link") == "real")
      let permissions = try FileManager.default.attributesOfItem(atPath: "\(folder)/real")[.posixPermissions] as? Int
      #expect(permissions == 0o640)
    }
  }

  @Test func whatCannotBeWrittenIsAnErrorAndLeavesNothing() throws {
    try withTemporaryFolder { folder in
      #expect(throws: DataError(path: "\(folder)/no/w", problem: "cannot be written: No such file or directory")) {
        try Self.write(1, to: "\(folder)/no/w")
      }
      try FileManager.default.createDirectory(atPath: "\(folder)/taken", withIntermediateDirectories: false)
      #expect(throws: DataError.self) { try Self.write(1, to: "\(folder)/taken") }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["taken"])
    }
  }

  /// Many writers and a reader of one file: the reader always finds one of the files, whole.
  @Test func readersNeverSeeAPart() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/w"
      try Self.write(0, to: path)
      let tensors = (1...3).map { Tensor(repeating: Double($0), shape: [5000]) }
      DispatchQueue.concurrentPerform(iterations: 4) { worker in
        for _ in 0..<10 {
          if worker < 3 {
            #expect(throws: Never.self) { try Safetensors(["a": tensors[worker]]).write(to: path) }
          } else {
            let numbers = (try? Safetensors(path: path).tensors["a"]?.numbers) ?? []
            #expect(!numbers.isEmpty && numbers.allSatisfy { $0 == numbers[0] })
          }
        }
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["w"])
    }
  }
}
