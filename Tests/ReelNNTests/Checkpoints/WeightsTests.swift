import Foundation
import Reel
import ReelNN
import ReelTestSupport
import Testing

/// Weights go into files and come back; what does not fit is listed and changes nothing.
@Suite struct WeightsTests {
  static func model(units: Int = 4, outputs: Int = 2) -> Sequential {
    Sequential {
      Bidirectional(LSTM(units, returnSequences: true))
      GRU(3, useBias: false)
      Dense(outputs)
    }
  }

  static func built(units: Int = 4, outputs: Int = 2, seed: UInt64) -> Sequential {
    let model = model(units: units, outputs: outputs)
    withRandomSeed(seed) { _ = model(.ones([1, 2, 3])) }
    return model
  }

  static let names = [
    "bidirectional.forward.kernel", "bidirectional.forward.recurrentKernel", "bidirectional.forward.bias",
    "bidirectional.backward.kernel", "bidirectional.backward.recurrentKernel", "bidirectional.backward.bias",
    "gru.kernel", "gru.recurrentKernel", "dense.kernel", "dense.bias",
  ]

  static func expectSameWeights(_ a: some Module, _ b: some Module) throws {
    let (a, b) = (a.weights, b.weights)
    #expect(Set(a.keys) == Set(b.keys) && !a.isEmpty)
    for (name, weight) in a { expectSameBits(try #require(b[name]), weight, name) }
  }

  @Test func weightsComeBackIntoAModelThatHasNoneYet() throws {
    try withTemporaryFolder { folder in
      let saved = Self.built(seed: 1)
      try saved.saveWeights(to: "\(folder)/w", metadata: ["run": "7"])
      let file = try Safetensors(path: "\(folder)/w")
      #expect(file.metadata == ["run": "7"])
      #expect(Set(file.tensors.keys) == Set(Self.names))
      for loaded in [Self.model(), Self.built(seed: 2)] {
        #expect(try loaded.loadWeights(from: "\(folder)/w") == Self.names)
        try Self.expectSameWeights(saved, loaded)
        let x = sample([2, 5, 3], seed: 3, elementType: .float32)
        expectSameBits(loaded(x), saved(x))
      }
    }
  }

  @Test func everyDifferenceIsListedAndNothingChanges() throws {
    try withTemporaryFolder { folder in
      let saved = Self.built(seed: 1)
      var file = Safetensors(saved.weights)
      file.tensors["dense.bias"] = nil
      file.tensors["gru.kernel"] = .zeros([8, 8])
      file.tensors["dense.kernel"] = .zeros([3, 2], elementType: .float64)
      file.tensors["extra"] = .zeros([1])
      try file.write(to: "\(folder)/w")
      let error = WeightsError(
        path: "\(folder)/w", missing: ["dense.bias"], unexpected: ["extra"],
        mismatched: [
          .init(name: "gru.kernel", found: TensorType([8, 8], .float32), expected: "f32[8,9]"),
          .init(name: "dense.kernel", found: TensorType([3, 2], .float64), expected: "f32[3,2]"),
        ])
      #expect(
        error.description == """
          \(folder)/w: no tensor for 'dense.bias'; no parameter for 'extra'; 'gru.kernel' is f32[8,8], expected f32[8,9]; \
          'dense.kernel' is f64[3,2], expected f32[3,2]
          """)
      let (model, before) = (Self.built(seed: 2), Self.built(seed: 2))
      #expect(throws: error) { try model.loadWeights(from: "\(folder)/w") }
      try Self.expectSameWeights(model, before)
      for allowed in [WeightDifferences.missing, [.missing, .unexpected], [.unexpected, .mismatched]] {
        #expect(throws: WeightsError.self) { try model.loadWeights(from: "\(folder)/w", allowing: allowed) }
      }
      try Self.expectSameWeights(model, before)
      let loaded = try model.loadWeights(from: "\(folder)/w", allowing: [.missing, .unexpected, .mismatched])
      #expect(loaded == Self.names.filter { !["dense.bias", "gru.kernel", "dense.kernel"].contains($0) })
      for name in loaded { expectSameBits(model.weights[name]!, saved.weights[name]!, name) }
      expectSameBits(model.weights["dense.bias"]!, before.weights["dense.bias"]!)
    }
  }

  @Test func aParameterWithoutAValueIsMissedToo() throws {
    var weights = Self.built(seed: 1).weights
    weights["dense.bias"] = nil
    let model = Self.model()
    #expect(throws: WeightsError(missing: ["dense.bias"])) { try model.setWeights(weights) }
    #expect(model.weights.isEmpty)
    #expect(throws: WeightsError(unexpected: ["dense.bias"])) {
      try Dense(2, useBias: false).setWeights(["kernel": .ones([3, 2]), "dense.bias": .ones([2])])
    }
    try Dense(2, useBias: false).setWeights(["kernel": .ones([3, 2])])
    #expect(
      throws: WeightsError(
        mismatched: [.init(name: "kernel", found: TensorType([1], .int32), expected: "floating-point numbers")])
    ) { try Dense(2, useBias: false).setWeights(["kernel": Tensor([1] as [Int32])]) }
  }

  /// A parameter that its module never uses.
  private struct Spare: Layer {
    let used = Parameter(.ones)
    let spare = Parameter(.ones)
    func callAsFunction(_ x: Tensor) -> Tensor { x * used([x.shape.last]) }
  }

  @Test func whatWasNeverMadeIsNotMissed() throws {
    try withTemporaryFolder { folder in
      let model = Spare()
      #expect(throws: DataError.self) { try model.saveWeights(to: "\(folder)/w") }
      _ = model(.ones([2]))
      try model.saveWeights(to: "\(folder)/w")
      #expect(try Spare().loadWeights(from: "\(folder)/w") == ["used"])
      let other = Spare()
      other.spare.value = .ones([3])
      #expect(throws: WeightsError(path: "\(folder)/w", missing: ["spare"])) {
        try other.loadWeights(from: "\(folder)/w")
      }
    }
  }

  @Test func whatALayerSwitchesOffIsNoPartOfIt() {
    let layers: [(any Module, Set<String>)] = [
      (LSTM(2, useBias: false), ["kernel", "recurrentKernel"]), (Dense(2, useBias: false), ["kernel"]),
      (BatchNormalization(center: false, scale: false), ["movingMean", "movingVariance"]),
      (LayerNormalization(center: false), ["gamma"]), (LayerNormalization(scale: false), ["beta"]),
    ]
    for (layer, names) in layers { #expect(Set(layer.parameters.map(\.name)) == names) }
  }

  @Test func aSharedParameterIsOneTensor() throws {
    let shared = Dense(2, useBias: false)
    let model = Sequential {
      shared; Dense(2); shared
    }
    _ = model(.ones([1, 2]))
    #expect(Set(model.weights.keys) == ["dense.kernel", "dense_1.kernel", "dense_1.bias"])
  }
}
