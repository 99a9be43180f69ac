import Synchronization

/// What surrounds the running code: the tape that is open, the boundary that takes errors, the layers being called.
///
/// The recording rule needs none of it: an operation is recorded on the innermost tape that any of its operands belongs
/// to, and runs at once if there is none. Only reading or assigning a ``Variable`` and opening a gradient ask which tape
/// is open.
package enum Recording {
  /// The innermost open tape.
  @TaskLocal package static var tape: Tape?

  /// Where errors go; nil in bare code, which traps.
  @TaskLocal package static var boundary: Boundary?

  /// The names of the layers around the running code, outermost first.
  @TaskLocal package static var path: [String] = []

  /// What stands behind the layers of an operation that a reverse sweep recorded.
  package static let reverseMark = "∇"

  /// Whether layers behave as in training. What is staged depends on it, as on the default element type.
  @TaskLocal package static var isTraining = false

  /// Runs `body` as a part of the layer `name`, so that errors and graphs can say where they come from.
  package static func inScope<Result>(_ name: String, _ body: () throws -> Result) rethrows -> Result {
    try $path.withValue(path + [name], operation: body)
  }

  /// Runs `body` as bare code: what it computes from concrete tensors is concrete, whatever tape is open.
  package static func suspended<Result>(_ body: () throws -> Result) rethrows -> Result {
    try $tape.withValue(nil, operation: body)
  }

  /// Runs `body`, and throws the first error that an operation in it reports.
  ///
  /// Operations cannot throw where they are written, in the middle of an expression. Inside a boundary a failing
  /// operation reports and gives a placeholder, so that the code around it comes to its end; then the boundary throws.
  package static func throwingErrors<Result>(_ body: () throws -> Result) throws -> Result {
    let inner = Boundary()
    let result = try $boundary.withValue(inner, operation: body)
    if let error = inner.first { throw error }
    return result
  }
}

/// Takes the errors that operations report while a throwing call runs.
package final class Boundary: Sendable {
  private let error = Mutex<TensorError?>(nil)

  /// The first error received; later ones are mostly its consequences.
  var first: TensorError? { error.withLock { $0 } }

  /// Whether an error was received, so that values are placeholders by now.
  package var hasFailed: Bool { first != nil }

  func receive(_ found: TensorError) {
    error.withLock { $0 = $0 ?? found }
  }
}
