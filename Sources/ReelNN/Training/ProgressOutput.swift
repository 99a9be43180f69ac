#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
import Foundation

/// How much is shown while a model is trained, tested or used. Keras's `verbose`, whose numbers can be written too.
public enum Verbosity: Int, Hashable, Sendable, ExpressibleByIntegerLiteral {
  /// Nothing.
  case silent = 0
  /// A bar that moves; where the output is no terminal, a line for each epoch when it ends.
  case bar = 1
  /// A line for each epoch.
  case line = 2

  /// 0, 1 or 2.
  public init(integerLiteral value: Int) {
    guard let verbosity = Verbosity(rawValue: value) else { preconditionFailure("verbose is 0, 1 or 2, not \(value)") }
    self = verbosity
  }
}

/// Where progress is shown.
public struct ProgressOutput {
  /// The columns of the terminal; nil if there is none, and nothing can be written over.
  let columns: () -> Int?
  /// The time in seconds since some moment.
  let now: () -> Double
  /// Takes text as it comes.
  let write: (String) -> Void

  /// An output of one's own.
  ///
  /// - Parameters:
  ///   - columns: The columns of the terminal it is; nil if it is none, and takes plain lines only.
  ///   - write: Takes text as it comes.
  public init(columns: Int? = nil, write: @escaping (String) -> Void) {
    self.init(columns: { columns }, now: Self.uptime, write: write)
  }

  init(columns: @escaping () -> Int?, now: @escaping () -> Double, write: @escaping (String) -> Void) {
    (self.columns, self.now, self.write) = (columns, now, write)
  }

  /// The standard output of the process.
  public static var standard: ProgressOutput {
    let isTerminal = isatty(STDOUT_FILENO) == 1
    return ProgressOutput(columns: { isTerminal ? terminalColumns : nil }, now: uptime) { text in
      // The buffer of `print` first, so that lines stay in order.
      fflush(nil)
      FileHandle.standardOutput.write(Data(text.utf8))
    }
  }

  private static let uptime: @Sendable () -> Double = { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 }

  private static var terminalColumns: Int {
    var size = winsize()
    let hasSize = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    return hasSize ? Int(size.ws_col) : 80
  }
}
