/// The options of one form on the command line.
struct Arguments {
  /// An option that cannot be.
  struct Problem: Error, CustomStringConvertible {
    let description: String
  }

  private var values: [String: String] = [:]
  private var flags: Set<String> = []

  /// - Parameters:
  ///   - arguments: What stands behind the form.
  ///   - options: The options that take a value.
  ///   - flags: Those that take none.
  /// - Throws: ``Problem`` for an option that is in neither list, or has no value.
  init(_ arguments: [String], options: [String], flags: [String]) throws {
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

  func has(_ name: String) -> Bool { flags.contains(name) || values[name] != nil }

  func text(_ name: String) -> String? { values[name] }

  func count(_ name: String, default standard: Int, atMost limit: Int = 1 << 20) throws -> Int {
    guard let value = values[name] else { return standard }
    guard let number = Int(value), (1...limit).contains(number) else {
      throw Problem(description: "\(name) takes a whole number from 1 to \(limit), not '\(value)'")
    }
    return number
  }

  func probability(_ name: String) throws -> Double {
    guard let value = values[name] else { return 0 }
    guard let number = Double(value), (0..<1).contains(number) else {
      throw Problem(description: "\(name) takes a number from 0 to below 1, not '\(value)'")
    }
    return number
  }

  func choice<Choice: RawRepresentable & CaseIterable>(
    _ name: String, default standard: Choice
  ) throws -> Choice where Choice.RawValue == String {
    guard let value = values[name] else { return standard }
    guard let choice = Choice(rawValue: value) else {
      let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw Problem(description: "\(name) takes one of \(names), not '\(value)'")
    }
    return choice
  }

  /// Refuses sizes that no memory holds, before they are asked for.
  static func requireModest(_ extents: Int...) throws {
    let size = extents.reduce(1.0) { $0 * Double($1) }
    guard size <= 0x1p30 else {
      let product = extents.map(String.init).joined(separator: " × ")
      throw Problem(description: "the sizes are too large: \(product) numbers in one tensor")
    }
  }
}
