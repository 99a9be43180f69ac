import Reel
import ReelNN
import ReelTestSupport
import Testing

/// What a recurrent layer does with time, whatever the cell.
@Suite struct RecurrentTests {
  static let unrolls: [Unroll] = [.never, .by(2), .by(3), .full]

  // Batch, time, features and units are all different, so that no axis can stand for another.
  static let x = sample([2, 5, 3], seed: 1, elementType: .float32)
  static let units = 4

  /// A layer of each kind by flags, with weights that do not depend on chance.
  static func layer(
    _ kind: String, sequences: Bool = true, backwards: Bool = false, unroll: Unroll = .never
  ) -> any WithStates {
    let (kernel, recurrent, bias) = (weights(11), weights(12), weights(13))
    switch kind {
    case "lstm":
      return LSTM(
        units, kernelInitializer: kernel, recurrentInitializer: recurrent, biasInitializer: bias,
        returnSequences: sequences, returnState: true, goBackwards: backwards, unroll: unroll)
    case "simpleRNN":
      return SimpleRNN(
        units, kernelInitializer: kernel, recurrentInitializer: recurrent, biasInitializer: bias,
        returnSequences: sequences, returnState: true, goBackwards: backwards, unroll: unroll)
    default:
      return GRU(
        units, kernelInitializer: kernel, recurrentInitializer: recurrent, biasInitializer: bias,
        resetAfter: kind == "gru", returnSequences: sequences, returnState: true, goBackwards: backwards, unroll: unroll
      )
    }
  }

  static let kinds = ["simpleRNN", "lstm", "gru", "gruResetBefore"]

  private static func weights(_ seed: UInt64) -> Initializer {
    Initializer { sample($0, seed: seed, elementType: .float32) * 0.5 }
  }

  @Test(arguments: kinds, unrolls)
  func theLayoutDoesNotMatter(kind: String, unroll: Unroll) throws {
    for backwards in [false, true] {
      let expected = Self.layer(kind, backwards: backwards).states(Self.x, [])
      let layer = Self.layer(kind, backwards: backwards, unroll: unroll)
      for (found, expected) in zip(layer.states(Self.x, []), expected) { expectSameBits(found, expected, kind) }
      let staged = try compiled { (x: Tensor) in layer.states(x, []) }(Self.x)
      for (found, expected) in zip(staged, expected) { expectSameBits(found, expected, "\(kind), compiled") }
    }
  }

  @Test(arguments: kinds)
  func goingBackwardsIsTheReversedSequenceInTheOrderOfProcessing(kind: String) {
    let backwards = Self.layer(kind, backwards: true).states(Self.x, [])
    let reversed = Self.layer(kind).states(Self.x.reversed(along: 1), [])
    for (found, expected) in zip(backwards, reversed) { expectSameBits(found, expected, kind) }
    // The last output is that of the first step.
    let last = Self.layer(kind, sequences: false, backwards: true).states(Self.x, [])[0]
    expectSameBits(last, backwards[0].part(at: -1, along: 1))
  }

  @Test(arguments: kinds)
  func theLastOutputIsTheEndOfTheSequenceAndTheHiddenState(kind: String) {
    let sequence = Self.layer(kind).states(Self.x, [])
    let last = Self.layer(kind, sequences: false).states(Self.x, [])
    #expect(sequence.map(\.shape) == [[2, 5, 4]] + Array(repeating: [2, 4], count: kind == "lstm" ? 2 : 1))
    #expect(last.map(\.shape) == Array(repeating: [2, 4], count: kind == "lstm" ? 3 : 2))
    expectSameBits(last[0], sequence[0].part(at: -1, along: 1))
    expectSameBits(last[1], last[0], "the hidden state")
    for (found, expected) in zip(last.dropFirst(), sequence.dropFirst()) { expectSameBits(found, expected) }
  }

  @Test(arguments: kinds)
  func aSequenceContinuesFromItsState(kind: String) {
    let layer = Self.layer(kind)
    let whole = layer.states(Self.x, [])
    let first = layer.states(Self.x.sliced(0..<2, along: 1), [])
    let second = layer.states(Self.x.sliced(2..<5, along: 1), Array(first.dropFirst()))
    expectSameBits(concatenated([first[0], second[0]], along: 1), whole[0])
    for (found, expected) in zip(second.dropFirst(), whole.dropFirst()) { expectSameBits(found, expected) }
  }

  @Test(arguments: kinds)
  func rowsOfABatchDoNotMix(kind: String) {
    let layer = Self.layer(kind)
    let whole = layer.states(Self.x, [])
    for row in 0..<2 {
      let alone = layer.states(Self.x.sliced(row..<row + 1, along: 0), [])
      for (found, expected) in zip(alone, whole) { expectSameBits(found, expected.sliced(row..<row + 1, along: 0)) }
    }
  }

  @Test(arguments: kinds)
  func everyExtentMayBeOne(kind: String) {
    for shape in [[1, 1, 1], [1, 4, 3], [3, 1, 2], [2, 6, 1]] as [Shape] {
      let found = Self.layer(kind, unroll: .by(3)).states(sample(shape, seed: 2, elementType: .float32), [])
      #expect(found[0].shape == [shape[0], shape[1], 4])
    }
  }

  @Test func returnStateListsTheTensorsOfTheState() {
    let layer = LSTM(3, returnState: true)
    let (output, state) = layer(Self.x, initialState: nil)
    let outputs = layer.outputs(of: Self.x)
    #expect(outputs.count == 3)
    expectSameBits(outputs[0], output)
    expectSameBits(outputs[1], state.hidden)
    expectSameBits(outputs[2], state.cell)
    #expect(LSTM(3).outputs(of: Self.x).count == 1)
  }

  /// A cell with an output of its own width, a state of its own structure, and frames in place of features.
  struct Totals: RecurrentCell {
    func initialState(batchSize: Int) -> Pair<Tensor, [Tensor]> {
      Pair(.zeros([batchSize]), [.ones([batchSize, 2]), .zeros([])])
    }

    func callAsFunction(
      _ x: Tensor, _ state: Pair<Tensor, [Tensor]>
    ) -> (output: Tensor, state: Pair<Tensor, [Tensor]>) {
      let total = state.first + x.sum(along: [1, 2])
      return (x * total.reshaped(to: [x.shape[0], 1, 1]), Pair(total, [state.second[0] * 2, state.second[1] + 1]))
    }
  }

  @Test(arguments: unrolls)
  func aStateMayHaveAnyStructureAndAStepAnyShape(unroll: Unroll) {
    let x = Tensor.iota(2 * 3 * 2 * 2, elementType: .float32).reshaped(to: [2, 3, 2, 2])
    let (output, state) = RNN(Totals(), returnSequences: true, unroll: unroll)(x, initialState: nil)
    #expect(output.shape == x.shape)
    expectSameBits(state.first, x.sum(along: [1, 2, 3]))
    expectSameBits(state.second[0], Tensor(repeating: 8, shape: [2, 2]))
    expectSameBits(state.second[1], Tensor(Float(3)))
    let totals = x.sum(along: [2, 3]).cumulativeSum(along: 1).reshaped(to: [2, 3, 1, 1])
    expectSameBits(output, x * totals)
  }
}
