import Foundation
import Reel
import ReelNN
import ReelTestSupport

/// Small models and data for the tests of training.
enum TrainingSamples {
  /// `[samples, 4, 3]`.
  static func inputs(_ count: Int) -> Tensor { sample([count, 4, 3], seed: 11, elementType: .float32) }

  /// Classes `[samples]` out of two.
  static func classes(_ count: Int) -> Tensor { Tensor((0..<count).map { Int32($0 * 7 % 3 % 2) }) }

  /// A classifier whose first weights do not depend on chance.
  static func classifier(regularizer: Regularizer? = nil, returnSequences: Bool = false) -> Sequential {
    func weights(_ seed: UInt64) -> Initializer { Initializer { sample($0, seed: seed, elementType: .float32) * 0.3 } }
    return Sequential {
      LSTM(
        5, kernelInitializer: weights(1), recurrentInitializer: weights(2), kernelRegularizer: regularizer,
        returnSequences: returnSequences)
      Dense(2, kernelInitializer: weights(3))
    }
  }

  static let loss = Loss.sparseCategoricalCrossEntropy(fromLogits: true)

  static func model(_ network: Sequential = classifier(), metrics: [Metric] = [.accuracy()]) -> Model<Sequential> {
    network.compile(optimizer: Adam(learningRate: 0.01), loss: loss, metrics: metrics)
  }

  static var silent: ProgressOutput { ProgressOutput { _ in } }
}

/// A stack of layers whose weights are compared.
func weightsOf(_ network: some Module) -> [String: [Double]] { network.weights.mapValues(\.numbers) }
