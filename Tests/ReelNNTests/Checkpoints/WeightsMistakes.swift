import Foundation
import Reel
import ReelNN
import ReelTestSupport
import Testing

/// Mistakes with weights and checkpoints that are files, and with those of PyTorch and Keras.
enum WeightsMistakes {
  private static func network(isBuilt: Bool = true) -> Sequential {
    let network = Sequential {
      LSTM(4)
      Dense(2)
    }
    if isBuilt { _ = network(.ones([1, 2, 3])) }
    return network
  }

  /// The weights of a network, changed, loaded into another, which stays as it is.
  private static func load(
    _ what: String, _ message: String, _ change: @escaping @Sendable (inout [String: Tensor]) -> Void
  ) -> Mistake {
    Mistake("`loadWeights` \(what)", message) { folder in
      var weights = network().weights
      change(&weights)
      try Safetensors(weights).write(to: "\(folder)/w")
      let loaded = network()
      let before = weightsOf(loaded)
      defer { #expect(weightsOf(loaded) == before, "\(what) changes the weights") }
      try loaded.loadWeights(from: "\(folder)/w")
    }
  }

  static let weights: [Mistake] = [
    load("without a tensor for a parameter", "w: no tensor for 'dense.bias'") { $0["dense.bias"] = nil },
    load("with a tensor for no parameter", "w: no parameter for 'extra'") { $0["extra"] = .zeros([1]) },
    load(
      "of another model",
      "w: no tensor for 'dense.bias'; no parameter for 'dense_1.bias'; 'dense.kernel' is f64[3,2], expected f32[4,2]"
    ) {
      $0["dense_1.bias"] = $0.removeValue(forKey: "dense.bias")
      $0["dense.kernel"] = .zeros([3, 2], elementType: .float64)
    },
    Mistake(
      "`saveWeights` of a model that was never called",
      "w: would have no weights: call the model, or build it, before 'lstm.kernel' is saved"
    ) { try network(isBuilt: false).saveWeights(to: "\($0)/w") },
    Mistake("`setWeights` of whole numbers", "weights: 'kernel' is i32[1], expected floating-point numbers") { _ in
      try Dense(2, useBias: false).setWeights(["kernel": Tensor([1] as [Int32])])
    },
  ]

  /// A checkpoint of a network, changed as a file, read again.
  private static func checkpoint(
    _ what: String, _ message: String, _ change: @escaping @Sendable (inout Safetensors) -> Void
  ) -> Mistake {
    Mistake("a checkpoint \(what)", message) { folder in
      try Checkpoint(of: network(), epoch: 2, step: 7).write(to: "\(folder)/c")
      var file = try Safetensors(path: "\(folder)/c")
      change(&file)
      try file.write(to: "\(folder)/c")
      _ = try Checkpoint(path: "\(folder)/c")
    }
  }

  static let checkpoints: [Mistake] = [
    checkpoint("that is none", "c: is no checkpoint (\"reel checkpoint 1\")") { $0.metadata["format"] = "pt" },
    checkpoint("without its epoch", "c: metadata 'epoch': is no whole number") { $0.metadata["epoch"] = nil },
    checkpoint("with a step that is no number", "c: metadata 'step': is no whole number") {
      $0.metadata["step"] = "many"
    },
    checkpoint("with another stream of random numbers", "c: tensor 'random.stream': is no i32[2]") {
      $0.tensors["random.stream"] = .zeros([2])
    },
    checkpoint("with more than a checkpoint has", "c: tensor 'kernel': belongs to no part of a checkpoint") {
      $0.tensors["kernel"] = .zeros([2])
    },
    Mistake(
      "`restore` into another model",
      """
      checkpoint: no tensor for 'kernel', 'recurrentKernel', 'bias'; no parameter for 'dense.bias', 'dense.kernel', \
      'lstm.bias', 'lstm.kernel', 'lstm.recurrentKernel'
      """
    ) { _ in
      try Checkpoint(of: network(), epoch: 0, step: 0).restore(GRU(2))
    },
    Mistake(
      "`restore` with another optimizer",
      """
      checkpoint, optimizer: no tensor for 'kernel.accumulator', 'bias.accumulator'
      """
    ) { _ in
      let saved = Dense(2)
      _ = saved(.ones([1, 3]))
      try Checkpoint(of: saved, optimizer: SGD(), epoch: 0, step: 0).restore(Dense(2), optimizer: Adagrad())
    },
    Mistake("`restore` of a state that the model does not carry", "checkpoint, states: no parameter for 'gru.state.0'")
    { _ in
      var checkpoint = Checkpoint(of: network(), epoch: 0, step: 0)
      checkpoint.states["gru.state.0"] = .zeros([1])
      try checkpoint.restore(network())
    },
  ]

  private static func pyTorch(
    _ what: String, _ message: String, _ modules: @escaping @Sendable () -> [String: [any Module]]
  ) -> Mistake {
    Mistake("`PyTorchWeights` of \(what)", "PyTorch: \(message)") { _ in _ = try PyTorchWeights(of: modules()) }
  }

  static let conversions: [Mistake] = [
    pyTorch("a GRU as it was first published", "'a': has no GRU with resetAfter: false") {
      ["a": [GRU(2, resetAfter: false)]]
    },
    pyTorch("a cell that PyTorch does not have", "'a': has no form for MinimalGatedUnitCell") {
      ["a": [RNN(MinimalGatedUnitCell(2))]]
    },
    pyTorch(
      "two layers under one name",
      "'a': stands for one layer, or for the recurrent layers of one module, not for 2 of any kind"
    ) { ["a": [Dense(2), Dense(2)]] },
    pyTorch(
      "a layer that was never called",
      "tensor 'fc.weight': would have no value: call the layer, or build it, first"
    ) { ["fc": [Dense(2)]] },
    Mistake(
      "`PyTorchWeights.load` of other shapes",
      "PyTorch: no tensor for 'fc.bias'; 'fc.weight' is f32[4,2], expected a parameter of type f32[5,4]"
    ) { _ in
      let made = Dense(4)
      _ = made(.ones([1, 5]))
      try PyTorchWeights(["fc.weight": .zeros([4, 2])]).load(into: ["fc": [made]])
    },
    Mistake(
      "`KerasWeights.load` of another model", "Keras: no tensor for 'dense.bias'; no parameter for 'dense_2.bias'"
    ) { _ in
      let model = network()
      var weights = try KerasWeights(of: model)
      weights.tensors["dense_2.bias"] = weights.tensors.removeValue(forKey: "dense.bias")
      try weights.load(into: model)
    },
  ]
}

/// Each mistake with weights is one message.
@Suite struct WeightsMistakeTests {
  @Test(arguments: WeightsMistakes.weights + WeightsMistakes.checkpoints + WeightsMistakes.conversions)
  func theMessageSaysWhatIsWrong(mistake: Mistake) throws {
    try withTemporaryFolder { folder in #expect(mistake.failure(in: folder) == nil) }
  }
}
