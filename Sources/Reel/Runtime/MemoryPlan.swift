/// Decides where the values of a program lie: every value of its own memory has a life, from the first instruction that
/// touches it to the last, and values whose lives do not overlap share bytes.
package struct MemoryPlan {
  private enum Place {
    /// Bytes of the program's own memory.
    case own(byteCount: Int)
    /// Given or moved when the program runs: an input, or a base of a loop.
    case external
    /// Elements known beforehand.
    case constant(Storage)
  }

  private struct Life {
    var place: Place
    var first = Int.max
    var last = -1
  }

  private struct OpenLoop {
    let start: Int
    var touched: Set<Int> = []
  }

  private var lives: [Life] = []
  private var constants: [ConstantKey: Int] = [:]
  private var clock = 0
  private var loops: [OpenLoop] = []

  private struct ConstantKey: Hashable {
    let buffer: ObjectIdentifier
    let byteOffset: Int
  }

  /// The number of bases given out.
  var baseCount: Int { lives.count }

  /// A base of new memory. Memory for a loop lives through all its steps.
  mutating func allocate(byteCount: Int, forLoop: Bool = false) -> Int {
    lives.append(Life(place: .own(byteCount: byteCount)))
    let base = lives.count - 1
    if forLoop, let open = loops.last {
      lives[base].first = open.start
      lives[base].last = clock
      loops[loops.count - 1].touched.insert(base)
    }
    return base
  }

  /// A base that whoever runs the program sets.
  mutating func external() -> Int {
    lives.append(Life(place: .external))
    return lives.count - 1
  }

  /// The base of elements known beforehand.
  mutating func constant(_ storage: Storage) -> Int {
    let key = ConstantKey(buffer: ObjectIdentifier(storage.buffer), byteOffset: storage.byteOffset)
    if let known = constants[key] { return known }
    lives.append(Life(place: .constant(storage)))
    constants[key] = lives.count - 1
    return lives.count - 1
  }

  /// Whether the elements at a base are known beforehand.
  func isConstant(_ base: Int) -> Bool {
    if case .constant = lives[base].place { true } else { false }
  }

  /// Notes that the instruction at the clock touches a base.
  mutating func touch(_ base: Int) {
    lives[base].first = min(lives[base].first, clock)
    lives[base].last = max(lives[base].last, clock)
    for index in loops.indices { loops[index].touched.insert(base) }
  }

  /// Notes an instruction.
  mutating func advance(using bases: [Int]) {
    for base in bases { touch(base) }
    clock += 1
  }

  /// Opens a loop, which uses some bases from its first step on.
  mutating func beginLoop(using bases: [Int]) {
    clock += 1
    loops.append(OpenLoop(start: clock))
    for base in bases { touch(base) }
    clock += 1
  }

  /// Closes a loop: what was there before it and is used in it lives to its end.
  mutating func endLoop() {
    clock += 1
    let open = loops.removeLast()
    for base in open.touched where lives[base].first <= open.start { lives[base].last = max(lives[base].last, clock) }
    clock += 1
  }

  /// Notes that a base is read after the last instruction.
  mutating func keep(_ base: Int) {
    touch(base)
  }

  /// The program's own memory: its bases, their bytes, and the first and the last instruction that touches each.
  var owned: [(base: Int, byteCount: Int, first: Int, last: Int)] {
    lives.enumerated().compactMap { base, life in
      guard case .own(let byteCount) = life.place, life.last >= 0 else { return nil }
      return (base, (byteCount + 63) / 64 * 64, life.first, life.last)
    }
  }

  /// What the table of bases holds where the program has memory of its own, and what that needs.
  struct Assignment {
    /// For each base, the offset in the program's memory; nil if it has none there.
    var offsets: [Int?]
    var constants: [(base: Int, storage: Storage)]
    var byteCount: Int
  }

  /// Gives every life a place.
  func assigned() -> Assignment {
    var result = Assignment(offsets: Array(repeating: nil, count: lives.count), constants: [], byteCount: 0)
    for (base, life) in lives.enumerated() {
      switch life.place {
      case .external: break
      case .constant(let storage): result.constants.append((base, storage))
      case .own: if life.last < 0 { result.offsets[base] = 0 }
      }
    }
    let blocks = owned
    var places = Self.byBirth(blocks)
    if blocks.count <= Self.sortedLimit {
      let sorted = Self.bySize(blocks)
      if sorted.byteCount < places.byteCount { places = sorted }
    }
    for (block, offset) in zip(blocks, places.offsets) { result.offsets[block.base] = offset }
    result.byteCount = places.byteCount
    return result
  }

  private typealias Block = (base: Int, byteCount: Int, first: Int, last: Int)
  private typealias Placed = (block: Block, offset: Int)

  /// Where blocks lie, and what they need together.
  private struct Places {
    var offsets: [Int]
    var byteCount = 0

    init(_ count: Int) { offsets = Array(repeating: 0, count: count) }

    /// Notes the place of a block, among others in the order of their offsets too.
    mutating func add(_ block: Block, _ index: Int, to placed: inout [Placed], at offset: Int) {
      placed.insert((block, offset), at: placed.firstIndex { $0.offset >= offset } ?? placed.count)
      offsets[index] = offset
      byteCount = max(byteCount, offset + block.byteCount)
    }
  }

  /// The lowest offset at which so many bytes are free beside others, which are in the order of their offsets.
  private static func lowestOffset(_ byteCount: Int, beside others: some Sequence<Placed>) -> Int {
    var offset = 0
    for other in others {
      if other.offset - offset >= byteCount { break }
      offset = max(offset, other.offset + other.block.byteCount)
    }
    return offset
  }

  /// The number of blocks up to which each is compared with all others.
  private static let sortedLimit = 1024

  /// The largest blocks first, each at the lowest offset that is free all its life: little is left over between blocks that
  /// live long.
  private static func bySize(_ blocks: [Block]) -> Places {
    var places = Places(blocks.count)
    var placed: [Placed] = []
    let order = blocks.indices.sorted { (-blocks[$0].byteCount, $0) < (-blocks[$1].byteCount, $1) }
    for index in order {
      let block = blocks[index]
      let beside = placed.lazy.filter { $0.block.first <= block.last && block.first <= $0.block.last }
      places.add(block, index, to: &placed, at: lowestOffset(block.byteCount, beside: beside))
    }
    return places
  }

  /// In the order of their beginnings, each at the lowest offset that is free: quick for any number of blocks.
  private static func byBirth(_ blocks: [Block]) -> Places {
    var places = Places(blocks.count)
    var active: [Placed] = []
    for index in blocks.indices.sorted(by: { (blocks[$0].first, $0) < (blocks[$1].first, $1) }) {
      let block = blocks[index]
      active.removeAll { $0.block.last < block.first }
      places.add(block, index, to: &active, at: lowestOffset(block.byteCount, beside: active))
    }
    return places
  }
}
