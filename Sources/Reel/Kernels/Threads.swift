#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
import Foundation
internal import ReelKernels
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

  /// What a fork runs. It is written before its generation is published, and read by threads that have claimed a part.
  private struct Job: @unchecked Sendable {
    let work: UnsafeRawPointer
    let run: (UnsafeRawPointer, _ part: Int, _ count: Int) -> Void
  }

  private let job = Mutex<Job?>(nil)
  /// The generation, and below it the next part that nobody has claimed.
  private let claims = Atomic(0)
  private let finished = Atomic(0)
  private let isForking = Atomic(false)
  private let sleepers = Atomic(0)
  private let monitor = NSCondition()
  private static let generation = 1 << 16

  init(count: Int) {
    self.count = count
    claims.store(count, ordering: .relaxed)
    for _ in 1..<max(count, 1) {
      let thread = Thread { [self] in work() }
      thread.stackSize = 1 << 20
      thread.start()
    }
  }

  /// Runs every part of some work, `0..<count`, on as many threads as come to it, and waits for all of them.
  ///
  /// Threads claim parts one by one, so that a thread that is not scheduled holds nobody up. Called while a fork is
  /// running, from a part or from another thread, it runs the parts one after another. The work is a value and no closure,
  /// which would have to be put on the heap for other threads to see it.
  func fork<Work: PartedWork>(_ work: Work) {
    if count == 1 || isForking.exchange(true, ordering: .acquiring) {
      for part in 0..<count { work.run(part: part, of: count) }
      return
    }
    withUnsafePointer(to: work) { pointer in
      job.withLock {
        $0 = Job(work: UnsafeRawPointer(pointer)) { work, part, count in
          work.assumingMemoryBound(to: Work.self).pointee.run(part: part, of: count)
        }
      }
      finished.store(0, ordering: .relaxed)
      let current = claims.load(ordering: .relaxed) / Self.generation * Self.generation + Self.generation
      claims.store(current, ordering: .sequentiallyConsistent)
      if sleepers.load(ordering: .sequentiallyConsistent) > 0 { wake() }
      runClaimed(current)
      var spins = 0
      while finished.load(ordering: .acquiring) < count {
        spins += 1
        if spins < 1000 { reel_pause() } else { sched_yield() }
      }
    }
    isForking.store(false, ordering: .releasing)
  }

  /// Claims and runs parts of a generation until none is left.
  private func runClaimed(_ generation: Int) {
    while true {
      let current = claims.load(ordering: .acquiring)
      guard current - current % Self.generation == generation, current - generation < count else { return }
      guard
        claims.compareExchange(expected: current, desired: current + 1, ordering: .acquiringAndReleasing).exchanged
      else { continue }
      let job = job.withLock { $0! }
      job.run(job.work, current - generation, count)
      finished.add(1, ordering: .releasing)
    }
  }

  private func wake() {
    monitor.lock()
    monitor.broadcast()
    monitor.unlock()
  }

  private func work() {
    var seen = 0
    while true {
      seen = awaitGeneration(after: seen)
      runClaimed(seen)
    }
  }

  /// How long a worker spins: longer than what lies between the forks of eager code, or between two steps of a training.
  private static let patience = Duration.microseconds(300)

  /// Spins for a while, then sleeps until the next fork.
  private func awaitGeneration(after seen: Int) -> Int {
    func current() -> Int {
      let claims = claims.load(ordering: .sequentiallyConsistent)
      return claims - claims % Self.generation
    }
    let start = ContinuousClock.now
    repeat {
      for _ in 0..<32 {
        if current() != seen { return current() }
        reel_pause()
      }
    } while ContinuousClock.now - start < Self.patience
    monitor.lock()
    defer { monitor.unlock() }
    sleepers.add(1, ordering: .sequentiallyConsistent)
    defer { sleepers.subtract(1, ordering: .sequentiallyConsistent) }
    while current() == seen { monitor.wait() }
    return current()
  }
}

/// Work that threads can share.
protocol PartedWork {
  /// Does one of `count` parts, at the same time as others.
  func run(part: Int, of count: Int)
}

extension Range<Int> {
  /// One of `count` parts of about the same size.
  func part(_ part: Int, of count: Int) -> Range<Int> {
    lowerBound + self.count * part / count..<lowerBound + self.count * (part + 1) / count
  }
}

extension Runtime {
  /// The threads that work is split over: as many as the machine has cores, or as the environment variable `REEL_THREADS`
  /// says.
  public static var threadCount: Int { Threads.shared.count }
}
