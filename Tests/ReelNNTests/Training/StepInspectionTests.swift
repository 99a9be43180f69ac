import Reel
import ReelNN
import ReelTestSupport
import Testing

/// States, gates and gradients by step, against a cell that is called by hand.
@Suite struct StepInspectionTests {
  typealias Samples = TrainingSamples

  @Test func stepsOfAnLSTMAreThoseOfItsCell() throws {
    let model = Samples.model()
    let (x, y) = (Samples.inputs(3), Samples.classes(3))
    let inspection = try #require(try model.inspectSteps(x, y).first)
    #expect(inspection.layer == "lstm" && inspection.steps.map(\.time) == [0, 1, 2, 3])
    #expect(inspection.firstNotFinite == nil)
    let layer = try #require(model.network.layers[0] as? LSTM)
    let dense = model.network.layers[1]
    let steps = x.transposed([1, 0, 2])
    /// The loss from a state before a step on.
    func loss(from state: LSTMCell.State, at time: Int) -> Tensor {
      var state = state
      for later in time..<4 { state = layer.cell(steps[later], state).state }
      return Samples.loss(predicted: dense(state.hidden), expected: y)
    }
    var state = layer.cell.initialState(batchSize: 3)
    for (time, step) in inspection.steps.enumerated() {
      let found = gradient(at: state) { loss(from: $0, at: time) }
      #expect(step.gradientNorms.map(\.name) == ["hidden", "cell"])
      for (norm, expected) in zip(step.gradientNorms.map(\.norm), [found.hidden, found.cell]) {
        #expect(abs(norm - (expected * expected).sum().item.squareRoot()) < 1e-6)
      }
      state = layer.cell(steps[time], state).state
      #expect(step.states.map(\.name) == ["hidden", "cell"])
      expectClose(step.states[0].value, state.hidden, relative: 1e-5, absolute: 1e-6, "step \(time)")
      expectClose(step.states[1].value, state.cell, relative: 1e-5, absolute: 1e-6, "step \(time)")
      #expect(step.functions.map(\.name).sorted() == ["sigmoid", "sigmoid_1", "sigmoid_2", "tanh", "tanh_1"])
    }
    #expect("\(inspection)".split(separator: "\n").count == 6)
  }

  @Test func masksAndOtherCellsAreLookedAtToo() throws {
    let x = Samples.inputs(3).withMask(lengths: Tensor([4, 2, 1] as [Int32]))
    let network = Sequential {
      GRU(2, returnSequences: true); RNN(NonFiniteTests.Fragile(), goBackwards: true); Dense(2)
    }
    let model = network.compile(optimizer: SGD(), loss: Samples.loss)
    let inspector = model.stepInspector(x, Samples.classes(3), every: 2, verbose: false)
    try model.fit(x, Samples.classes(3), epochs: 4, callbacks: [inspector], verbose: 0)
    #expect(inspector.inspections.keys.sorted() == [1, 3])
    let found = inspector.inspections[3]!
    #expect(found.map(\.layer) == ["gru", "fragile"])
    #expect(found[0].steps.map(\.time) == [0, 1, 2, 3] && found[1].steps.map(\.time) == [3, 2, 1, 0])
    #expect(found[1].steps.allSatisfy { step in step.states[0].name == "state" })
  }

  @Test func theFirstStepThatIsNotFiniteIsFound() throws {
    let model = NonFiniteTests.network().compile(optimizer: SGD(), loss: Samples.loss)
    let inspection = try #require(try model.inspectSteps(NonFiniteTests.badInputs, Samples.classes(12)).first)
    let first = try #require(inspection.firstNotFinite)
    #expect(first.time == 2 && first.name == "state")
  }
}
