import Foundation
import Synchronization

/// Aligned memory that frees itself.
///
/// It is written by the code that makes it, before anyone else can see it, and only read from then on. That is what
/// makes it `Sendable`; the runtime, the only writer, takes a buffer back for reuse only when it holds the last reference.
package final class Buffer: @unchecked Sendable {
  /// A cache line, and the widest vector of any supported instruction set.
  static let alignment = 64
  /// The size from which buffers are aligned to lines. For small ones plain allocation is faster, and kernels take any
  /// address.
  static let alignedByteCount = 2048

  let base: UnsafeMutableRawPointer
  let byteCount: Int
  fileprivate let isOwner: Bool

  private static let live = Atomic(0)
  /// How many buffers with memory of their own there are in the process: what tests of leaks compare.
  package static var liveCount: Int { live.load(ordering: .relaxed) }

  init(byteCount: Int) {
    self.byteCount = byteCount
    Self.live.add(1, ordering: .relaxed)
    base =
      byteCount < Self.alignedByteCount
      ? .allocate(byteCount: max(byteCount, 1), alignment: 16)
      : FreeBlocks.shared.take(byteCount) ?? .allocate(byteCount: byteCount, alignment: Self.alignment)
    isOwner = true
  }

  /// Memory that belongs to a running program, for the time of one call.
  init(borrowing base: UnsafeMutableRawPointer, byteCount: Int) {
    self.base = base
    self.byteCount = byteCount
    isOwner = false
  }

  deinit {
    guard isOwner else { return }
    Self.live.subtract(1, ordering: .relaxed)
    if byteCount < Self.alignedByteCount || !FreeBlocks.shared.put(base, byteCount) { base.deallocate() }
  }
}

/// Memory of buffers that are gone, by size, for the next buffers of that size: eager programs ask for the same few sizes
/// over and over, and large blocks are dear to get from the system.
private final class FreeBlocks: Sendable {
  static let shared = FreeBlocks()

  /// Kept blocks are idle memory of the process; a few layers' worth of activations.
  private static let capacity = 16 << 20
  /// The logarithm of the number of shelves.
  private static let shelfBits = 6

  /// Blocks of one size. While it is empty it can go over to another size.
  private struct Shelf {
    var byteCount = 0
    var blocks: [UnsafeMutableRawPointer] = []
  }

  private struct State: @unchecked Sendable {
    var shelves = Array(repeating: Shelf(), count: 1 << shelfBits)
    var byteCount = 0
  }

  private let state = Mutex(State())

  /// The only shelf for a size: looking for one takes no longer than that, however many sizes there are.
  private static func shelf(for byteCount: Int) -> Int {
    let mixed = UInt64(byteCount) &* 0x9E37_79B9_7F4A_7C15
    return Int(mixed >> UInt64(UInt64.bitWidth - shelfBits))
  }

  func take(_ byteCount: Int) -> UnsafeMutableRawPointer? {
    let shelf = Self.shelf(for: byteCount)
    return state.withLock { state in
      guard state.shelves[shelf].byteCount == byteCount, let block = state.shelves[shelf].blocks.popLast() else {
        return nil
      }
      state.byteCount -= byteCount
      return block
    }
  }

  /// Keeps a block, unless there are enough or blocks of another size have its place.
  func put(_ block: UnsafeMutableRawPointer, _ byteCount: Int) -> Bool {
    let shelf = Self.shelf(for: byteCount)
    return state.withLock { state in
      guard state.byteCount + byteCount <= Self.capacity else { return false }
      if state.shelves[shelf].byteCount != byteCount {
        guard state.shelves[shelf].blocks.isEmpty else { return false }
        state.shelves[shelf].byteCount = byteCount
      }
      state.shelves[shelf].blocks.append(block)
      state.byteCount += byteCount
      return true
    }
  }
}

/// The elements of a tensor, dense and in row-major order, somewhere in a buffer.
package struct Storage: Sendable {
  package let type: TensorType
  private(set) var buffer: Buffer
  let byteOffset: Int

  /// Elements not yet written.
  init(_ type: TensorType) {
    self.init(type, in: Buffer(byteCount: type.byteCount))
  }

  init(_ type: TensorType, in buffer: Buffer, byteOffset: Int = 0) {
    precondition(byteOffset >= 0 && byteOffset + type.byteCount <= buffer.byteCount, "a storage lies inside its buffer")
    self.type = type
    self.buffer = buffer
    self.byteOffset = byteOffset
  }

  package init<Element: TensorElement>(_ elements: [Element], shape: Shape) {
    precondition(elements.count == shape.count, "\(elements.count) elements do not fill shape \(shape)")
    self.init(TensorType(shape, Element.elementType))
    elements.withUnsafeBytes { source in
      if let address = source.baseAddress { base.copyMemory(from: address, byteCount: source.count) }
    }
  }

  /// The address of the first element. Only kernels and the runtime read or write through it.
  var base: UnsafeMutableRawPointer { buffer.base + byteOffset }

  /// Whether nobody else holds the elements, so that they may be written over.
  mutating func isHeldOnce() -> Bool { isKnownUniquelyReferenced(&buffer) && buffer.isOwner }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: type.byteCount) }

  /// Whether the elements have the same bits as those of a storage of the same type.
  func hasSameBytes(as other: Storage) -> Bool { type.byteCount == 0 || memcmp(base, other.base, type.byteCount) == 0 }

  /// The same elements under another type of the same size.
  func viewed(as type: TensorType) -> Storage { Storage(type, in: buffer, byteOffset: byteOffset) }

  /// The element at an index of the leading axis, without a copy.
  func slice(_ index: Int) -> Storage {
    precondition(index >= 0 && index < type.shape[0], "slice \(index) of shape \(type.shape)")
    let element = TensorType(Shape(Array(type.shape.extents.dropFirst())), type.elementType)
    return Storage(element, in: buffer, byteOffset: byteOffset + index * element.byteCount)
  }

  /// Copies the elements of a storage of the same size into this one.
  func copy(from source: Storage) {
    precondition(source.type.byteCount == type.byteCount, "a copy between storages of one size")
    base.copyMemory(from: source.base, byteCount: type.byteCount)
  }

  /// The elements as Swift values of exactly the storage's element type.
  package func elements<Element: TensorElement>(as _: Element.Type) -> [Element] {
    precondition(Element.elementType == type.elementType, "elements of \(type) read as \(Element.self)")
    let typed = base.assumingMemoryBound(to: Element.self)
    return Array(UnsafeBufferPointer(start: typed, count: type.shape.count))
  }
}
