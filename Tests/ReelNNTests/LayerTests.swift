import Reel
import ReelNN
import ReelTestSupport
import Testing

/// Names, paths and numbers of parameters, and what plain layers compute.
@Suite struct LayerTests {
  /// A model of one's own: nested layers, a list, an optional, a dictionary and a pair of them.
  struct Tagger: Layer {
    let encoder = LSTM(4, returnSequences: true)
    let blocks = [Dense(4, activation: .relu), Dense(4)]
    let extra: Dense? = Dense(4)
    let missing: Dense? = nil
    let heads = ["tag": Dense(3), "boundary": Dense(3)]
    let pair = (left: Dense(2), right: Scale())
    let temperature = Parameter(.ones)

    func callAsFunction(_ x: Tensor) -> Tensor {
      let h = extra!(blocks.reduce(encoder(x)) { $1($0) })
      let tags = heads["tag"]!(h) * heads["boundary"]!(h) * temperature([3])
      return pair.right(pair.left(tags))
    }
  }

  struct Scale: Layer {
    let weight = Parameter(.ones)
    let fixed = Parameter(.constant(2), isTrainable: false)

    func callAsFunction(_ x: Tensor) -> Tensor { x * weight([x.shape.last]) * fixed([]) }
  }

  @Test func pathsAreTheNamesInTheSource() {
    let model = Tagger()
    let expected = [
      "encoder.kernel", "encoder.recurrentKernel", "encoder.bias", "blocks.0.kernel", "blocks.0.bias",
      "blocks.1.kernel",
      "blocks.1.bias", "extra.kernel", "extra.bias", "heads.boundary.kernel", "heads.boundary.bias", "heads.tag.kernel",
      "heads.tag.bias", "pair.left.kernel", "pair.left.bias", "pair.right.weight", "pair.right.fixed", "temperature",
    ]
    #expect(model.parameters.map(\.name) == expected)
    #expect(model.parameterCount == 0, "nothing is made before the first use")
    let (_, gradients) = valueWithGradient(of: model) { model(.ones([2, 5, 3])).sum() }
    #expect(gradients.parameters.map(\.name) == expected.filter { $0 != "pair.right.fixed" })
    #expect(model.parameterCount == 128 + 3 * 20 + 2 * 15 + 8 + 2 + 1 + 3)
    #expect(gradients["encoder.recurrentKernel"]?.shape == [4, 16])
    #expect(gradients["encoder.gate"] == nil)
    let doubled = gradients.mapValues { $0 * 2 }
    expectSameBits(doubled["temperature"]!, gradients[model.temperature]! * 2)
  }

