import Foundation

/// What a program tells while it works: a line that moves on a terminal, and lines that stay.
package enum ProgressLine {
  private static let isTerminal = isatty(STDOUT_FILENO) == 1

  /// Shows a line that the next one overwrites; nothing where the output is no terminal.
  package static func show(_ line: @autoclosure () -> String) {
    if isTerminal { write("\r\u{1B}[K" + line()) }
  }

  /// Shows a line that stays, in place of the one that moved. A pipe or a file has it at once too, so that others can
  /// follow a long training.
  package static func keep(_ line: String) { write((isTerminal ? "\r\u{1B}[K" : "") + line + "\n") }

  /// Takes the line that moved away.
  package static func clear() {
    if isTerminal { write("\r\u{1B}[K") }
  }

  private static func write(_ text: String) {
    // What `print` still holds comes first.
    fflush(nil)
    FileHandle.standardOutput.write(Data(text.utf8))
  }
}
