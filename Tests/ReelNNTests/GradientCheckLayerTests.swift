import Reel
import ReelNN
import ReelTestSupport
import Testing

@Suite struct GradientCheckLayerTests {
  static let unrolls: [Unroll] = [.never, .by(2), .full]

  /// A check of a layer, whatever its type.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let check: @Sendable (Unroll, Tensor, GradientCheckMode) throws -> GradientReport

    var testDescription: String { name }
  }

  static let layers = [
    Case(name: "SimpleRNN") { try checkGradients(of: SimpleRNN(2, unroll: $0), at: $1, order: 2, mode: $2) },
    Case(name: "LSTM") { try checkGradients(of: LSTM(2, unroll: $0), at: $1, order: 2, mode: $2) },
    Case(name: "GRU") { try checkGradients(of: GRU(2, unroll: $0), at: $1, order: 2, mode: $2) },
    Case(name: "GRU resetting before") {
      try checkGradients(of: GRU(2, resetAfter: false, unroll: $0), at: $1, order: 2, mode: $2)
    },
    Case(name: "a cell of one's own") {
      try checkGradients(of: RNN(ReadmeTests.MinimalGatedUnit(units: 2), unroll: $0), at: $1, order: 2, mode: $2)
    },
    Case(name: "Sequential") { unroll, x, mode in
      try checkGradients(
        of: Sequential {
          LSTM(2, returnSequences: true, goBackwards: true, unroll: unroll)
          Dense(2, activation: .softmax)
        }, at: x, order: 2, mode: mode)
    },
  ]

  @Test(arguments: layers, unrolls)
  func layersPass(layer: Case, unroll: Unroll) throws {
    // Directions see every element; the cells below are checked element by element.
    let report = try layer.check(unroll, sample([1, 3, 2], seed: 1), .directional)
    #expect(report.worstRelativeError < 1e-6 && report.kinks == 0)
    #expect(report.entries.allSatisfy { $0.limitedByTruncation == 0 })
    let names = report.entries.filter { $0.order == 2 }.map(\.tensor)
    #expect(names == report.entries.filter { $0.order == 1 }.map(\.tensor))
    switch layer.name {
    case "LSTM":
      #expect(
        names == ["input", "initialState.hidden", "initialState.cell", "kernel", "recurrentKernel", "bias"])
    case "Sequential":
      #expect(
        names == ["input", "lstm.kernel", "lstm.recurrentKernel", "lstm.bias", "dense.kernel", "dense.bias"])
    default:
      #expect(names == ["input", "initialState", "kernel", "recurrentKernel", "bias"])
    }
  }

  @Test func cellsPassByInputAndState() throws {
    let x = sample([2, 3], seed: 1)
    let lstm = try checkGradients(of: LSTMCell(2), at: x, order: 2)
    #expect(
      lstm.entries.prefix(6).map(\.tensor) == [
        "input", "state.hidden", "state.cell", "kernel", "recurrentKernel", "bias",
      ])
    try checkGradients(of: GRUCell(2), at: x, state: .zeros([2, 2]), order: 2)
    try checkGradients(of: GRUCell(2, resetAfter: false), at: x, order: 2)
    try checkGradients(of: SimpleRNNCell(2), at: x, order: 2)
    try checkGradients(of: ReadmeTests.MinimalGatedUnit(units: 2), at: x, mode: .complete)
  }

  @Test func aGivenInitialStateIsWhereTheLayerIsChecked() throws {
    let model = SimpleRNN(2, activation: .relu, kernelInitializer: .zeros, recurrentInitializer: .ones)
    let x = sample([1, 2, 2], seed: 1)
    #expect(try checkGradients(of: model, at: x, initialState: [[0.25, 0.5]]).kinks == 0)
    #expect(try checkGradients(of: model, at: x, initialState: [[0, 0]]).kinks > 0)
  }

  @Test(arguments: [GradientCheckMode.automatic, .directional, .complete])
  func denseWithAKinkPasses(mode: GradientCheckMode) throws {
    let model = Sequential {
      Dense(6, activation: .relu)
      Dense(2)
    }
    try checkGradients(of: model, at: sample([3, 4], seed: 1), order: 2, mode: mode)
    let kinked = try checkGradients(of: model, at: Tensor.zeros([1, 4]), mode: mode)
    #expect(kinked.kinks > 0)
  }

  @Test func aLossIsCheckedByItsParameters() throws {
    let model = Dense(3)
    let (x, labels) = (sample([4, 2], seed: 1), Tensor([0, 2, 1, 1] as [Int32]))
    let report = try checkGradients(of: model, order: 2) { softmaxCrossEntropy(logits: model(x), labels: labels) }
    #expect(report.entries.map(\.tensor) == ["kernel", "bias", "kernel", "bias"])
  }
}

// MARK: - The model afterwards

