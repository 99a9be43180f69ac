import Reel
import ReelNN

/// Writes text with a trained network, a character at a time.
struct Writer {
  let network: Sequential
  let vocabulary: Vocabulary
  /// Divides the logits: below 1 the network plays safe, above 1 it dares more.
  let temperature: Double

  /// What the network writes behind a beginning.
  ///
  /// The layers are stateful: each call goes on where the one before ended, and takes one character.
  ///
  /// - Parameters:
  ///   - beginning: What it reads first; one character at least.
  ///   - length: The characters to write.
  ///   - seed: Of the draws.
  func text(after beginning: [Int], length: Int, seed: UInt64) throws -> String {
    network.resetState()
    let network = network
    let step = compiled { (character: Tensor) in network(character).part(at: -1, along: 1) }
    func logits(after character: Int) throws -> [Double] {
      try step(Tensor([Int32(character)], shape: [1, 1])).numbers
    }
    var scores: [Double] = []
    for character in beginning { scores = try logits(after: character) }
    let draws = withRandomSeed(seed) { Tensor.randomUniform([length], elementType: .float64) }.numbers
    var written: [Int] = []
    for draw in draws {
      written.append(choice(scores, draw))
      scores = try logits(after: written.last!)
    }
    network.resetState()
    return try vocabulary.decode(written)
  }

  /// The class at which the sum of softmax(scores / temperature) passes a number in 0..<1.
  private func choice(_ scores: [Double], _ draw: Double) -> Int {
    let probabilities = softmax(Tensor(scores) / Tensor(temperature)).numbers
    var sum = 0.0
    for (index, probability) in probabilities.enumerated() {
      sum += probability
      if draw < sum { return index }
    }
    return probabilities.count - 1
  }
}
