import Reel
import ReelNN
import ReelTestSupport
import Testing

/// The recurrent layer with convolutions.
@Suite struct ConvLSTMTests {
  /// Keras's own test: kernel 0.01, recurrent kernel 0.02, bias 0.03 everywhere.
  @Test func constantWeightsGiveTheNumbersOfKeras() {
    let x = Tensor.iota(120, elementType: .float32).reshaped(to: [2, 3, 4, 5]) / 10
    let layer = ConvLSTM1D(
      2, kernelSize: 3, kernelInitializer: .constant(0.01), recurrentInitializer: .constant(0.02),
      biasInitializer: .constant(0.03))
    let expected: [Float] = [0.40807986, 0.46421072, 0.80933154, 0.8233646]
    expectClose(
      layer(x), Tensor(expected.flatMap { [$0, $0] }, shape: [2, 2, 2]), relative: 0, absolute: 1e-6, "constants")
  }

  @Test func oneStepWideWithOnePositionItIsAnLSTM() {
    let x = sample([2, 4, 3], seed: 1, elementType: .float32)
    let (convolutional, lstm) = (ConvLSTM1D(5, kernelSize: 1), LSTM(5))
    let expected = lstm(x)
    _ = convolutional(x.expanded(at: 2))
    for (mine, theirs) in zip(convolutional.parameters, lstm.parameters) {
      mine.parameter.value = theirs.parameter.value!.reshaped(to: mine.parameter.value!.shape)
    }
    expectSameBits(convolutional(x.expanded(at: 2)).squeezed(at: 1), expected)
  }

  static let x = sample([2, 3, 7, 2], seed: 2, elementType: .float32)

  static var layers: [(layer: (Unroll) -> ConvLSTM1D, positions: Int, count: Int)] {
    [
      ({ ConvLSTM1D(3, kernelSize: 3, returnSequences: true, unroll: $0) }, 5, 192),
      ({ ConvLSTM1D(3, kernelSize: 3, padding: .same, returnSequences: true, goBackwards: true, unroll: $0) }, 7, 192),
      ({ ConvLSTM1D(3, kernelSize: 2, strides: 2, useBias: false, returnSequences: true, unroll: $0) }, 3, 120),
      ({ ConvLSTM1D(3, kernelSize: 3, padding: .causal, dilationRate: 2, returnSequences: true, unroll: $0) }, 7, 192),
      (
        { ConvLSTM1D(3, kernelSize: 3, dropout: 0.4, recurrentDropout: 0.4, returnSequences: true, unroll: $0) }, 5, 192
      ),
    ]
  }

  @Test(arguments: layers.indices)
  func everyLayoutGivesTheSame(index: Int) throws {
    let (layer, positions, count) = Self.layers[index]
    let mask = Tensor([true, true, false, true, false, true], shape: [2, 3])
    let reference = layer(.never)
    _ = reference(Self.x)
    let run = { (layer: ConvLSTM1D) in withRandomSeed(2) { withTraining { layer(Self.x.withMask(mask)) } } }
    let expected = run(reference)
    #expect(expected.shape == [2, 3, positions, 3] && reference.parameterCount == count)
    for unroll in [Unroll.by(2), .full] {
      let other = layer(unroll)
      _ = other(Self.x)
      for (mine, theirs) in zip(other.parameters, reference.parameters) {
        mine.parameter.value = theirs.parameter.value
      }
      expectSameBits(run(other), expected, "unroll \(unroll)")
    }
    let x = sample([1, 2, 7, 1], seed: 3)
    try checkGradients(of: layer(.never), at: x)
  }

  @Test func inputThatDoesNotFitIsReported() {
    let layer = ConvLSTM1D(3, kernelSize: 3)
    for shape: Shape in [[2, 3, 7], [2, 3, 2, 4]] {
      let error = #expect(throws: TensorError.self) { try compiled { layer($0) }(.zeros(shape)) }
      #expect(error?.description.contains("positions, channels") == true, "\(error!)")
    }
  }
}

/// Truncated backpropagation through time.
@Suite struct TruncatedBackpropagationTests {
  static let x = sample([2, 7, 3], seed: 1, elementType: .float32)

  private struct Seen: Equatable {
    let steps: Range<Int>
    let newSteps: Int
  }

  @Test func theWindowsCoverTheStream() {
    func windows(_ steps: Int, _ backward: Int?) -> [Seen] {
      var seen: [Seen] = []
      let last = truncated(steps: steps, backward: backward, over: Self.x, from: Tensor(0)) { window in
        // The state counts the steps before the window.
        #expect(window.state.item == Double(window.steps.lowerBound))
        expectSameBits(window.x, Self.x.sliced(window.steps, along: 1))
        seen.append(Seen(steps: window.steps, newSteps: window.newSteps))
      } advance: { x, state in
        state + Tensor(Double(x.shape[1])).converted(to: .float32)
      }
      #expect(last.item == 7)
      return seen
    }
    let plain = windows(3, nil)
    #expect(
      plain == [.init(steps: 0..<3, newSteps: 3), .init(steps: 3..<6, newSteps: 3), .init(steps: 4..<7, newSteps: 1)])
    #expect(windows(2, 5).map(\.steps) == [0..<2, 0..<4, 1..<6, 2..<7])
    #expect(windows(7, 7).map(\.steps) == [0..<7] && windows(20, 30).map(\.steps) == [0..<7])
  }

  /// The gradient of a window is that of its own steps, from the state it starts with.
  @Test func theGraphIsCutAtTheWindow() {
    let rnn = SimpleRNN(4, returnSequences: true)
    _ = rnn(Self.x)
    var sums: [Tensor] = []
    let first = rnn.cell.initialState(batchSize: 2)
    let last = truncated(steps: 3, backward: 5, over: Self.x, from: first) { window in
      let (_, gradients) = valueWithGradient(of: rnn) {
        let output = rnn(window.x, initialState: window.state).output
        return output.sliced(output.shape[1] - window.newSteps..<output.shape[1], along: 1).sum()
      }
      sums.append(gradients["recurrentKernel"]!)
    } advance: { x, state in
      rnn(x, initialState: state).state
    }
    expectSameBits(last, rnn(Self.x, initialState: nil).state)
    // The second window, by hand: its five steps from the state after the first one.
    let start = rnn(Self.x.sliced(0..<1, along: 1), initialState: nil).state
    let (_, gradients) = valueWithGradient(of: rnn) {
      rnn(Self.x.sliced(1..<6, along: 1), initialState: stopGradient(start)).output.sliced(2..<5, along: 1).sum()
    }
    expectSameBits(sums[1], gradients["recurrentKernel"]!)
    #expect(sums.count == 3)
  }
}
