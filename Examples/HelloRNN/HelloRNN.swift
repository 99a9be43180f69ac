// Teaches a plain recurrent layer to spell: it reads 'hell' and says 'ello', a character a step.

import ExampleSupport
import Foundation
import Reel
import ReelNN

@main
enum HelloRNN {
  static let command = Command(
    "hello-rnn", "teaches a plain recurrent layer to spell a word",
    options: [
      .init("--word", "WORD", "the word (default hello)"),
      .init("--units", "N", "size of the recurrent state (default 8)"),
      .init("--epochs", "N", "steps of the optimizer (default 60)"),
      .init("--seed", "N", "of the weights (default 0)"),
    ])

  static func main() {
    command.run { arguments in
      let word = arguments.text("--word") ?? "hello"
      guard word.count >= 2 else { throw Arguments.Problem(description: "--word takes two characters at least") }
      try train(
        word, units: arguments.count("--units", default: 8, atMost: 4096),
        epochs: arguments.count("--epochs", default: 60),
        seed: arguments.seed())
    }
  }

  private static func train(_ word: String, units: Int, epochs: Int, seed: UInt64) throws {
    seedRandomness(seed)
    let letters = Vocabulary(charactersOf: [word])
    let (input, target) = (String(word.dropLast()), String(word.dropFirst()))
    print("'\(input)' → '\(target)', letters \(letters.tokens.joined(separator: " "))")
    print("'\(input.first!)' as a vector: \(try letters.oneHot(String(input.first!)).numbers.map { Int($0) })")

    // One sequence: [batch 1, time, letters], and the class of each next letter, [batch 1, time].
    let x = try letters.oneHot(input).expanded(at: 0)
    let y = Tensor(try letters.encode(target).map(Int32.init)).expanded(at: 0)
    let network = Sequential {
      SimpleRNN(units, returnSequences: true)
      Dense(letters.count)
    }
    let model = network.compile(
      optimizer: Adam(learningRate: 0.01), loss: .sparseCategoricalCrossEntropy(fromLogits: true),
      metrics: [.accuracy()])
    func said() throws -> String {
      try letters.decode(model.predict(x, verbose: 0).argMax()[0].numbers.map { Int($0) })
    }
    print("before       says '\(try said())'")
    let reporter = LambdaCallback(onEpochEnd: { epoch, run in
      guard (epoch + 1) % 5 == 0 || epoch + 1 == epochs else { return }
      print(String(format: "epoch %3d    says '\(try said())'  loss %.4f", epoch + 1, run.logs["loss"] ?? .nan))
    })
    try model.fit(x, y, batchSize: 1, epochs: epochs, callbacks: [reporter], verbose: 0)
    print(
      try said() == target ? "It spells '\(input.first!)\(target)'." : "It has not learned the word; try more --epochs."
    )
  }
}
