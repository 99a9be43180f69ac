// The states of a bidirectional LSTM on a sequence of four steps, with weights that are all 0.1.

import ExampleSupport
import Foundation
import Reel
import ReelNN

@main
enum BidirectionalStates {
  static let command = Command(
    "bidirectional-states", "the states of a bidirectional LSTM on four steps of five numbers",
    options: [.init("--weight", "X", "every weight of the layers (default 0.1)")])

  static func main() {
    command.run { arguments in
      let weight = try arguments.positive("--weight", default: 0.1)
      guard weight <= 1e6 else { throw Arguments.Problem(description: "--weight takes a number up to 1000000") }
      print("input [batch 1, time 4, features 5]\n\(sequence)")
      print("\nreturnSequences: false")
      show(layer(weight, returnSequences: false).outputs(of: sequence))
      print("\nreturnSequences: true")
      let outputs = layer(weight, returnSequences: true).outputs(of: sequence)
      show(outputs)
      explain(outputs)
    }
  }

  static let sequence: Tensor = [
    [
      [0.1, 4.2, 1.5, 1.1, 2.8],
      [1.0, 3.1, 2.5, 0.7, 1.1],
      [0.3, 2.1, 1.5, 2.1, 0.1],
      [2.2, 1.4, 0.5, 0.9, 1.1],
    ]
  ]

  /// Biases are zeros, but for those of the forget gates, which are 1, as in Keras.
  static func layer(_ weight: Double, returnSequences: Bool) -> Bidirectional<LSTMCell, LSTMCell> {
    Bidirectional(
      LSTM(
        3, kernelInitializer: .constant(weight), recurrentInitializer: .constant(weight),
        returnSequences: returnSequences, returnState: true))
  }

  private static func show(_ outputs: [Tensor]) {
    let names = ["output", "forward hidden", "forward cell", "backward hidden", "backward cell"]
    for (name, tensor) in zip(names, outputs) {
      let rows = tensor.rank == 3 ? tensor[0].unstacked() : [tensor[0]]
      for (step, row) in rows.enumerated() {
        let title = rows.count > 1 ? "\(name), step \(step)" : name
        print(title + String(repeating: " ", count: 18 - title.count) + text(row))
      }
    }
  }

  private static func explain(_ outputs: [Tensor]) {
    let (first, last) = (outputs[0][0].part(at: 0, along: 0), outputs[0][0].part(at: -1, along: 0))
    print(
      """

      The forward layer ends at the last step, the backward one at the first:
        last step, first half, is the forward hidden state    \(last[0..<3].numbers == outputs[1].numbers)
        first step, second half, is the backward hidden state \(first[3..<6].numbers == outputs[3].numbers)
      """)
  }

  private static func text(_ row: Tensor) -> String {
    row.numbers.map { String(format: "%.7f", $0) }.joined(separator: " ")
  }
}
