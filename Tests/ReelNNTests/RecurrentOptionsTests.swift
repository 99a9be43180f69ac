import Reel
import ReelNN
import ReelTestSupport
import Testing

/// What the options of recurrent layers do, beyond what the golden files show.
@Suite struct RecurrentOptionsTests {
  static let x = sample([3, 5, 2], seed: 1, elementType: .float32)
  static let unrolls: [Unroll] = [.never, .by(2), .full]

  private static func weights(_ seed: UInt64) -> Initializer {
    Initializer { sample($0, seed: seed, elementType: .float32) * 0.5 }
  }

  /// A layer of each kind with options; the weights do not depend on chance.
  static func layer(
    _ kind: String, dropout: Double = 0, recurrentDropout: Double = 0, implementation: Int = 2, stateful: Bool = false,
    unroll: Unroll = .never
  ) -> any WithStates {
    let (k, r) = (weights(11), weights(12))
    switch kind {
    case "simpleRNN":
      return SimpleRNN(
        4, kernelInitializer: k, recurrentInitializer: r, dropout: dropout, recurrentDropout: recurrentDropout,
        returnSequences: true, returnState: true, stateful: stateful, unroll: unroll)
    case "lstm":
      return LSTM(
        4, kernelInitializer: k, recurrentInitializer: r, dropout: dropout, recurrentDropout: recurrentDropout,
        implementation: implementation, returnSequences: true, returnState: true, stateful: stateful, unroll: unroll)
    default:
      return GRU(
        4, kernelInitializer: k, recurrentInitializer: r, dropout: dropout, recurrentDropout: recurrentDropout,
        implementation: implementation, resetAfter: kind == "gru", returnSequences: true, returnState: true,
        stateful: stateful, unroll: unroll)
    }
  }

  static let kinds = ["simpleRNN", "lstm", "gru", "gruResetBefore"]

  // MARK: - Dropout

  /// The masks of a call do not depend on how its loop is laid out, or on whether it is staged.
  @Test(arguments: kinds, [(0.4, 0.0), (0.0, 0.3), (0.4, 0.3), (1.0, 0.0)])
  func dropoutIsTheSameForEveryLayout(kind: String, rates: (Double, Double)) throws {
    var first: [Tensor]?
    for unroll in Self.unrolls {
      let layer = Self.layer(kind, dropout: rates.0, recurrentDropout: rates.1, unroll: unroll)
      let eager = withRandomSeed(3) { withTraining { layer.states(Self.x, []) } }
      let staged = try withRandomSeed(3) { try withTraining { try compiled { layer.states($0, []) }(Self.x) } }
      let reference = first ?? eager
      first = reference
      for (found, expected) in zip(eager + staged, reference + reference) {
        expectSameBits(found, expected, "\(kind), unroll \(unroll)")
      }
      let plain = Self.layer(kind, unroll: unroll).states(Self.x, [])
      #expect(plain[0].numbers != eager[0].numbers)
      for (found, expected) in zip(layer.states(Self.x, []), plain) { expectSameBits(found, expected, "inference") }
    }
  }

  /// A cell that gives its mask.
  struct MaskCell: RecurrentCell {
    let dropout = VariationalDropout(0.25)

    func initialState(batchSize: Int) -> Tensor { .zeros([batchSize, 1]) }

    func callAsFunction(_ x: Tensor, _ state: Tensor) -> (output: Tensor, state: Tensor) {
      (dropout(.ones(like: x)) + 0 * x, state)
    }
  }

