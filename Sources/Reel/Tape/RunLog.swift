import Synchronization

/// What ran while a profile was open: kernels and eager operations, with their time.
///
/// No profile is open in almost every run. Then all that it costs is the question, one relaxed load.
package final class RunLog: Sendable {
  /// What an event belongs to: an operation of a graph or of eager code.
  package struct Origin: Hashable, Sendable {
    package let name: String
    package let path: [String]
    /// The bytes of the results.
    package let byteCount: Int

    package init(name: String, path: [String], byteCount: Int) {
      self.name = name
      self.path = path
      self.byteCount = byteCount
    }
  }

  /// One run of something.
  package struct Event: Sendable {
    package let origin: Int
    /// Nanoseconds since the profile was opened.
    package let start: Int
    /// Nanoseconds.
    package let duration: Int
    /// The part of a loop that was split over the threads; 0 outside.
    package let part: Int
  }

  /// All runs of one origin.
  package struct Total: Sendable {
    package let origin: Origin
    package var calls = 0
    /// Nanoseconds, without what ran inside. Of loops that were split, the mean of the parts.
    package var time = 0.0
    package var byteCount = 0
  }

  /// Events after this many are counted but not kept.
  fileprivate static let mostEvents = 1 << 20

  fileprivate struct State {
    var origins: [Origin: Int] = [:]
    var totals: [Total] = []
    var events: [Event] = []
    var leftOut = 0
    /// By part, the time of what has ended inside of everything that is running, outermost first.
    var inside: [[Int]] = []
  }

  private let state = Mutex(State())
  private let opened = ContinuousClock.now

  private static let openCount = Atomic(0)
  @TaskLocal private static var current: RunLog?

  /// The log that is open here; nil if there is none.
  package static var active: RunLog? { openCount.load(ordering: .relaxed) == 0 ? nil : current }

  private init() {}

  /// Runs `body` with a log open.
  package static func recording<Result>(_ body: () throws -> Result) rethrows -> (result: Result, log: RunLog) {
    let log = RunLog()
    openCount.add(1, ordering: .relaxed)
    defer { openCount.subtract(1, ordering: .relaxed) }
    return (try $current.withValue(log, operation: body), log)
  }

  /// Nanoseconds since the log was opened.
  package var now: Int {
    let (seconds, attoseconds) = (ContinuousClock.now - opened).components
    return Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
  }

  /// Runs `body` and notes how long it took.
  ///
  /// - Parameters:
  ///   - origin: What it is.
  ///   - part: The part of a split loop that it belongs to.
  ///   - parts: How many there are.
  package func measure<Result>(_ origin: Origin, part: Int = 0, of parts: Int = 1, _ body: () -> Result) -> Result {
    state.withLock { state in
      while state.inside.count <= part { state.inside.append([]) }
      state.inside[part].append(0)
    }
    let start = now
    let result = body()
    let duration = now - start
    state.withLock { $0.end(origin, start: start, duration: duration, part: part, of: parts) }
    return result
  }

  /// What ran, by origin in the order of first calls.
  package var totals: [Total] { state.withLock { $0.totals } }

  /// The events that were kept, by the time of their end, and how many were not.
  package var events: (kept: [Event], leftOut: Int) { state.withLock { ($0.events, $0.leftOut) } }
}

extension RunLog.State {
  fileprivate mutating func end(_ origin: RunLog.Origin, start: Int, duration: Int, part: Int, of parts: Int) {
    let within = inside[part].popLast() ?? 0
    if !inside[part].isEmpty { inside[part][inside[part].count - 1] += duration }
    let index = origins[origin] ?? totals.count
    if index == totals.count {
      origins[origin] = index
      totals.append(RunLog.Total(origin: origin))
    }
    if part == 0 {
      totals[index].calls += 1
      totals[index].byteCount += origin.byteCount
    }
    totals[index].time += Double(max(duration - within, 0)) / Double(parts)
    if events.count < RunLog.mostEvents {
      events.append(RunLog.Event(origin: index, start: start, duration: duration, part: part))
    } else {
      leftOut += 1
    }
  }
}

extension Operation {
  /// Computes the results, and tells the profile that is open.
  package func evaluateLogged(_ operands: [Storage], types: [TensorType]) -> [Storage] {
    guard let log = RunLog.active else { return evaluate(operands, types: types) }
    let byteCount = types.reduce(0) { $0 + $1.byteCount }
    return log.measure(RunLog.Origin(name: name, path: Recording.path, byteCount: byteCount)) {
      evaluate(operands, types: types)
    }
  }
}
