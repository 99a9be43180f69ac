import Foundation
import Reel
import ReelNN
import ReelTestSupport
import Testing

/// Weights of PyTorch and Keras find their places, and what has none is refused. The golden cases of PyTorch prove the
/// values and layouts.
@Suite struct ConversionTests {
  // MARK: - PyTorch

  private static let torchLSTM: [String: Tensor] = [
    "rnn.weight_ih_l0": sample([8, 3], seed: 1), "rnn.weight_hh_l0": sample([8, 2], seed: 2),
    "rnn.bias_ih_l0": sample([8], seed: 3), "rnn.bias_hh_l0": sample([8], seed: 4),
    "rnn.weight_ih_l1": sample([8, 2], seed: 5), "rnn.weight_hh_l1": sample([8, 2], seed: 6),
    "rnn.bias_ih_l1": sample([8], seed: 7), "rnn.bias_hh_l1": sample([8], seed: 8),
    "fc.weight": sample([4, 2], seed: 9), "fc.bias": sample([4], seed: 10),
  ]

  @Test func layersOfOneModuleMayBeCellsOfOneLayer() throws {
    let (first, second, last) = (LSTM(2, returnSequences: true), LSTM(2), Dense(4))
    try PyTorchWeights(Self.torchLSTM).load(into: ["rnn": [first, second], "fc": [last]])
    let stack = RNN([LSTMCell(2), LSTMCell(2)])
    try PyTorchWeights(Self.torchLSTM).load(into: ["rnn": [stack], "fc": [Dense(4)]])
    let x = sample([2, 5, 3], seed: 11)
    ElementType.withDefault(.float64) { expectSameBits(stack(x), second(first(x))) }
    expectSameBits(last.kernel.value!, Self.torchLSTM["fc.weight"]!.transposed())
  }

  @Test func everyDifferenceIsListedByPyTorchsNames() throws {
    var tensors = Self.torchLSTM
    tensors["rnn.bias_hh_l1"] = nil
    tensors["rnn.weight_hh_l0"] = .zeros([8, 3], elementType: .float64)
    tensors["fc.weight"] = .zeros([2, 4])
    tensors["fc.scale"] = .zeros([2])
    let (first, second, last) = (LSTM(2, returnSequences: true), LSTM(2), Dense(4))
    let error = WeightsError(
      path: "PyTorch", missing: ["rnn.bias_hh_l1"], unexpected: ["fc.scale"],
      mismatched: [
        .init(name: "fc.weight", found: TensorType([2, 4], .float32), expected: "floating-point [4,_]"),
        .init(name: "rnn.weight_hh_l0", found: TensorType([8, 3], .float64), expected: "floating-point [8,2]"),
      ])
    #expect(throws: error) { try PyTorchWeights(tensors).load(into: ["rnn": [first, second], "fc": [last]]) }
    #expect(first.weights.isEmpty && second.weights.isEmpty && last.weights.isEmpty)
    try PyTorchWeights(tensors).load(
      into: ["rnn": [first, second], "fc": [last]], allowing: [.missing, .unexpected, .mismatched])
    #expect(
      Set(first.weights.keys) == ["kernel", "bias"] && Set(second.weights.keys) == ["kernel", "recurrentKernel"])
    let embedding = Embedding(5, 2)
    try PyTorchWeights(["weight": sample([5, 2], seed: 1)]).load(into: ["": [embedding]])
    expectSameBits(embedding.embeddings.value!, sample([5, 2], seed: 1))
    // A layer that has weights keeps its types.
    let made = Dense(4)
    _ = made(.ones([1, 5]))
    #expect(
      throws: WeightsError(
        path: "PyTorch",
        mismatched: [
          .init(name: "weight", found: TensorType([4, 2], .float32), expected: "a parameter of type f32[5,4]")
        ])
    ) { try PyTorchWeights(["weight": .zeros([4, 2]), "bias": .zeros([4])]).load(into: ["": [made]]) }
  }

  // MARK: - Keras

  private static func model() -> Sequential {
    Sequential {
      Bidirectional(LSTM(2, returnSequences: true))
      SimpleRNN(2, returnSequences: true)
      SimpleRNN(3, returnSequences: true)
      RNN([LSTMCell(2), GRUCell(2)])
      Dense(2)
      Dense(1, useBias: false)
    }
  }

  private static let kerasNames: Set = [
    "bidirectional.forward.kernel", "bidirectional.forward.recurrent_kernel", "bidirectional.forward.bias",
    "bidirectional.backward.kernel", "bidirectional.backward.recurrent_kernel", "bidirectional.backward.bias",
    "simple_rnn.kernel", "simple_rnn.recurrent_kernel", "simple_rnn.bias", "simple_rnn_1.kernel",
    "simple_rnn_1.recurrent_kernel", "simple_rnn_1.bias", "rnn.cells.0.kernel", "rnn.cells.0.recurrent_kernel",
    "rnn.cells.0.bias", "rnn.cells.1.kernel", "rnn.cells.1.recurrent_kernel", "rnn.cells.1.bias", "dense.kernel",
    "dense.bias", "dense_1.kernel",
  ]

  @Test func kerassNamesLeadThereAndBack() throws {
    try withTemporaryFolder { folder in
      let saved = Self.model()
      _ = saved(.ones([1, 2, 3]))
      let weights = try KerasWeights(of: saved)
      #expect(Set(weights.tensors.keys) == Self.kerasNames)
      try weights.write(to: "\(folder)/w")
      let loaded = Self.model()
      #expect(Set(try KerasWeights(path: "\(folder)/w").load(into: loaded)) == Self.kerasNames)
      try WeightsTests.expectSameWeights(saved, loaded)
      var less = weights
      less.tensors["dense.bias"] = nil
      less.tensors["dense_2.bias"] = .zeros([1])
      #expect(throws: WeightsError(path: "Keras", missing: ["dense.bias"], unexpected: ["dense_2.bias"])) {
        try less.load(into: loaded)
      }
    }
  }
}
