import Foundation

/// The times of repeated calls.
struct Measurement {
  /// The first call, with whatever is made once: recording, all passes, memory.
  let first: Duration
  /// The later calls, from the fastest to the slowest.
  private let sorted: [Duration]

  /// Times the first call, then some calls after five more to warm up.
  init(iterations: Int, _ call: () throws -> Void) rethrows {
    let clock = ContinuousClock()
    first = try clock.measure(call)
    for _ in 0..<5 { try call() }
    var times: [Duration] = []
    times.reserveCapacity(iterations)
    for _ in 0..<iterations { times.append(try clock.measure(call)) }
    sorted = times.sorted()
  }

  var median: Duration { (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2 }
  var minimum: Duration { sorted[0] }
  /// What only the first call does: tracing and all passes, in a compiled function.
  var compilation: Duration { max(first - median, .zero) }
}

extension Duration {
  var milliseconds: Double { self / .milliseconds(1) }
  var microseconds: Double { self / .microseconds(1) }
}

/// The memory of the process.
enum Memory {
  /// The largest resident size so far, in MiB.
  static var peak: Double {
    #if canImport(Darwin)
    var usage = rusage()
    getrusage(RUSAGE_SELF, &usage)
    return Double(usage.ru_maxrss) / 0x1p20
    #else
    // What `getrusage` gives on Linux includes the process that this one was forked from.
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    let kibibytes = line?.split { !$0.isNumber }.first.flatMap { Double($0) }
    return (kibibytes ?? .nan) / 1024
    #endif
  }
}
