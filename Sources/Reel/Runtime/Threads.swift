#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
import Foundation
import Synchronization

/// The threads that loops and large kernels are split over: as many as the machine has cores, or `REEL_THREADS`.
///
/// A worker that has done its part spins for a moment before it sleeps, so that the forks of one training step, which
/// follow each other closely, cost well under a microsecond.
final class Threads: Sendable {
  /// The threads of the process.
  static let shared = Threads(count: configuredCount)

  private static var configuredCount: Int {
    let environment = ProcessInfo.processInfo.environment["REEL_THREADS"]
    guard let environment else { return min(ProcessInfo.processInfo.activeProcessorCount, 64) }
    guard let count = Int(environment), (1...256).contains(count) else {
      fatalError("REEL_THREADS=\(environment): a number from 1 to 256")
    }
    return count
  }

  /// How many parts run at once, the caller's among them.
  let count: Int

  /// A job: which parts of which fork, and what to do with one. Written before the generation is published.
  private struct Job: @unchecked Sendable {
    var body: UnsafeRawPointer?
    var call: (@convention(c) (UnsafeRawPointer, Int) -> Void)?
  }

  private let job = Mutex(Job())
  private let generation = Atomic(0)
  private let running = Atomic(0)
  private let busy = Atomic(false)
  private let sleepers = Atomic(0)
  private let monitor = NSCondition()

  init(count: Int) {
    self.count = count
    for index in 1..<max(count, 1) {
      let thread = Thread { [self] in work(index) }
      thread.stackSize = 1 << 20
      thread.start()
    }
  }

  /// Runs `body` for every part, `0..<count`, each on a thread of its own, and waits for all of them.
  ///
  /// Called while it is already running (from a part, or from another thread), it runs the parts one after another.
  func fork(_ body: (Int) -> Void) {
    if count == 1 || busy.exchange(true, ordering: .acquiring) {
      for part in 0..<count { body(part) }
      return
    }
    withoutActuallyEscaping(body) { body in
      withUnsafePointer(to: body) { pointer in
        job.withLock {
          $0 = Job(body: UnsafeRawPointer(pointer)) { raw, part in
            raw.assumingMemoryBound(to: ((Int) -> Void).self).pointee(part)
          }
        }
        running.store(count - 1, ordering: .relaxed)
        generation.add(1, ordering: .sequentiallyConsistent)
        if sleepers.load(ordering: .sequentiallyConsistent) > 0 { wake() }
        body(0)
        var spins = 0
        while running.load(ordering: .acquiring) > 0 {
          spins += 1
          if spins > 20_000 { sched_yield() }
        }
      }
    }
    busy.store(false, ordering: .releasing)
  }

  private func wake() {
    monitor.lock()
    monitor.broadcast()
    monitor.unlock()
  }

  private func work(_ index: Int) {
    var seen = 0
    while true {
      seen = awaitGeneration(after: seen)
      let job = job.withLock { $0 }
      job.call!(job.body!, index)
      running.subtract(1, ordering: .releasing)
    }
  }

  /// Spins for some tens of microseconds, then sleeps until the next fork.
  private func awaitGeneration(after seen: Int) -> Int {
    for _ in 0..<20_000 {
      let current = generation.load(ordering: .acquiring)
      if current != seen { return current }
    }
    monitor.lock()
    defer { monitor.unlock() }
    sleepers.add(1, ordering: .sequentiallyConsistent)
    defer { sleepers.subtract(1, ordering: .sequentiallyConsistent) }
    while generation.load(ordering: .sequentiallyConsistent) == seen { monitor.wait() }
    return generation.load(ordering: .acquiring)
  }
}
