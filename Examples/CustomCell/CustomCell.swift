// A recurrent cell of one's own: ten lines, checked gradients, and as fast as the built-in LSTM.

import ExampleSupport
import Foundation
import Reel
import ReelNN

@main
enum CustomCell {
  static let command = Command(
    "custom-cell", "a cell of one's own: its gradients, what it learns, its speed",
    options: [
      .init("--units", "N", "size of the recurrent state (default 64)"),
      .init("--batch", "N", "sequences in a batch (default 128)"),
      .init("--time", "N", "steps of each (default 28)"),
      .init("--steps", "N", "training steps that are timed (default 40)"),
      .init("--seed", "N", "of weights and data (default 0)"),
    ])

  static func main() {
    command.run { arguments in
      let units = try arguments.count("--units", default: 64)
      let batch = try arguments.count("--batch", default: 128)
      let time = try arguments.count("--time", default: 28)
      try Arguments.requireModest(batch, time, 4 * units)
      try Arguments.requireModest(units, 4 * units)
      let steps = try arguments.count("--steps", default: 40)
      seedRandomness(try arguments.seed())
      try checkGradient()
      try compareLayouts()
      try compareSpeed(units: units, batch: batch, time: time, steps: steps)
    }
  }

  /// The gradients that the graph gives against those by differences, also of the second order.
  private static func checkGradient() throws {
    let layer = RNN(ForgetGateCell(units: 3), returnSequences: true)
    print("the gradients of the graph against those by differences, first and second order:")
    print(try checkGradients(of: layer, at: Tensor.random([2, 5, 4]), order: 2))
  }

  /// The three layouts of the loop give the same bits.
  private static func compareLayouts() throws {
    let cell = ForgetGateCell(units: 8)
    let x = Tensor.random([4, 12, 5])
    let outputs = try [Unroll.never, .by(4), .full].map { unroll in
      try compiled { (x: Tensor) in RNN(cell, unroll: unroll)(x) }(x).numbers
    }
    print("\na loop, blocks of four steps, all steps written out: the same bits \(Set(outputs).count == 1)\n")
  }

  /// Training steps of the cell and of the built-in LSTM in turn, so that what else the machine does falls on both.
  private static func compareSpeed(units: Int, batch: Int, time: Int, steps: Int) throws {
    let x = Tensor.random([batch, time, 28])
    let y = Tensor((0..<batch).map { Int32($0 % 10) })
    let trainings = [
      ("ForgetGateCell(\(units))", TimedTraining(RNN(ForgetGateCell(units: units)), x, y)),
      ("LSTM(\(units))", TimedTraining(LSTM(units), x, y)),
    ]
    for _ in 0..<3 { for (_, training) in trainings { try training.step() } }
    for _ in 0..<steps { for (_, training) in trainings { try training.timedStep() } }
    print("a training step, batch \(batch), \(time) steps of 28 numbers, Dense(10), Adam:")
    for (name, training) in trainings {
      let title = name + String(repeating: " ", count: max(20 - name.count, 1))
      print(
        String(
          format: "  \(title) %8.3f ms  %6d weights  loss %.3f → %.3f", training.median * 1e3, training.weightCount,
          training.losses.first ?? .nan, training.losses.last ?? .nan))
    }
  }
}
