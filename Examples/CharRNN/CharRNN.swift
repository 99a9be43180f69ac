// Learns to write like a text, character by character, with LSTMs that carry their state along it.

import ExampleSupport
import Foundation
import Reel
import ReelNN

@main
enum CharRNN {
  static let command = Command(
    "char-rnn", "learns to write like a text, character by character",
    options: [
      .init("--text", "FILE", "the text (default: eight sonnets that come with the example)"),
      .init("--layers", "N", "LSTMs, one on the other (default 2)"),
      .init("--units", "N", "size of the state of each (default 128)"),
      .init("--epochs", "N", "passes over the text (default 40)"),
      .init("--batch", "N", "places of the text that are read at once (default 8)"),
      .init("--steps", "N", "characters that a gradient goes back through (default 32)"),
      .init("--learning-rate", "X", "of Adam (default 0.005)"),
      .init("--length", "N", "characters to write (default 300)"),
      .init("--temperature", "X", "below 1 it plays safe, above 1 it dares more (default 0.6)"),
      .init("--begin", "TEXT", "what it goes on from (default: the first line of the text)"),
      .init("--save", "FILE", "where the weights go"),
      .init("--load", "FILE", "weights to begin with, of the same text and sizes"),
      .init("--seed", "N", "of weights and draws (default 0)"),
    ])

  static let bundledText = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Data/sonnets.txt"

  static func main() {
    command.run { arguments in
      let path = arguments.text("--text") ?? bundledText
      let text = try read(path)
      let vocabulary = Vocabulary(charactersOf: [text])
      let beginning = arguments.text("--begin") ?? firstLine(of: text)
      guard !beginning.isEmpty else { throw Arguments.Problem(description: "--begin takes one character at least") }
      let begun = try vocabulary.encode(beginning)
      let batch = try arguments.count("--batch", default: 8)
      let steps = try arguments.count("--steps", default: 32)
      guard let streams = CharacterStreams(try vocabulary.encode(text), batch: batch, steps: steps) else {
        throw DataError(
          path: path, problem: "has \(text.count) characters, too few for \(batch) streams of \(steps) steps")
      }
      let saved = try arguments.newFile("--save")
      let length = try arguments.count("--length", default: 300, atMost: 1_000_000)
      let temperature = try arguments.positive("--temperature", default: 0.6)
      let seed = try arguments.seed()
      seedRandomness(seed)
      let network = try network(arguments, characters: vocabulary.count)
      try network.build(inputShape: [batch, steps], elementType: .int32)
      if let weights = arguments.text("--load") { try network.loadWeights(from: weights) }
      print("\(text.count) characters, \(vocabulary.count) different ones; \(network.parameterCount) weights")
      try train(network, on: streams, batch: batch, arguments)
      if let saved { try network.saveWeights(to: saved) }
      let writer = Writer(network: network, vocabulary: vocabulary, temperature: temperature)
      print("\nat temperature \(temperature) it writes:\n")
      print(beginning + (try writer.text(after: begun, length: length, seed: seed)))
    }
  }

  private static func read(_ path: String) throws -> String {
    guard let bytes = FileManager.default.contents(atPath: path) else {
      throw DataError(path: path, problem: "cannot be read")
    }
    guard let text = String(data: bytes, encoding: .utf8) else { throw DataError(path: path, problem: "is not UTF-8") }
    guard text.count > 1 else { throw DataError(path: path, problem: "has no text") }
    return text
  }

  /// The first line with what ends it, or the beginning of it if it is long.
  private static func firstLine(of text: String) -> String {
    let end = text.firstIndex(where: \.isNewline).map(text.index(after:)) ?? text.endIndex
    return String(text[..<end].prefix(100))
  }

  private static func network(_ arguments: Arguments, characters: Int) throws -> Sequential {
    let layers = try arguments.count("--layers", default: 2, atMost: 100)
    let units = try arguments.count("--units", default: 128, atMost: 10_000)
    try Arguments.requireModest(layers, 2 * units, 4 * units)
    return Sequential {
      Embedding(characters, min(characters, 32))
      for _ in 0..<layers { LSTM(units, returnSequences: true, stateful: true) }
      Dense(characters)
    }
  }

  /// Each epoch begins at the beginning of the streams, without memory, and keeps the order of the text.
  private static func train(
    _ network: Sequential, on streams: CharacterStreams, batch: Int, _ arguments: Arguments
  ) throws {
    let rate = try arguments.positive("--learning-rate", default: 0.005)
    let model = network.compile(
      optimizer: Adam(learningRate: rate, clipping: .globalNorm(1)),
      loss: .sparseCategoricalCrossEntropy(fromLogits: true), metrics: [.accuracy()])
    let epochs = try arguments.count("--epochs", default: 40)
    let reporter = LambdaCallback(
      onEpochBegin: { _, _ in network.resetState() },
      onEpochEnd: { epoch, run in
        guard (epoch + 1) % max(epochs / 8, 1) == 0 || epoch + 1 == epochs else { return }
        let loss = run.logs["loss"] ?? .nan
        ProgressLine.keep(
          String(
            format: "epoch %3d  loss %.3f  accuracy %.3f  %.2f bits a character", epoch + 1, loss,
            run.logs["accuracy"] ?? .nan, loss / log(2)))
      },
      onTrainBatchEnd: { batch, run in
        ProgressLine.show("epoch \(run.epoch + 1): piece \(batch + 1) of \(run.batchCount)")
      })
    try model.fit(
      streams.inputs, streams.targets, batchSize: batch, epochs: epochs, shuffle: false, callbacks: [reporter],
      verbose: 0)
  }
}