extension GradientCheckLayerTests {
  @Test func parametersGetTheirValuesBack() throws {
    let model = Sequential {
      LSTM(3)
      Dense(2)
    }
    _ = model(sample([2, 4, 5], seed: 1, elementType: .float32))
    let before = model.parameters.map { ($0.parameter.variable, $0.parameter.value!) }
    try checkGradients(of: model, at: sample([2, 3, 5], seed: 2), mode: .directional)
    for (entry, (variable, value)) in zip(model.parameters, before) {
      #expect(entry.parameter.variable === variable)
      #expect(value.elementType == .float32)
      expectSameBits(entry.parameter.value!, value, entry.name)
    }
  }

  @Test func parametersGetTheirValuesBackAfterAnError() {
    let cell = FaultyCell(units: 2)
    _ = cell(sample([1, 3], seed: 1, elementType: .float32), sample([1, 2], seed: 2, elementType: .float32))
    let before = cell.parameters.map { $0.parameter.value! }
    #expect(throws: GradientCheckError.self) { try checkGradients(of: cell, at: sample([1, 3], seed: 3)) }
    #expect(throws: TensorError.self) { try checkGradients(of: cell, at: sample([1, 4], seed: 3)) }
    for (entry, value) in zip(cell.parameters, before) { expectSameBits(entry.parameter.value!, value, entry.name) }
  }

  @Test func aModelThatWasNotUsedYetStaysUnshaped() throws {
    let model = LSTM(2)
    try checkGradients(of: model, at: sample([2, 3, 5], seed: 1), mode: .directional)
    #expect(model.parameters.allSatisfy { $0.parameter.value == nil })
    #expect(model(sample([2, 3, 7], seed: 1, elementType: .float32)).elementType == .float32)
  }
}

// MARK: - Errors

/// A cell with one wrong pullback in it.
private struct FaultyCell: RecurrentCell {
  let units: Int
  var fault = FaultyTanh.Fault.missesSquare
  let kernel = Parameter(.glorotUniform)
  let recurrentKernel = Parameter(.orthogonal)
  let bias = Parameter(.zeros)

  func initialState(batchSize: Int) -> Tensor { .zeros([batchSize, units]) }

  func callAsFunction(_ x: Tensor, _ h: Tensor) -> (output: Tensor, state: Tensor) {
    let z =
      x.matmul(kernel([x.shape.last, 2 * units])) + h.matmul(recurrentKernel([units, 2 * units])) + bias([2 * units])
    let (gate, candidate) = z.split(into: 2)
    let open = sigmoid(gate)
    // The recorded kernel of the faulty operation is that of float64.
    let next = open * h + (1 - open) * (x.elementType == .float64 ? faultyTanh(candidate, fault) : tanh(candidate))
    return (next, next)
  }
}

extension GradientCheckLayerTests {
  @Test(arguments: unrolls)
  func theWrongOperationOfACellIsNamed(unroll: Unroll) throws {
    let model = Sequential {
      Dense(3)
      RNN(FaultyCell(units: 2), unroll: unroll)
      Dense(1)
    }
    let error = #expect(throws: GradientCheckError.self) {
      try checkGradients(of: model, at: sample([2, 4, 3], seed: 1))
    }
    guard case .wrongGradient(let gradient) = error else { return }
    #expect(gradient.tensor == "input")
    #expect(gradient.operation?.operation.description == "faultyTanh in faulty")
  }

  @Test(arguments: unrolls)
  func whatIsWrongInTheSecondOrderOnlyIsNamed(unroll: Unroll) throws {
    let model = RNN(FaultyCell(units: 2, fault: .missesSecondOrder), unroll: unroll)
    try checkGradients(of: model, at: sample([2, 4, 3], seed: 1))
    let error = #expect(throws: GradientCheckError.self) {
      try checkGradients(of: model, at: sample([2, 4, 3], seed: 1), order: 2)
    }
    guard case .wrongGradient(let gradient) = error else { return }
    #expect(gradient.order == 2 && gradient.operation?.order == 2)
    #expect(gradient.operation?.operation.name == "faultyTanh")
  }

  @Test func aWrongGradientByAParameterIsNamedByItsPath() throws {
    /// Parameters reach the output through a wrong pullback, the input does not.
    struct Scale: Layer {
      let weight = Parameter(.ones)
      func callAsFunction(_ x: Tensor) -> Tensor { x * faultyTanh(weight([x.shape.last])) }
    }
    let error = #expect(throws: GradientCheckError.self) {
      try checkGradients(of: Sequential { Scale() }, at: sample([2, 3], seed: 1))
    }
    guard case .wrongGradient(let gradient) = error else { return }
    #expect("\(gradient)".hasPrefix("wrong gradient by scale.weight[0]: "))
    #expect("\(gradient)".contains("the pullback of faultyTanh in scale is wrong when checked alone"))
  }

  @Test func inputThatDoesNotFitIsATensorError() {
    expectError(
      """
      lstm: input of shape [2,3]; expected [batch, time, features]; a recurrent layer in front of this one needs \
      returnSequences: true
      """
    ) {
      try checkGradients(of: LSTM(2), at: sample([2, 3], seed: 1))
    }
  }
}
