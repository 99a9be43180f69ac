import Foundation
import Reel

/// The elements of a sequence in their order, made ahead of time on another thread.
///
/// At most `capacity` elements wait; then the thread waits too. It ends when the sequence does, and when the iterator is
/// gone or cancelled: leaving the loop is enough.
public struct Prefetched<Base: Sequence & Sendable>: Sequence where Base.Element: Sendable {
  private let base: Base
  private let capacity: Int

  /// - Parameters:
  ///   - base: What makes the elements. Each iterator goes through it once.
  ///   - capacity: How many elements wait at most; 2 by default.
  public init(_ base: Base, capacity: Int = 2) {
    precondition(capacity > 0, "a capacity of 1 at least, not \(capacity)")
    self.base = base
    self.capacity = capacity
  }

  /// Starts a thread that makes the elements.
  public func makeIterator() -> Iterator { Iterator(base, capacity: capacity) }

  /// Gives the elements, and waits for one that is not ready.
  public final class Iterator: IteratorProtocol {
    private let queue: PrefetchQueue<Base.Element>

    fileprivate init(_ base: Base, capacity: Int) {
      let queue = PrefetchQueue<Base.Element>(capacity: capacity)
      // Task-local values end at the border of a thread.
      let elementType = ElementType.default
      let thread = Thread {
        ElementType.withDefault(elementType) {
          for element in base where !queue.push(element) { return }
        }
        queue.close()
      }
      thread.name = "reel.prefetch"
      thread.stackSize = 4 << 20
      thread.start()
      self.queue = queue
    }

    /// The next element; nil at the end of the sequence, or after ``cancel()``.
    public func next() -> Base.Element? { queue.pop() }

    /// Ends the sequence. An element that is being made is finished and thrown away.
    public func cancel() { queue.cancel() }

    deinit { queue.cancel() }
  }
}

/// Where elements wait; what it holds is only touched with the condition locked, which makes it `Sendable`.
private final class PrefetchQueue<Element: Sendable>: @unchecked Sendable {
  private let condition = NSCondition()
  private let capacity: Int
  private var elements: [Element] = []
  private var isClosed = false
  private var isCancelled = false

  init(capacity: Int) { self.capacity = capacity }

  /// Adds an element when there is room; false if nobody wants it.
  func push(_ element: Element) -> Bool {
    condition.withLock {
      while elements.count >= capacity && !isCancelled { condition.wait() }
      if isCancelled { return false }
      elements.append(element)
      condition.broadcast()
      return true
    }
  }

  /// Says that no more elements come.
  func close() {
    condition.withLock {
      isClosed = true
      condition.broadcast()
    }
  }

  /// The oldest element, when there is one.
  func pop() -> Element? {
    condition.withLock {
      while elements.isEmpty && !isClosed && !isCancelled { condition.wait() }
      if isCancelled || elements.isEmpty { return nil }
      defer { condition.broadcast() }
      return elements.removeFirst()
    }
  }

  /// Throws away what waits, and lets the thread end.
  func cancel() {
    condition.withLock {
      isCancelled = true
      elements = []
      condition.broadcast()
    }
  }
}
