import Reel
import ReelNN

/// A text as parallel streams of characters, cut into pieces that follow each other.
///
/// Sequence `b` of piece `k + 1` goes on where sequence `b` of piece `k` ended, so that a stateful layer can carry what it
/// knows from batch to batch. The text is cut into as many streams as a batch has sequences; what is left over at the end is
/// dropped.
struct CharacterStreams {
  /// The pieces one after another, `int32 [pieces · batch, steps]`: `batch` rows are a batch.
  let inputs: Tensor
  /// The character behind each of the inputs.
  let targets: Tensor

  /// - Parameters:
  ///   - characters: The numbers of the characters.
  ///   - batch: The streams.
  ///   - steps: The characters of a piece.
  /// - Returns: Nil if the text is too short for one piece of each stream.
  init?(_ characters: [Int], batch: Int, steps: Int) {
    let pieces = (characters.count - 1) / batch / steps
    guard pieces > 0 else { return nil }
    let length = pieces * steps
    func rows(from offset: Int) -> Tensor {
      var rows: [Int32] = []
      rows.reserveCapacity(length * batch)
      for piece in 0..<pieces {
        for stream in 0..<batch {
          let start = stream * length + piece * steps + offset
          rows += characters[start..<start + steps].map(Int32.init)
        }
      }
      return Tensor(rows, shape: [pieces * batch, steps])
    }
    inputs = rows(from: 0)
    targets = rows(from: 1)
  }
}
