import Reel
import ReelNN
import ReelTestSupport
import Testing

/// Gradients of recurrent layers with options that are not the defaults, by numeric differentiation.
@Suite struct RecurrentGradientTests {
  static let mask = Tensor([true, false, true, true, false, false, true, true], shape: [2, 4])

  struct Row: CustomTestStringConvertible {
    let testDescription: String
    let layer: (Unroll) -> any Layer<Tensor, Tensor>
    var isMasked = false

    init(_ name: String, isMasked: Bool = false, _ layer: @escaping (Unroll) -> any Layer<Tensor, Tensor>) {
      (testDescription, self.layer, self.isMasked) = (name, layer, isMasked)
    }
  }

  static var rows: [Row] {
    [
      Row("SimpleRNN, dropout, masked", isMasked: true) {
        SimpleRNN(2, activation: .softsign, dropout: 0.3, recurrentDropout: 0.3, returnSequences: true, unroll: $0)
      },
      Row("LSTM, dropout, masked", isMasked: true) {
        LSTM(
          2, recurrentActivation: .tanh, dropout: 0.3, recurrentDropout: 0.3, returnSequences: true, goBackwards: true,
          unroll: $0, zeroOutputForMask: true)
      },
      Row("LSTM, one product a gate, no bias") {
        LSTM(2, activation: nil, useBias: false, dropout: 0.3, implementation: 1, unroll: $0)
      },
      Row("LSTM, penalties, stateful") {
        LSTM(
          2, kernelRegularizer: Regularizer("squares") { ($0 * $0).sum() },
          activityRegularizer: Regularizer("squares") { ($0 * $0).sum() }, stateful: true, unroll: $0)
      },
      Row("LSTM, learned first state, masked", isMasked: true) {
        LSTM(2, unroll: $0, trainableInitialState: true)
      },
      Row("GRU, dropout, masked", isMasked: true) {
        GRU(2, dropout: 0.3, recurrentDropout: 0.3, returnSequences: true, unroll: $0)
      },
      Row("GRU, reset before, dropout, masked", isMasked: true) {
        GRU(2, dropout: 0.3, recurrentDropout: 0.3, resetAfter: false, returnSequences: true, unroll: $0)
      },
      Row("peephole LSTM") { RNN(PeepholeLSTMCell(2), returnSequences: true, unroll: $0) },
      Row("layer-normalised LSTM") { RNN(LayerNormLSTMCell(3), unroll: $0) },
      Row("minimal gated unit") { RNN(MinimalGatedUnitCell(2), unroll: $0) },
      Row("LSTM with projection and clips") {
        RNN(ProjectedLSTMCell(3, projection: 2, cellClip: 0.4, projectionClip: 0.3), unroll: $0)
      },
      Row("stacked cells, masked", isMasked: true) {
        RNN([LSTMCell(2, recurrentDropout: 0.3), GRUCell(2, dropout: 0.3)], returnSequences: true, unroll: $0)
      },
      Row("two directions, masked", isMasked: true) { unroll in
        Bidirectional(
          LSTM(2, recurrentDropout: 0.3, returnSequences: true, unroll: unroll),
          backward: GRU(2, dropout: 0.3, returnSequences: true, unroll: unroll), merge: .multiply)
      },
    ]
  }

  /// By turns as a loop and unrolled: the other tests see that both give the same.
  @Test(arguments: rows.indices)
  func numericDifferentiationAgrees(index: Int) throws {
    let row = Self.rows[index]
    let unroll: Unroll = index % 3 == 2 ? .full : .never
    let x = sample([2, 4, 2], seed: 3).withMask(row.isMasked ? Self.mask : nil)
    func check(_ layer: some Layer<Tensor, Tensor>) throws {
      try checkGradients(of: layer, at: x)
      guard unroll == .never else { return }
      // The loss of a model, with its penalties, and once more in second order on fewer steps.
      try checkGradients(of: layer) { layer(x).sum() }
      try checkGradients(of: layer, at: x.sliced(0..<2, along: 1).withMask(x.mask?.sliced(0..<2, along: 1)), order: 2)
    }
    try check(row.layer(unroll))
  }
}