  @Test func aMaskIsDrawnOnceForACall() throws {
    let layer = RNN(MaskCell(), returnSequences: true)
    let x = Tensor.zeros([20, 3, 30])
    let (first, second) = withRandomSeed(5) { withTraining { (layer(x), layer(x)) } }
    let steps = (0..<3).map { first.part(at: $0, along: 1) }
    for step in steps { expectSameBits(step, steps[0]) }
    #expect(Set(first.numbers) == [0, Double(Float(1 / 0.75))])
    #expect(first.numbers != second.numbers)
    let dropped = Double(steps[0].numbers.count { $0 == 0 })
    // 600 draws with probability 1/4: five standard deviations are 53.
    #expect(abs(dropped - 150) < 53)
    // A staged step draws anew each time it runs.
    let step = compiled { (x: Tensor) in layer(x) }
    let (a, b) = try withTraining { (try step(x), try step(x)) }
    #expect(a.numbers != b.numbers)
    #expect(Set(try step(x).numbers) == [1], "inference is staged apart")
  }

  @Test(arguments: ["lstm", "gru", "gruResetBefore"])
  func oneProductForEachGateGivesTheSameBits(kind: String) {
    let expected = Self.layer(kind, implementation: 2).states(Self.x, [])
    for unroll in Self.unrolls {
      let found = Self.layer(kind, implementation: 1, unroll: unroll).states(Self.x, [])
      for (found, expected) in zip(found, expected) { expectSameBits(found, expected, kind) }
    }
  }

  // MARK: - Masks

  @Test(arguments: kinds)
  func lengthsAreMasksAtTheEnd(kind: String) throws {
    let lengths: [Int32] = [5, 2, 0]
    let layer = Self.layer(kind)
    let padded = layer.states(Self.x.withMask(lengths: Tensor(lengths)), [])
    for (row, length) in lengths.map(Int.init).enumerated() where length > 0 {
      let short = layer.states(Self.x[row..<row + 1].sliced(0..<length, along: 1), [])
      expectSameBits(padded[0][row..<row + 1].sliced(0..<length, along: 1), short[0], kind)
      for (found, expected) in zip(padded.dropFirst(), short.dropFirst()) {
        expectSameBits(found[row..<row + 1], expected, "\(kind): a state")
      }
    }
    #expect(padded.allSatisfy { $0[2].numbers.allSatisfy { $0 == 0 } }, "a row without steps keeps its zeros")
    let lstm = LSTM(4)
    expectSameBits(lstm(Self.x, lengths: Tensor(lengths)), lstm(Self.x.withMask(lengths: Tensor(lengths))))
  }

  @Test func masksTravelFromLayerToLayerAndIntoStagedFunctions() throws {
    let mask = Tensor([true, true, false, true, false, true, false, true, true, false], shape: [2, 5])
    let x = sample([2, 5, 3], seed: 2, elementType: .float32)
    let model = Sequential {
      LSTM(4, returnSequences: true)
      Dense(3)
      GRU(2)
    }
    let expected = model(x.withMask(mask))
    #expect(expected.mask == nil && expected.numbers != model(x).numbers)
    #expect(model.layers[0](x.withMask(mask)).mask?.numbers == mask.numbers)
    let staged = compiled { (x: Tensor) in model(x) }
    expectSameBits(try staged(x.withMask(mask)), expected)
    expectSameBits(try staged(x), model(x))
    let none = Tensor([Bool](repeating: true, count: 10), shape: [2, 5])
    expectSameBits(model(x.withMask(none)), model(x), "a mask without gaps")
  }

  // MARK: - Memory

