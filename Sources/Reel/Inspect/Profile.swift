/// Measures what runs in a closure: the kernels of compiled code, operation by operation, and eager operations.
///
///     let run = try profile { try step(images, labels) }
///     print(run.profile)
///     try run.profile.writeTrace(to: "step.json")
///
/// Let compiled code run once before, or recording and compiling it run in the closure too. Measuring a kernel takes about
/// as long as a very small kernel; where no profile is open nothing is measured.
///
/// - Parameter body: What is to be measured. What it starts on other threads is not seen.
/// - Returns: What `body` returns, and where the time went.
public func profile<Result>(_ body: () throws -> Result) rethrows -> (result: Result, profile: Profile) {
  let start = ContinuousClock.now
  let (result, log) = try RunLog.recording(body)
  return (result, Profile(log, duration: ContinuousClock.now - start))
}

/// Where the time of a run went; see ``profile(_:)``.
public struct Profile: Sendable {
  /// All runs of one operation in one layer.
  public struct Entry: Hashable, Sendable {
    /// The operation, as in the text of a graph.
    public let operation: String
    /// The layers that it was recorded in, outermost first.
    public let path: [String]
    /// Whether a reverse sweep recorded it.
    public let isReverse: Bool
    /// How often it ran; a loop that is split over threads counts its steps once.
    public var calls: Int
    /// The time in seconds, without that of operations inside. Of a loop that is split, the mean over the threads.
    public var seconds: Double
    /// The bytes of the results it wrote.
    public var byteCount: Int
  }

  /// Every operation of every layer, the longest first.
  public let entries: [Entry]
  /// The time from the beginning of the closure to its end, in seconds.
  public let seconds: Double
  let runs: RunLog

  init(_ log: RunLog, duration: Duration) {
    runs = log
    let (whole, attoseconds) = duration.components
    seconds = Double(whole) + Double(attoseconds) * 1e-18
    entries = Self.merged(
      log.totals.map { total in
        Entry(
          operation: total.origin.name, path: total.origin.path.filter { $0 != Recording.reverseMark },
          isReverse: total.origin.path.contains(Recording.reverseMark) || total.origin.name == "accumulate",
          calls: total.calls, seconds: total.time * 1e-9, byteCount: total.byteCount)
      }
    ) { [$0.operation, $0.isReverse ? "1" : "0"] + $0.path }
  }

  /// The entries with one key taken together, the longest first.
  private static func merged(_ entries: [Entry], by key: (Entry) -> [String]) -> [Entry] {
    var found: [[String]: Entry] = [:]
    for entry in entries {
      if var known = found[key(entry)] {
        known.calls += entry.calls
        known.seconds += entry.seconds
        known.byteCount += entry.byteCount
        found[key(entry)] = known
      } else {
        found[key(entry)] = entry
      }
    }
    return found.values.sorted {
      ($1.seconds, $0.operation, $0.path.joined()) < ($0.seconds, $1.operation, $1.path.joined())
    }
  }

  /// The time by operation, whatever the layer, the longest first; forward and reverse apart.
  public var byOperation: [Entry] {
    Self.merged(
      entries.map {
        Entry(
          operation: $0.operation, path: [], isReverse: $0.isReverse, calls: $0.calls, seconds: $0.seconds,
          byteCount: $0.byteCount)
      }
    ) { [$0.operation, $0.isReverse ? "1" : "0"] }
  }

  /// The time by layer, whatever the operation, the longest first; forward and reverse apart.
  public var byLayer: [Entry] {
    Self.merged(
      entries.map {
        Entry(
          operation: "", path: $0.path, isReverse: $0.isReverse, calls: $0.calls, seconds: $0.seconds,
          byteCount: $0.byteCount)
      }
    ) { [$0.isReverse ? "1" : "0"] + $0.path }
  }

  /// The time of all operations, in seconds; the rest of ``seconds`` is what runs between them.
  public var operationSeconds: Double { entries.reduce(0) { $0 + $1.seconds } }
}

extension Profile: CustomStringConvertible {
  /// Two tables: by operation and by layer, with calls, time, its share and bytes.
  public var description: String {
    let head = "\(Self.time(seconds)) in all, \(Self.time(operationSeconds)) in operations"
    let layers = byLayer.contains { !$0.path.isEmpty } ? ["", table("layer", byLayer) { Self.layer($0.path) }] : []
    return ([head, "", table("operation", byOperation, name: \.operation)] + layers).joined(separator: "\n")
  }

  private func table(_ title: String, _ entries: [Entry], name: (Entry) -> String) -> String {
    var table = TextTable([title, "", "calls", "time", "share", "bytes"], numbersFrom: 2)
    for entry in entries {
      let share = operationSeconds > 0 ? entry.seconds / operationSeconds * 100 : 0
      table.add([
        name(entry), entry.isReverse ? "reverse" : "", "\(entry.calls)", Self.time(entry.seconds),
        "\(Drawing.number((share * 10).rounded() / 10)) %", TextTable.bytes(entry.byteCount),
      ])
    }
    return table.text
  }

  static func layer(_ path: [String]) -> String { path.isEmpty ? "(no layer)" : path.joined(separator: ".") }

  static func time(_ seconds: Double) -> String {
    switch seconds {
    case 1...: "\(Drawing.number(seconds)) s"
    case 1e-3...: "\(Drawing.number(seconds * 1e3)) ms"
    default: "\(Drawing.number(seconds * 1e6)) µs"
    }
  }
}
