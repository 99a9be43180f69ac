import Reel
import ReelNN
import ReelTestSupport
import Testing

/// Two directions, and cells one on top of another.
@Suite struct BidirectionalTests {
  static let x = sample([2, 4, 3], seed: 1, elementType: .float32)

  @Test func bothDirectionsAreLayersOfTheirOwn() {
    let layer = Bidirectional(LSTM(5, returnSequences: true), backward: GRU(4, returnSequences: true))
    let output = layer(Self.x)
    #expect(output.shape == [2, 4, 9])
    #expect(
      layer.parameters.map(\.name) == [
        "forward.kernel", "forward.recurrentKernel", "forward.bias", "backward.kernel", "backward.recurrentKernel",
        "backward.bias",
      ])
    let backwards = GRU(4, returnSequences: true, goBackwards: true)
    for (mine, theirs) in zip(backwards.parameters, layer.backward.parameters) {
      mine.parameter.value = theirs.parameter.value
    }
    expectSameBits(output.sliced(5..<9, along: -1), backwards(Self.x).reversed(along: 1))
    expectSameBits(output.sliced(0..<5, along: -1), layer.forward(Self.x))
  }

  @Test func aLayerWrittenInPlaceIsMadeTwice() {
    let layer = Bidirectional(SimpleRNN(3), merge: .sum)
    #expect(layer(Self.x).shape == [2, 3])
    #expect(layer.parameters.count == 6)
    #expect(layer.forward.cell.kernel.value!.numbers != layer.backward.cell.kernel.value!.numbers)
  }

  @Test func oneLayerForBothDirectionsIsRefused() async {
    await #expect(processExitsWith: .failure) {
      let layer = SimpleRNN(3)
      _ = Bidirectional(layer)
    }
  }

  @Test func outputsThatDoNotFitAreReported() {
    let unlike = Bidirectional(LSTM(3), backward: LSTM(2), merge: .average)
    let error = #expect(throws: TensorError.self) { try compiled { unlike($0) }(Self.x) }
    #expect(error?.description.contains("[2,3] and [2,2]") == true, "\(error!)")
    let two = Bidirectional(LSTM(3), merge: nil)
    #expect(two.outputs(of: Self.x).map(\.shape) == [[2, 3], [2, 3]])
    #expect(throws: TensorError.self) { try compiled { two($0) }(Self.x) }
  }

  @Test func stackedCellsAreLayersOneOnTopOfAnother() throws {
    let stack = RNN([LSTMCell(4), GRUCell(3), SimpleRNNCell(2)], returnSequences: true, returnState: true)
    let outputs = stack.outputs(of: Self.x)
    #expect(outputs.map(\.shape) == [[2, 4, 2], [2, 4], [2, 4], [2, 3], [2, 2]])
    #expect(stack.parameters.map(\.name).first == "cells.0.kernel")
    let layers = Sequential {
      RNN(stack.cell.cells[0] as! LSTMCell, returnSequences: true)
      RNN(stack.cell.cells[1] as! GRUCell, returnSequences: true)
      RNN(stack.cell.cells[2] as! SimpleRNNCell, returnSequences: true)
    }
    expectSameBits(outputs[0], layers(Self.x))
    let staged = try compiled { (x: Tensor) in stack.outputs(of: x) }(Self.x)
    for (found, expected) in zip(staged, outputs) { expectSameBits(found, expected) }
  }
}
