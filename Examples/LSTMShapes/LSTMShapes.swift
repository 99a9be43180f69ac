// What goes into a recurrent layer and what comes out of it: every shape, for every way of asking.

import ExampleSupport
import Reel
import ReelNN

@main
enum LSTMShapes {
  static let command = Command(
    "lstm-shapes", "the shapes of what recurrent layers give",
    options: [
      .init("--batch", "N", "sequences in the batch (default 32)"),
      .init("--time", "N", "steps of each (default 25)"),
      .init("--features", "N", "numbers a step (default 1)"),
      .init("--units", "N", "size of the recurrent state (default 8)"),
    ])

  static func main() {
    command.run { arguments in
      let batch = try arguments.count("--batch", default: 32)
      let time = try arguments.count("--time", default: 25)
      let features = try arguments.count("--features", default: 1)
      let units = try arguments.count("--units", default: 8)
      try Arguments.requireModest(batch, time, max(features, 4 * units))
      try Arguments.requireModest(max(features, units), 4 * units)
      seedRandomness(0)
      let x = Tensor.random([batch, time, features])
      show("input [batch, time, features]", x)
      outputs(of: x, units: units)
      denseLayers(on: x, units: units)
    }
  }

  /// What the same layer gives when its options differ.
  private static func outputs(of x: Tensor, units: Int) {
    print("\nThe last output, or all of them; with or without the states")
    let plain = LSTM(units)
    let sequences = LSTM(units, returnSequences: true)
    let states = LSTM(units, returnState: true)
    let everything = LSTM(units, returnSequences: true, returnState: true)
    show("LSTM(\(units))", plain(x))
    show("LSTM(\(units), returnSequences: true)", sequences(x))
    show("LSTM(\(units), returnState: true)", states.outputs(of: x))
    show("LSTM(\(units), returnSequences: true, returnState: true)", everything.outputs(of: x))
    show("GRU(\(units), returnState: true)", GRU(units, returnState: true).outputs(of: x))

    let list = everything.outputs(of: x)
    print("the hidden state is the last output: \(list[0].part(at: -1, along: 1).numbers == list[1].numbers)")
    let (output, state) = everything(x, initialState: nil)
    print("by name: output \(output.shape), state.hidden \(state.hidden.shape), state.cell \(state.cell.shape)")
  }

  /// Dense layers behind each.
  private static func denseLayers(on x: Tensor, units: Int) {
    print("\nA dense layer behind each")
    let last = Sequential {
      LSTM(units)
      Dense(3)
    }
    let each = Sequential {
      LSTM(units, returnSequences: true)
      Dense(3)
    }
    show("LSTM(\(units)), Dense(3)", last(x))
    show("LSTM(\(units), returnSequences: true), Dense(3)", each(x))

    let dense = Dense(3)
    let steps = LSTM(units, returnSequences: true)(x)
    let distributed = TimeDistributed(dense)(steps)
    show("LSTM(\(units), returnSequences: true), TimeDistributed(Dense(3))", distributed)
    print("TimeDistributed gives what the layer gives: \(distributed.numbers == dense(steps).numbers)")

    print("\nThe parameters of LSTM(\(units)), the four gates side by side")
    for (name, parameter) in last.parameters where name.hasPrefix("lstm") {
      print("  \(padded(name, 66))\(parameter.value.map { "\($0.shape)" } ?? "")")
    }
  }

  private static func show(_ what: String, _ tensors: Tensor...) { show(what, tensors) }

  private static func show(_ what: String, _ tensors: [Tensor]) {
    print("  \(padded(what, 66))\(tensors.map { "\($0.shape)" }.joined(separator: "  "))")
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(width - text.count, 1))
  }
}
