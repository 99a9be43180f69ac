#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
import Synchronization

/// Ctrl-C while a training runs: the first one asks it to end after the batch in hand, the second one kills the process.
enum Interruption {
  /// Whether SIGINT came since the first of the trainings that run now began.
  private static let isRequested = Atomic(false)

  private struct Watch: @unchecked Sendable {
    var count = 0
    var previous = sigaction()
    var isInstalled = false
  }

  private static let watch = Mutex(Watch())

  /// Whether a training that runs should end.
  static var wasRequested: Bool { isRequested.load(ordering: .relaxed) }

  /// Runs a training. The handler that was there before is back afterwards; a process that ignores SIGINT, as one in the
  /// background does, goes on ignoring it.
  static func watching<Result>(_ body: () throws -> Result) rethrows -> Result {
    watch.withLock { begin(&$0) }
    defer { watch.withLock { end(&$0) } }
    return try body()
  }

  private static func begin(_ watch: inout Watch) {
    watch.count += 1
    guard watch.count == 1 else { return }
    isRequested.store(false, ordering: .relaxed)
    guard sigaction(SIGINT, nil, &watch.previous) == 0, !isIgnored(watch.previous) else { return }
    var action = sigaction()
    // The handler is gone after its first call: the second signal does what it did before any training.
    action.sa_flags = CInt(truncatingIfNeeded: SA_RESTART) | CInt(truncatingIfNeeded: SA_RESETHAND)
    setHandler(of: &action) { _ in Interruption.request() }
    watch.isInstalled = sigaction(SIGINT, &action, nil) == 0
  }

  private static func end(_ watch: inout Watch) {
    watch.count -= 1
    guard watch.count == 0, watch.isInstalled else { return }
    sigaction(SIGINT, &watch.previous, nil)
    watch.isInstalled = false
  }

  /// All that a signal handler does: one store, which is safe at any time.
  private static func request() { isRequested.store(true, ordering: .relaxed) }

  private static func setHandler(of action: inout sigaction, _ handler: @escaping @convention(c) (Int32) -> Void) {
    #if canImport(Darwin)
    action.__sigaction_u.__sa_handler = handler
    #else
    action.__sigaction_handler.sa_handler = handler
    #endif
  }

  private static func isIgnored(_ action: sigaction) -> Bool {
    #if canImport(Darwin)
    let handler = action.__sigaction_u.__sa_handler
    #else
    let handler = action.__sigaction_handler.sa_handler
    #endif
    return unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }
}
