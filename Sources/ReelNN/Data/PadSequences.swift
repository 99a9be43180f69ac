import Reel

/// An end of a sequence.
public enum SequenceEnd: Hashable, Sendable {
  /// The front.
  case pre
  /// The back.
  case post
}

/// Sequences of tokens as the rows of one tensor, `int32 [sequences, length]`: shorter ones are padded, longer ones cut.
///
///     padSequences([[1, 2], [3, 4, 5]])     // [[0, 1, 2], [3, 4, 5]]
///
/// Keras's `pad_sequences`.
///
/// - Parameters:
///   - sequences: The sequences.
///   - length: The length of each row; that of the longest sequence if nil.
///   - padding: Where the padding goes; ``SequenceEnd/pre`` by default.
///   - truncating: Where what is too much is taken away; ``SequenceEnd/pre`` by default.
///   - value: The padding; 0 by default.
public func padSequences(
  _ sequences: [[Int]], length: Int? = nil, padding: SequenceEnd = .pre, truncating: SequenceEnd = .pre, value: Int = 0
) -> Tensor {
  padSequences(
    sequences.map { $0.map(Int32.init) }, length: length, padding: padding, truncating: truncating, value: Int32(value))
}

/// Sequences of numbers as the rows of one tensor, `[sequences, length]`; see the form for tokens.
public func padSequences<Element: TensorElement & Numeric>(
  _ sequences: [[Element]], length: Int? = nil, padding: SequenceEnd = .pre, truncating: SequenceEnd = .pre,
  value: Element = 0
) -> Tensor {
  let length = length ?? sequences.map(\.count).max() ?? 0
  precondition(length >= 0, "padSequences: a length ≥ 0, not \(length)")
  var elements: [Element] = []
  elements.reserveCapacity(length * sequences.count)
  for sequence in sequences {
    let kept = truncating == .pre ? sequence.suffix(length) : sequence.prefix(length)
    let missing = repeatElement(value, count: length - kept.count)
    if padding == .pre { elements += missing }
    elements += kept
    if padding == .post { elements += missing }
  }
  return Tensor(elements, shape: [sequences.count, length])
}

/// Sequences of feature vectors, each `[time, features]`, as one tensor `[sequences, length, features]`; see the form for
/// tokens. There is at least one, and all have the same features and element type: a ``Reel/TensorError`` otherwise.
public func padSequences(
  _ sequences: [Tensor], length: Int? = nil, padding: SequenceEnd = .pre, truncating: SequenceEnd = .pre,
  value: Double = 0
) -> Tensor {
  guard let first = sequences.first, first.rank > 0,
    sequences.allSatisfy({
      $0.rank == first.rank && $0.elementType == first.elementType && $0.shape.removing(0) == first.shape.removing(0)
    })
  else {
    TensorError(
      operation: "padSequences", operands: sequences.map { TensorType($0.shape, $0.elementType) },
      problem: sequences.isEmpty ? "no sequences" : "sequences of different types",
      expected: "sequences [time, features] that differ in time only"
    ).report()
    return .zeros([0])
  }
  let length = length ?? sequences.map { $0.shape[0] }.max() ?? 0
  precondition(length >= 0, "padSequences: a length ≥ 0, not \(length)")
  return stacked(
    sequences.map { sequence in
      let count = min(sequence.shape[0], length)
      let start = truncating == .pre ? sequence.shape[0] - count : 0
      let kept = sequence[start..<start + count]
      guard count < length else { return kept }
      let missing = Tensor(
        repeating: value, shape: sequence.shape.replacing(0, with: length - count), elementType: sequence.elementType)
      return concatenated(padding == .pre ? [missing, kept] : [kept, missing], along: 0)
    })
}
