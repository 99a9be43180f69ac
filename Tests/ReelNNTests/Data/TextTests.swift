import Foundation
import Reel
import ReelNN
import ReelTestSupport
import Testing

/// Padding as Keras does it, and vocabularies there and back.
@Suite struct TextTests {
  /// What `keras.utils.pad_sequences` gives for [[1], [2, 3], [4, 5, 6]].
  static let padded: [(length: Int?, padding: SequenceEnd, truncating: SequenceEnd, value: Int, expected: [Double])] = [
    (nil, .pre, .pre, 0, [0, 0, 1, 0, 2, 3, 4, 5, 6]),
    (nil, .post, .pre, 0, [1, 0, 0, 2, 3, 0, 4, 5, 6]),
    (4, .pre, .pre, -1, [-1, -1, -1, 1, -1, -1, 2, 3, -1, 4, 5, 6]),
    (2, .pre, .pre, 0, [0, 1, 2, 3, 5, 6]),
    (2, .post, .post, 0, [1, 0, 2, 3, 4, 5]),
    (0, .pre, .pre, 0, []),
  ]

  @Test(arguments: padded.indices)
  func padsAsKerasDoes(index: Int) {
    let (length, padding, truncating, value, expected) = Self.padded[index]
    let tokens = padSequences(
      [[1], [2, 3], [4, 5, 6]], length: length, padding: padding, truncating: truncating, value: value)
    #expect(tokens.elementType == .int32 && tokens.shape == [3, expected.count / 3] && tokens.numbers == expected)
    let numbers = padSequences(
      [[1], [2, 3], [4, 5, 6]] as [[Float]], length: length, padding: padding, truncating: truncating,
      value: Float(value))
    #expect(numbers.elementType == .float32 && numbers.numbers == expected)
    let vectors = padSequences(
      [[1], [2, 3], [4, 5, 6]].map { Tensor($0 as [Double], shape: [$0.count, 1]) }, length: length, padding: padding,
      truncating: truncating, value: Double(value))
    #expect(
      vectors.elementType == .float64 && vectors.shape == [3, expected.count / 3, 1] && vectors.numbers == expected)
  }

  @Test func charactersHaveNumbers() throws {
    let letters = Vocabulary(charactersOf: ["hihello"])
    #expect(letters.tokens == ["e", "h", "i", "l", "o"] && letters.count == 5 && letters["l"] == 3)
    #expect(try letters.encode("hello") == [1, 0, 3, 3, 4])
    #expect(try letters.decode([1, 2]) == "hi")
    expectSameBits(
      try letters.oneHot("oh"), Tensor([0, 0, 0, 0, 1, 0, 1, 0, 0, 0] as [Float], shape: [2, 5]))
    let safe = Vocabulary(charactersOf: ["né", "e\u{301}"], reserved: ["<pad>"], unknown: "<unk>")
    #expect(safe.tokens == ["<pad>", "<unk>", "n", "é"])
    #expect(try safe.encode("nénx") == [2, 3, 2, 1])
  }

  @Test func wordsHaveNumbersByFrequency() throws {
    let texts = ["The cat sat. The dog, the CAT!", "don't sit"]
    let words = Vocabulary(wordsOf: texts, reserved: ["<pad>"])
    #expect(words.tokens == ["<pad>", "the", "cat", "sat", "dog", "don't", "sit"])
    #expect(try words.encode("The dog sat") == [1, 4, 3] && words.decode([1, 4, 3]) == "the dog sat")
    let few = Vocabulary(wordsOf: texts, limit: 4, reserved: ["<pad>"], unknown: "<unk>")
    #expect(few.tokens == ["<pad>", "<unk>", "the", "cat"])
    #expect(try few.encode("the dog") == [2, 1])
  }

  @Test func vocabulariesAreSavedAndLoaded() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/v.json"
      for vocabulary in [
        Vocabulary(charactersOf: ["a\"\n🜁"], unknown: "?"), Vocabulary(wordsOf: ["one two", "two"]),
      ] {
        try vocabulary.save(to: path)
        #expect(try Vocabulary(path: path) == vocabulary)
      }
    }
  }
}
