import Foundation
import Reel

/// The options of a command line.
package struct Arguments: Sendable {
  /// An option that cannot be.
  package struct Problem: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
  }

  private var values: [String: String] = [:]
  private var flags: Set<String> = []

  /// - Parameters:
  ///   - arguments: What stands on the command line.
  ///   - options: The options that take a value.
  ///   - flags: Those that take none.
  /// - Throws: ``Problem`` for an option that is in neither list, or has no value.
  package init(_ arguments: [String], options: [String], flags: [String]) throws {
    var rest = arguments[...]
    while let name = rest.popFirst() {
      if flags.contains(name) {
        self.flags.insert(name)
        continue
      }
      guard options.contains(name) else { throw Problem(description: "unknown option '\(name)'; --help lists them") }
      guard let value = rest.popFirst() else { throw Problem(description: "\(name) needs a value") }
      values[name] = value
    }
  }

  /// Whether an option is there.
  package func has(_ name: String) -> Bool { flags.contains(name) || values[name] != nil }

  /// The value of an option as it stands there.
  package func text(_ name: String) -> String? { values[name] }

  /// A whole number from 1.
  ///
  /// - Parameters:
  ///   - standard: The number if the option is not there.
  ///   - limit: The largest number; what memory and time allow if nil.
  package func count(_ name: String, default standard: Int, atMost limit: Int? = nil) throws -> Int {
    guard let value = values[name] else { return standard }
    guard let number = Int(value), (1...(limit ?? 1 << 30)).contains(number) else {
      let kind = limit.map { "a whole number from 1 to \($0)" } ?? "a positive whole number"
      throw Problem(description: "\(name) takes \(kind), not '\(value)'")
    }
    return number
  }

  /// A number above 0.
  package func positive(_ name: String, default standard: Double) throws -> Double {
    guard let value = values[name] else { return standard }
    guard let number = Double(value), number > 0, number.isFinite else {
      throw Problem(description: "\(name) takes a positive number, not '\(value)'")
    }
    return number
  }

  /// A number from 0 to below 1; 0 if the option is not there.
  package func probability(_ name: String) throws -> Double {
    guard let value = values[name] else { return 0 }
    guard let number = Double(value), (0..<1).contains(number) else {
      throw Problem(description: "\(name) takes a number from 0 to below 1, not '\(value)'")
    }
    return number
  }

  /// A seed of random numbers; 0 if the option is not there.
  package func seed(_ name: String = "--seed") throws -> UInt64 {
    guard let value = values[name] else { return 0 }
    guard let number = UInt64(value) else {
      throw Problem(description: "\(name) takes a whole number from 0, not '\(value)'")
    }
    return number
  }

  /// One of the names of an enumeration.
  package func choice<Choice: RawRepresentable & CaseIterable>(
    _ name: String, default standard: Choice
  ) throws -> Choice where Choice.RawValue == String {
    guard let value = values[name] else { return standard }
    guard let choice = Choice(rawValue: value) else {
      let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw Problem(description: "\(name) takes one of \(names), not '\(value)'")
    }
    return choice
  }

  /// The layout of loops: `never`, `full`, or the number of steps in a block.
  package func unroll(_ name: String = "--unroll") throws -> Unroll {
    switch values[name] {
    case nil, "never": return .never
    case "full": return .full
    case let value?:
      guard let steps = Int(value), (1...1 << 30).contains(steps) else {
        throw Problem(description: "\(name) takes never, full or a positive whole number, not '\(value)'")
      }
      return .by(steps)
    }
  }

  /// A file to be written when the work is done: its folder has to be there before it begins.
  package func newFile(_ name: String) throws -> String? {
    guard let path = values[name] else { return nil }
    let file = URL(fileURLWithPath: path)
    let folder = file.deletingLastPathComponent().path
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
      throw Problem(description: "\(name): there is no folder \(folder)")
    }
    let isTaken = FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder) && isFolder.boolValue
    if path.isEmpty || path.hasSuffix("/") || isTaken {
      throw Problem(description: "\(name) takes the name of a file, not '\(path)'")
    }
    return path
  }

  /// Refuses sizes that no memory holds, before they are asked for.
  package static func requireModest(_ extents: Int...) throws {
    let size = extents.reduce(1.0) { $0 * Double($1) }
    guard size <= 0x1p30 else {
      let product = extents.map(String.init).joined(separator: " × ")
      throw Problem(description: "the sizes are too large: \(product) numbers in one tensor")
    }
  }
}