  /// Steps that are computed again in the reverse sweep meet the same masks and dropout.
  @Test(arguments: [LoopMemory.checkpoints(every: 2), .checkpoints(every: 4), .atMost(2000)])
  func keepingLessChangesNothing(memory: LoopMemory) throws {
    let mask = Tensor(
      [true, false, true, true, true, true, true, false, false, true, false, true, true, true, true], shape: [3, 5])
    func gradients(_ memory: LoopMemory, isStaged: Bool) throws -> [Tensor] {
      let layer = LSTM(
        4, kernelInitializer: Self.weights(11), recurrentInitializer: Self.weights(12), dropout: 0.3,
        recurrentDropout: 0.3, memory: memory)
      let run = { (x: Tensor) in
        let (value, found) = valueWithGradient(of: layer) { layer(x.withMask(mask)).sum() }
        return [value] + found.parameters.map { found[$0.parameter]! }
      }
      return try withRandomSeed(4) { try withTraining { try isStaged ? compiled(run)(Self.x) : run(Self.x) } }
    }
    for (found, expected) in zip(try gradients(memory, isStaged: false), try gradients(.unlimited, isStaged: false)) {
      expectSameBits(found, expected, "\(memory)")
    }
    // Staged, the gradients of weights are one product over all steps, or one for each block: other sums of the same terms.
    let staged = zip(try gradients(memory, isStaged: true), try gradients(.unlimited, isStaged: true))
    for (index, (found, expected)) in staged.enumerated() {
      if index == 0 { expectSameBits(found, expected, "\(memory)") }
      expectClose(found, expected, relative: 1e-5, absolute: 1e-6, "\(memory)")
    }
  }

  // MARK: - State from call to call

  @Test(arguments: kinds)
  func aStatefulLayerGoesOnWhereItWas(kind: String) throws {
    let long = Self.layer(kind).states(Self.x, [])
    let (first, second) = (Self.x.sliced(0..<3, along: 1), Self.x.sliced(3..<5, along: 1))
    for isStaged in [false, true] {
      let layer = Self.layer(kind, stateful: true)
      let staged = compiled { (x: Tensor) in layer.states(x, []) }
      let run = { (x: Tensor) in try isStaged ? staged(x) : layer.states(x, []) }
      for round in 0..<2 {
        let parts = [try run(first)[0], try run(second)[0]]
        expectSameBits(concatenated(parts, along: 1), long[0], "\(kind), staged \(isStaged), round \(round)")
        layer.resetState()
      }
      let small = try run(first[0..<2])
      expectSameBits(small[0], long[0][0..<2].sliced(0..<3, along: 1), "another batch size after a reset")
      let error = #expect(throws: TensorError.self) { try compiled { layer.states($0, []) }(first) }
      #expect(error?.problem.contains("2 sequences is given 3") == true)
    }
  }

  @Test func aStateCanBeSetAndNoGradientLeavesACall() {
    let layer = SimpleRNN(4, stateful: true)
    let plain = RNN(layer.cell)
    let state = sample([3, 4], seed: 4, elementType: .float32)
    layer.setState(state)
    expectSameBits(layer(Self.x), plain(Self.x, initialState: state).output)
    let (gradient) = gradient(at: Self.x) { x in
      layer.resetState()
      _ = layer(x)
      return layer(stopGradient(x)).sum()
    }
    #expect(gradient.numbers.allSatisfy { $0 == 0 })
  }

  @Test func aFirstStateCanBeLearned() throws {
    let layer = LSTM(4, trainableInitialState: true)
    let (_, gradients) = valueWithGradient(of: layer) { layer(Self.x).sum() }
    #expect(
      layer.parameters.map(\.name) == ["kernel", "recurrentKernel", "bias", "initialState.hidden", "initialState.cell"])
    #expect(gradients["initialState.hidden"]?.shape == [1, 4])
    #expect(gradients["initialState.cell"]!.numbers.contains { $0 != 0 })
    try checkGradients(of: layer, at: sample([2, 3, 2], seed: 7), order: 2)
  }

  // MARK: - Penalties

  @Test func penaltiesAreAPartOfTheValue() {
    let layer = SimpleRNN(
      2, kernelRegularizer: Regularizer("squares") { ($0 * $0).sum() },
      activityRegularizer: Regularizer("sum") { $0.sum() })
    let output = layer(Self.x)
    let (value, _) = valueWithGradient(of: layer) { layer(Self.x).mean() }
    let kernel = layer.cell.kernel.value!
    let expected = output.mean() + output.sum() / 3 + (kernel * kernel).sum()
    expectClose(value, expected, relative: 1e-6, absolute: 1e-6)
  }
}
