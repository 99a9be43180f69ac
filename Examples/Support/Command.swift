import Foundation

/// A program on the command line: its options, and what it prints when it is asked for them.
package struct Command: Sendable {
  /// One option.
  package struct Option: Sendable {
    let name: String
    /// What stands for its value; nil if it takes none.
    let value: String?
    let explanation: String

    var head: String { [name, value].compactMap(\.self).joined(separator: " ") }

    /// An option with a value.
    package init(_ name: String, _ value: String, _ explanation: String) {
      (self.name, self.value, self.explanation) = (name, value, explanation)
    }

    /// An option without a value.
    package init(_ name: String, _ explanation: String) {
      (self.name, self.value, self.explanation) = (name, nil, explanation)
    }
  }

  private let name: String
  private let purpose: String
  private let options: [Option]

  /// - Parameters:
  ///   - name: The name of the program.
  ///   - purpose: What it does, in a line or two.
  ///   - options: What stands behind it.
  package init(_ name: String, _ purpose: String, options: [Option]) {
    (self.name, self.purpose, self.options) = (name, purpose, options)
  }

  /// What `--help` prints.
  package var usage: String {
    let width = options.map(\.head.count).max() ?? 0
    let lines = options.map { option in
      "  " + option.head + String(repeating: " ", count: width - option.head.count + 2) + option.explanation
    }
    return (["usage: \(name) [options]     \(purpose)"] + lines).joined(separator: "\n")
  }

  /// Runs the program on the arguments of the process. A mistake is told in one line, and the exit code is 1.
  package func run(_ body: (Arguments) throws -> Void) {
    let given = Array(CommandLine.arguments.dropFirst())
    if given.contains("--help") {
      print(usage)
      return
    }
    Self.exitingOnFailure(of: name) {
      try body(
        Arguments(
          given, options: options.filter { $0.value != nil }.map(\.name),
          flags: options.filter { $0.value == nil }.map(\.name)))
    }
  }

  /// Runs `body`; if it throws, tells why in one line on the standard error, and ends the process with exit code 1.
  package static func exitingOnFailure(of name: String, _ body: () throws -> Void) {
    do {
      try body()
    } catch {
      let lines = "\(error)".split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
      ProgressLine.clear()
      fflush(nil)
      FileHandle.standardError.write(Data("\(name): \(lines.joined(separator: " "))\n".utf8))
      exit(1)
    }
  }
}
