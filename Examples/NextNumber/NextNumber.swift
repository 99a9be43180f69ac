// Numbers that follow each other: what comes after 6, 7, 8? An LSTM, nine of them, and a plain network.

import ExampleSupport
import Foundation
import Reel
import ReelNN

@main
enum NextNumber {
  enum Part: String, CaseIterable { case rows, stopping, deep, windows, scaled, all }

  static let command = Command(
    "next-number", "says which number comes next, in five ways",
    options: [
      .init("--part", "NAME", "rows, stopping, deep, windows, scaled or all (default all)"),
      .init("--epochs", "N", "passes over the rows, at most (default: each part's own)"),
      .init("--seed", "N", "of weights and order (default 0)"),
      .init("--plot", "FILE", "an SVG of what part 'scaled' says beyond its data"),
    ])

  static func main() {
    command.run { arguments in
      let part = try arguments.choice("--part", default: Part.all)
      let epochs = arguments.has("--epochs") ? try arguments.count("--epochs", default: 1) : nil
      let settings = Settings(epochs: epochs, seed: try arguments.seed(), plot: try arguments.newFile("--plot"))
      let works: [(Part, (Settings) throws -> Void)] = [
        (.rows, Rows.four), (.stopping, Rows.thirteen), (.deep, Rows.nineLayers), (.windows, Series.plain),
        (.scaled, Series.scaled),
      ]
      for (name, work) in works where part == .all || part == name {
        seedRandomness(settings.seed)
        try work(settings)
      }
    }
  }
}

/// What holds for every part.
struct Settings {
  /// The passes over the rows, at most; each part's own if nil.
  let epochs: Int?
  let seed: UInt64
  /// Where a picture goes.
  let plot: String?
}

extension Model where Network.Input == Tensor, Network.Output == Tensor {
  /// What a model of one number says about one input.
  func number(for input: Tensor) throws -> Double { try predict(input.expanded(at: 0), verbose: 0).item }
}

/// A number as these programs print it.
func text(_ value: Double) -> String { String(format: "%.2f", value) }
