import Reel
import ReelNN
import ReelTestSupport
import Testing

/// The gradients of the layers around the recurrent ones, against differences: by input and parameters, first and second order.
@Suite struct CompanyGradientTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    var input: Shape = [2, 6, 4]
    var inTraining = false
    /// How many tensors are checked.
    let tensors: Int
    let make: @Sendable () -> any Layer<Tensor, Tensor>

    var testDescription: String { name }
  }

  static let mask = Tensor(
    [true, true, false, true, false, false, true, true, true, true, false, true], shape: [2, 6])

  static let cases = [
    Case(name: "Conv1D", tensors: 3) { Conv1D(3, kernelSize: 3, activation: .tanh) },
    Case(name: "Conv1D same, strides", tensors: 3) { Conv1D(3, kernelSize: 4, strides: 3, padding: .same) },
    Case(name: "Conv1D causal, dilation", tensors: 3) {
      Conv1D(2, kernelSize: 3, padding: .causal, dilationRate: 2, activation: .sigmoid)
    },
    Case(name: "Conv1D strides and dilation", tensors: 3) { Conv1D(2, kernelSize: 2, strides: 2, dilationRate: 3) },
    Case(name: "Conv1D groups", tensors: 2) {
      Conv1D(6, kernelSize: 3, strides: 2, padding: .same, groups: 2, activation: .tanh, useBias: false)
    },
    Case(name: "Conv1D wider than the input", tensors: 3) { Conv1D(2, kernelSize: 9, padding: .same) },
    Case(name: "MaxPooling1D", tensors: 1) { MaxPooling1D(3, strides: 2, padding: .same) },
    Case(name: "AveragePooling1D", tensors: 1) { AveragePooling1D(3, strides: 2, padding: .same) },
    Case(name: "GlobalMaxPooling1D", tensors: 1) { GlobalMaxPooling1D(keepDimensions: true) },
    Case(name: "GlobalAveragePooling1D", tensors: 1) { GlobalAveragePooling1D() },
    Case(name: "GlobalAveragePooling1D masked", tensors: 1) { masked(GlobalAveragePooling1D(keepDimensions: true)) },
    Case(name: "Flatten, Reshape, Permute", tensors: 1) {
      Sequential {
        Flatten()
        ReelNN.Reshape([3, -1])
        Permute([2, 1])
        squared
      }
    },
    Case(name: "RepeatVector", input: [2, 3], tensors: 1) {
      Sequential {
        RepeatVector(3)
        squared
      }
    },
    Case(name: "padding, cropping, repeating", tensors: 1) {
      Sequential {
        ZeroPadding1D(before: 2, after: 1)
        Cropping1D(before: 1, after: 3)
        UpSampling1D(3)
        squared
      }
    },
    Case(name: "Masking", tensors: 1) {
      Sequential {
        Masking()
        squared
      }
    },
    Case(name: "LayerNormalization", tensors: 3) { LayerNormalization(epsilon: 1e-2) },
    Case(name: "LayerNormalization axes", tensors: 2) { LayerNormalization(axes: [2, 1], center: false) },
    Case(name: "LayerNormalization axis 1", tensors: 3) { LayerNormalization(axes: [1]) },
    Case(name: "BatchNormalization", tensors: 5) { BatchNormalization() },
    Case(name: "BatchNormalization training", inTraining: true, tensors: 5) { BatchNormalization(epsilon: 1e-2) },
    Case(name: "BatchNormalization axis 1", inTraining: true, tensors: 5) { BatchNormalization(axis: 1) },
    Case(name: "BatchNormalization masked", inTraining: true, tensors: 5) { masked(BatchNormalization()) },
    Case(name: "BatchNormalization matrix", input: [5, 3], inTraining: true, tensors: 4) {
      BatchNormalization(scale: false)
    },
    Case(name: "TimeDistributed", tensors: 3) { TimeDistributed(Dense(3, activation: .tanh)) },
    Case(name: "TimeDistributed convolution", input: [2, 3, 4, 2], tensors: 3) {
      TimeDistributed(Conv1D(2, kernelSize: 2, padding: .causal, activation: .tanh))
    },
    Case(name: "TimeDistributed, coupled", input: [3, 2, 4], inTraining: true, tensors: 5) {
      TimeDistributed(BatchNormalization())
    },
    Case(name: "Lambda", tensors: 1) { squared },
  ]

  private static var squared: Lambda<Tensor, Tensor> { Lambda { $0 * $0 } }

  private static func masked(_ layer: any Layer<Tensor, Tensor>) -> any Layer<Tensor, Tensor> {
    Sequential([Lambda { $0.withMask(mask) }, layer])
  }

  @Test(arguments: cases)
  func gradientsPass(of row: Case) throws {
    func check(_ layer: some Layer<Tensor, Tensor>) throws {
      let report = try withTraining(row.inTraining) {
        try checkGradients(of: layer, at: sample(row.input, seed: 5), order: 2, mode: .directional)
      }
      #expect(report.worstRelativeError < 1e-6 && report.kinks == 0)
      let checked = report.entries.filter { $0.order == 1 }.map(\.tensor)
      #expect(checked.count == row.tensors, "\(checked)")
    }
    try check(row.make())
  }

  @Test func vectorsOfAnEmbeddingHaveGradients() throws {
    let (layer, ids) = (Embedding(5, 3), Tensor([1, 4, 1, 0, 2, 2] as [Int32], shape: [2, 3]))
    let report = try checkGradients(of: layer, order: 2) {
      let v = layer(ids); return v * v * v
    }
    #expect(report.entries.map(\.tensor) == ["embeddings", "embeddings"])
    let slope = valueWithGradient(of: layer) { layer(ids).sum() }.gradients["embeddings"]!
    #expect(slope.numbers == [1, 1, 1, 2, 2, 2, 2, 2, 2, 0, 0, 0, 1, 1, 1])
  }

  @Test func theMovingAveragesAreNotTrainedButMove() throws {
    let layer = BatchNormalization(momentum: 0.75)
    let x = sample([8, 3], seed: 1, elementType: .float32)
    _ = layer(x)
    #expect(layer.movingMean.value!.numbers == [0, 0, 0] && layer.movingVariance.value!.numbers == [1, 1, 1])
    let step = compiled { (x: Tensor) in valueWithGradient(of: layer) { (layer(x) * x).sum() }.gradients["gamma"]! }
    let gradients = valueWithGradient(of: layer) { (layer(x) * x).sum() }.gradients
    #expect(gradients.parameters.map(\.name) == ["gamma", "beta"])
    expectClose(layer.movingMean.value!, 0.25 * x.mean(along: [0]), absolute: 1e-6)
    expectClose(layer.movingVariance.value!, 0.75 + 0.25 * x.variance(along: [0]), relative: 1e-5)
    expectSameBits(try step(x), gradients["gamma"]!)
    expectClose(layer.movingMean.value!, (0.25 + 0.75 * 0.25) * x.mean(along: [0]), absolute: 1e-6)
  }
}
