import Synchronization

/// What was prepared for a loop, kept for the next loop that is equal to it.
///
/// A program that runs eagerly records its loops anew in every step, with equal bodies. Preparing one (its reverse, its
/// instructions and memory plan) costs far more than recording and comparing it.
final class LoopCache<Key: Hashable & Sendable, Prepared: Sendable>: Sendable {
  /// More loops than a program has that is written by hand; then everything is prepared afresh.
  private static var capacity: Int { 64 }
  private let entries = Mutex<[Key: Prepared]>([:])

  /// What was prepared for an equal key, or what `prepare` makes of this one.
  func callAsFunction(_ key: Key, _ prepare: () -> Prepared) -> Prepared {
    if let known = entries.withLock({ $0[key] }) { return known }
    let prepared = prepare()
    entries.withLock { entries in
      if entries.count >= Self.capacity { entries.removeAll() }
      entries[key] = prepared
    }
    return prepared
  }
}

extension Scan {
  /// Which derivative of a loop is asked for.
  private struct Differentiation: Hashable {
    let scan: Scan
    let isActive, hasCotangent: [Bool]
  }

  private static let reverses = LoopCache<Differentiation, ReverseLoop>()

  /// How the loop is differentiated, by some of its operands, given the cotangents of some of its results.
  func reversed(isActive: [Bool], hasCotangent: [Bool]) -> ReverseLoop {
    Self.reverses(Differentiation(scan: self, isActive: isActive, hasCotangent: hasCotangent)) {
      ReverseLoop(self, isActive: isActive, hasCotangent: hasCotangent)
    }
  }
}
