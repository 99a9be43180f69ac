import Reel
import ReelNN
import Testing

@Suite struct SummaryTests {
  @Test func theTableIsThatOfKeras() throws {
    let network = Sequential {
      LSTM(32)
      Dense(10)
    }
    let summary = try network.summary(inputShape: [nil, 28, 28])
    #expect(
      "\(summary)" == """
        Model: "sequential"
        ┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━┓
        ┃ Layer (type)                         ┃ Output Shape                ┃         Param # ┃
        ┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━┩
        │ lstm (LSTM)                          │ (None, 32)                  │           7,808 │
        ├──────────────────────────────────────┼─────────────────────────────┼─────────────────┤
        │ dense (Dense)                        │ (None, 10)                  │             330 │
        └──────────────────────────────────────┴─────────────────────────────┴─────────────────┘
         Total params: 8,138 (31.79 KB)
         Trainable params: 8,138 (31.79 KB)
         Non-trainable params: 0 (0.00 B)
        """)
  }

  /// Formulas of section 9.4: LSTM 4u(in+u+1), GRU 3u(in+u+2) or 3u(in+u+1), SimpleRNN u(in+u+1), Bidirectional twice.
  static let layers: [(layer: @Sendable () -> any Layer<Tensor, Tensor>, kind: String, shape: [Int?], count: Int)] = [
    ({ LSTM(7, returnSequences: true) }, "LSTM", [nil, nil, 7], 4 * 7 * (5 + 7 + 1)),
    ({ GRU(6) }, "GRU", [nil, 6], 3 * 6 * (5 + 6 + 2)),
    ({ GRU(6, resetAfter: false) }, "GRU", [nil, 6], 3 * 6 * (5 + 6 + 1)),
    ({ SimpleRNN(4) }, "SimpleRNN", [nil, 4], 4 * (5 + 4 + 1)),
    ({ Bidirectional(LSTM(3)) }, "Bidirectional", [nil, 6], 2 * 4 * 3 * (5 + 3 + 1)),
    ({ Dense(8) }, "Dense", [nil, nil, 8], 6 * 8),
  ]

  @Test(arguments: layers.indices)
  func countsAndShapesAreThoseOfKeras(index: Int) throws {
    let (layer, kind, shape, count) = Self.layers[index]
    let summary = try Sequential([layer()]).summary(inputShape: [nil, nil, 5])
    #expect(summary.rows.count == 1)
    #expect(summary.rows[0].kind == kind && summary.rows[0].outputShapes == [shape])
    #expect(summary.rows[0].parameterCount == count && summary.trainable.count == count)
  }

  struct Tower: Layer {
    let scale = Parameter(.ones, isTrainable: false)
    let blocks = [
      Sequential {
        Dense(4); Dense(3)
      }, Sequential { Dense(2) },
    ]
    func callAsFunction(_ x: Tensor) -> Tensor { blocks.reduce(x * scale([x.shape.last])) { $1($0) } }
  }

  @Test func nestedLayersAreIndented() throws {
    let tower = Tower()
    #expect("\(tower.summary())".contains("0 (unbuilt)"))
    let summary = try tower.summary(inputShape: [nil, 5])
    #expect(summary.rows.map(\.name) == ["blocks.0", "dense", "dense_1", "blocks.1", "dense"])
    #expect(summary.rows.map(\.depth) == [0, 1, 1, 0, 1])
    #expect(summary.rows.map(\.parameterCount) == [24 + 15, 24, 15, 8, 8])
    #expect(summary.trainable.count == 47 && summary.nonTrainable.count == 5)
    let text = "\(summary)"
    #expect(text.contains("│ └ dense_1 (Dense) ") && text.contains(" Non-trainable params: 5 (20.00 B)"))
  }

  @Test func aTrainedModelShowsItsOptimizer() throws {
    let model = TrainingSamples.model()
    #expect(try model.summary().rows.map(\.outputShapes) == [[], []])
    try model.fit(TrainingSamples.inputs(4), TrainingSamples.classes(4), verbose: 0)
    let summary = try model.summary()
    let count = 4 * 5 * (3 + 5 + 1) + 12
    #expect(summary.rows.map(\.outputShapes) == [[[nil, 5]], [[nil, 2]]])
    #expect(summary.trainable.count == count && summary.optimizer?.count == 2 * count + 2)
    #expect("\(summary)".contains(" Optimizer params: 386 "))
  }

  @Test func buildingMakesParametersAndDrawsNothingTwice() throws {
    let network = Sequential {
      LSTM(4, stateful: true); Dense(2)
    }
    try network.build(inputShape: [nil, nil, 3])
    #expect(network.parameterCount == 4 * 4 * 8 + 10)
    let before = weightsOf(network)
    try network.build(inputShape: [2, 7, 3])
    #expect(weightsOf(network) == before)
    // Recording a stateful layer leaves its batch size open.
    #expect(network(.zeros([5, 2, 3])).shape == [5, 2])
    #expect(throws: TensorError.self) { try network.build(inputShape: [nil, 3]) }
  }
}
