import Reel
import ReelNN
import ReelTestSupport
import Testing

/// The code of `Docs/RecurrentLayers.md`, compiled and run.
@Suite struct RecurrentPageTests {
  // Page: block 4
  struct LeakyCell: RecurrentCell {
    let units: Int
    let kernel = Parameter(.glorotUniform, regularizer: .l2(1e-4))
    let recurrentKernel = Parameter(.orthogonal)
    let dropout = VariationalDropout(0.1)

    func initialState(batchSize: Int) -> Tensor { .zeros([batchSize, units]) }

    func callAsFunction(_ x: Tensor, _ h: Tensor) -> (output: Tensor, state: Tensor) {
      let sum = x.matmul(kernel([x.shape.last, units])) + dropout(h).matmul(recurrentKernel([units, units]))
      let next = 0.9 * h + 0.1 * tanh(sum)
      return (next, next)
    }
  }
  // Page: end

  @Test func theLayersRun() {
    // Page: block 1
    let model = Sequential {
      Embedding(1000, 16, maskZero: true)
      Bidirectional(LSTM(24, returnSequences: true), backward: GRU(16, returnSequences: true))
      LSTM(32, kernelRegularizer: .l2(1e-4), dropout: 0.2, recurrentDropout: 0.2)
      Dense(5)
    }
    // Page: end
    let words = Tensor([7, 3, 0, 1, 9, 4] as [Int32], shape: [2, 3])
    #expect(model(words).shape == [2, 5])
    let (x) = sample([2, 3, 4], seed: 1, elementType: .float32)
    // Page: block 2
    let encoder = LSTM(8)
    let (_, state) = encoder(x, initialState: nil)
    let decoder = LSTM(8, returnSequences: true)
    let y = decoder(x, initialState: state).output
    let list = LSTM(8, returnState: true).outputs(of: x)  // Keras's list: output, h, c
    // Page: end
    #expect(y.shape == [2, 3, 8] && list.map(\.shape) == [[2, 8], [2, 8], [2, 8]])
    // Page: block 3
    let padded = encoder(x, lengths: Tensor([3, 1] as [Int32]))
    let picked = encoder(x.withMask(Tensor([true, false, true, true, true, false], shape: [2, 3])))
    // Page: end
    #expect(padded.numbers != picked.numbers && padded.shape == picked.shape)
  }

  @Test func theCellAndTheStreamRun() throws {
    let rnn = RNN(LeakyCell(units: 3), returnSequences: true)
    try checkGradients(of: rnn, at: sample([2, 3, 2], seed: 2), order: 2)
    let (adam, stream) = (Adam(), sample([2, 50, 2], seed: 3, elementType: .float32))
    // Page: block 5
    let last = truncated(steps: 20, backward: 40, over: stream, from: rnn.cell.initialState(batchSize: 2)) { window in
      let (_, gradients) = valueWithGradient(of: rnn) {
        rnn(window.x, initialState: window.state).output.mean()
      }
      adam.update(rnn, along: gradients)
    } advance: { x, state in
      rnn(x, initialState: state).state
    }
    // Page: end
    #expect(last.shape == [2, 3])
  }

  @Test func theBlocksAreThoseOfThePage() throws { try expectBlocks(of: "Docs/RecurrentLayers.md") }
}