  @Test func parametersKnowTheirPathsFromTheFirstCall() {
    let model = Sequential { Dense(2) }
    let error = #expect(throws: TensorError.self) {
      try Graph(tracing: [TensorType([1, 3]), TensorType([1, 4])]) { x in
        [valueWithGradient(of: model) { (model(x[0]) + model(x[1])).sum() }.value]
      }
    }
    #expect(error?.path == ["dense"])
    #expect(error?.operation == "parameter 'dense.kernel'")
  }

  @Test func pathsInASequentialBeginWithTheLayer() {
    let model = Sequential {
      LSTM(4, returnSequences: true)
      Sequential {
        Dense(4)
        Dense(4)
      }
      RNN(MinimalGatedUnitCell(4))
      Scale()
    }
    _ = model(.ones([1, 2, 3]))
    #expect(
      model.parameters.map(\.name) == [
        "lstm.kernel", "lstm.recurrentKernel", "lstm.bias", "sequential.dense.kernel", "sequential.dense.bias",
        "sequential.dense_1.kernel", "sequential.dense_1.bias", "minimalGatedUnit.kernel",
        "minimalGatedUnit.recurrentKernel", "minimalGatedUnit.bias", "scale.weight", "scale.fixed",
      ])
    #expect(LSTM(4).parameters.map(\.name) == ["kernel", "recurrentKernel", "bias"])
  }

  static var names: [(layers: [any Layer<Tensor, Tensor>], names: [String])] {
    [
      ([], []),
      ([Dense(1), Dense(1), LSTM(1), Dense(1)], ["dense", "dense_1", "lstm", "dense_2"]),
      ([SimpleRNN(1), GRU(1), SimpleRNN(1)], ["simpleRNN", "gru", "simpleRNN_1"]),
      ([RNN(LSTMCell(1)), RNN(MinimalGatedUnitCell(1)), LSTM(1)], ["lstm", "minimalGatedUnit", "lstm_1"]),
      ([Sequential([]), Scale(), Tagger()], ["sequential", "scale", "tagger"]),
    ]
  }

  @Test(arguments: names.indices)
  func layersAreNumberedFromTheSecondOfAKind(index: Int) {
    #expect(Sequential(Self.names[index].layers).names == Self.names[index].names)
  }

  static var counts: [(layer: any Layer<Tensor, Tensor>, features: Int, count: Int)] {
    [
      (LSTM(16), 6, 1472), (LSTM(32), 28, 7808), (LSTM(16, useBias: false), 6, 1408),
      (GRU(32), 16, 4800), (GRU(32, resetAfter: false), 16, 4704), (GRU(32, useBias: false), 16, 4608),
      (SimpleRNN(5), 3, 45), (SimpleRNN(5, useBias: false), 3, 40),
      (Dense(10), 64, 650), (Dense(10, useBias: false), 64, 640), (RNN(MinimalGatedUnitCell(5)), 4, 100),
    ]
  }

  @Test(arguments: counts.indices)
  func countsAreKerass(index: Int) {
    let (layer, features, count) = Self.counts[index]
    _ = layer(.zeros([2, 3, features]))
    #expect(layer.parameterCount == count)
  }

  @Test func aSharedLayerIsCountedOnceAndCollectsBothGradients() {
    let x = sample([5, 3], seed: 1, elementType: .float32)
    let shared = Dense(3, activation: .tanh)
    let model = Sequential {
      shared
      shared
    }
    #expect(model.names == ["dense", "dense_1"])
    let (value, gradients) = valueWithGradient(of: model) { model(x).sum() }
    #expect(model.parameters.map(\.name) == ["dense.kernel", "dense.bias"])
    #expect(model.parameterCount == 12)
    let (kernel, bias) = (shared.kernel.value!, shared.bias.value!)
    let two = Sequential(
      (0..<2).map { _ in
        Dense(3, activation: .tanh, kernelInitializer: .value(kernel), biasInitializer: .value(bias))
      })
    let (expectedValue, expected) = valueWithGradient(of: two) { two(x).sum() }
    expectSameBits(value, expectedValue)
    for name in ["kernel", "bias"] {
      expectClose(
        gradients["dense.\(name)"]!, expected["dense.\(name)"]! + expected["dense_1.\(name)"]!, relative: 1e-6,
        absolute: 1e-6, name)
    }
  }

  @Test func parametersThatAreNotUsedHaveNoGradient() {
    let (used, unused) = (Dense(2), Dense(2))
    _ = unused(.ones([1, 3]))
    let model = Sequential([used, unused])
    let (_, gradients) = valueWithGradient(of: model) { used(.ones([1, 3])).sum() }
    #expect(gradients[unused.kernel] == nil)
    #expect(gradients.parameters.map(\.name) == ["dense.kernel", "dense.bias"])
  }

  @Test func denseWorksAlongTheLastAxis() {
    let kernel = sample([3, 4], seed: 2, elementType: .float32)
    let bias = sample([4], seed: 3, elementType: .float32)
    let layer = Dense(4, activation: .relu, kernelInitializer: .value(kernel), biasInitializer: .value(bias))
    let x = sample([2, 2, 5, 3], seed: 4, elementType: .float32)
    let rows = maximum(x.reshaped(to: [20, 3]).matmul(kernel) + bias, 0)
    for shape in [[20, 3], [4, 5, 3], [2, 2, 5, 3]] as [Shape] {
      let expected = rows.reshaped(to: Shape(shape.extents.dropLast() + [4]))
      expectSameBits(layer(x.reshaped(to: shape)), expected, "\(shape)")
    }
    #expect(layer(.zeros([0, 3])).shape == [0, 4])
  }

  @Test func anActivationMayBeOnesOwn() {
    let square = Activation("square") { $0 * $0 }
    #expect(square.name == "square")
    let x = sample([2, 3], seed: 5, elementType: .float32)
    let plain = Dense(2)
    let y = plain(x)
    let squared = Dense(2, activation: square, kernelInitializer: .value(plain.kernel.value!))
    expectSameBits(squared(x), y * y)
  }

  // MARK: - The result builder

  static func built(@LayerBuilder _ layers: () -> [any Layer<Tensor, Tensor>]) -> [String] { Sequential(layers).names }

  @Test func everyPartOfTheBuilderBuilds() {
    #expect(Self.built {} == [], "an empty block")
    #expect(Self.built { Dense(1) } == ["dense"], "an expression")
    let made: [any Layer<Tensor, Tensor>] = [GRU(1), Dense(1)]
    #expect(
      Self.built {
        LSTM(1)
        made
      } == ["lstm", "gru", "dense"], "a block with a list")
    #expect(
      Self.built {
        for units in 1...3 { Dense(units) }
        LSTM(1)
      } == ["dense", "dense_1", "dense_2", "lstm"], "a loop")
    for isDeep in [false, true] {
      #expect(
        Self.built {
          if isDeep { GRU(1) }
          Dense(1)
        } == (isDeep ? ["gru", "dense"] : ["dense"]), "an if without else")
      #expect(
        Self.built {
          if isDeep {
            GRU(1)
            GRU(1)
          } else {
            LSTM(1)
          }
        } == (isDeep ? ["gru", "gru_1"] : ["lstm"]), "an if with else")
    }
    for (kind, name) in ["simpleRNN", "gru", "lstm"].enumerated() {
      #expect(
        Self.built {
          switch kind {
          case 0: SimpleRNN(1)
          case 1: GRU(1)
          default: LSTM(1)
          }
        } == [name], "a switch")
    }
  }
}
