/// What a loop keeps for the reverse sweep. The values are the same, bit for bit; time and memory differ.
public enum LoopMemory: Hashable, Sendable {
  /// Whatever the reverse sweep needs of every step.
  case unlimited
  /// Only the states before every so many steps, at least 1; the steps between are taken once more in the reverse sweep.
  case checkpoints(every: Int)
  /// At most so many bytes, beside the operands and results of the loop. States are kept at distances, in several levels
  /// if need be, that fit; every level takes the steps once more.
  case atMost(_ bytes: Int)

  /// What the two arguments of a loop say together.
  package init(checkpointEvery steps: Int?, _ memory: LoopMemory) {
    self = steps.map(LoopMemory.checkpoints(every:)) ?? memory
  }
}

/// What a loop costs to keep, and how to divide it into blocks so that it keeps less.
struct CheckpointPlan {
  let length: Int
  /// The bytes that the reverse sweep needs of a step, and of the state before a block.
  let stepBytes, carryBytes: Int

  /// The lengths of blocks within blocks, from the outermost on, that need at most so many bytes: as few levels as can be,
  /// and long blocks.
  ///
  /// - Returns: No lengths if nothing has to be computed again, and nil if no division needs so little.
  func blocks(within bytes: Int) -> [Int]? {
    if length * stepBytes <= bytes { return [] }
    for levels in 1...Int.bitWidth where 1 << (levels - 1) < length {
      if let ratio = ratios(levels).first(where: { self.bytes(levels, ratio: $0) <= bytes }) {
        return lengths(levels, ratio: ratio)
      }
    }
    return nil
  }

  /// The fewest bytes that any division needs.
  var leastBytes: Int {
    (1...Int.bitWidth).filter { 1 << ($0 - 1) < length }
      .flatMap { levels in ratios(levels).map { bytes(levels, ratio: $0) } }.min() ?? length * stepBytes
  }

  /// In how many blocks a level may divide those of the level around it, from few to many.
  private func ratios(_ levels: Int) -> ClosedRange<Int> {
    var largest = 2
    while lengths(levels, ratio: largest).last! > 1 { largest += 1 }
    return 2...largest
  }

  private func lengths(_ levels: Int, ratio: Int) -> [Int] {
    var lengths: [Int] = []
    for _ in 0..<levels { lengths.append(max(1, (lengths.last ?? length) / ratio)) }
    return lengths
  }

  /// The states before the blocks of every level that is open at a time, the steps of one innermost block, and those left
  /// over.
  private func bytes(_ levels: Int, ratio: Int) -> Int {
    let lengths = lengths(levels, ratio: ratio)
    var (states, rest) = (0, length)
    for (outer, inner) in zip([length] + lengths, lengths) {
      states += outer / inner
      rest %= inner
    }
    return states * carryBytes + (lengths.last! + rest) * stepBytes
  }
}
