import Reel
import ReelNN

/// The row classifier: a recurrent layer that reads an image row by row, and a dense one on its last output.
struct Classifier {
  private let model: Sequential
  private let optimizer: Adam
  private let mode: Options.Mode
  private let trainingStep: Compiled<Pair<Tensor, Tensor>, Tensor, Tensor>
  private let evaluationStep: Compiled<Pair<Tensor, Tensor>, Tensor, Tensor>

  init(_ options: Options) {
    let recurrent: any Layer<Tensor, Tensor> =
      switch options.cell {
      case .lstm: LSTM(options.units, unroll: options.unroll)
      case .gru: GRU(options.units, unroll: options.unroll)
      case .simple: SimpleRNN(options.units, unroll: options.unroll)
      case .mgu: RNN(MinimalGatedUnit(units: options.units), unroll: options.unroll)
      }
    let model = Sequential {
      recurrent
      Dense(10)
    }
    let optimizer = Adam(learningRate: options.learningRate)
    self.model = model
    self.optimizer = optimizer
    mode = options.mode
    trainingStep = compiled { Self.train(model, optimizer, $0, $1) }
    evaluationStep = compiled { Self.evaluate(model, $0, $1) }
  }

  /// One step of Adam along the gradient of the cost. Gives the cost and the number of digits that were right.
  func train(_ batch: (images: Tensor, labels: Tensor)) throws -> (cost: Double, correct: Double) {
    let result =
      mode == .compiled
      ? try trainingStep(batch.images, batch.labels)
      : Self.train(model, optimizer, batch.images, batch.labels)
    return (result.first.item, result.second.item)
  }

  /// The cost and the number of digits that are right.
  func evaluate(_ batch: (images: Tensor, labels: Tensor)) throws -> (cost: Double, correct: Double) {
    let result =
      mode == .compiled
      ? try evaluationStep(batch.images, batch.labels) : Self.evaluate(model, batch.images, batch.labels)
    return (result.first.item, result.second.item)
  }

  private static func train(
    _ model: Sequential, _ optimizer: Adam, _ images: Tensor, _ labels: Tensor
  ) -> Pair<Tensor, Tensor> {
    var correct = Tensor(0)
    let (cost, gradients) = valueWithGradient(of: model) {
      let logits = model(images)
      correct = Self.correct(logits, labels)
      return softmaxCrossEntropy(logits: logits, labels: labels)
    }
    optimizer.update(model, along: gradients)
    return Pair(cost, correct)
  }

  private static func evaluate(_ model: Sequential, _ images: Tensor, _ labels: Tensor) -> Pair<Tensor, Tensor> {
    let logits = model(images)
    return Pair(softmaxCrossEntropy(logits: logits, labels: labels), correct(logits, labels))
  }

  private static func correct(_ logits: Tensor, _ labels: Tensor) -> Tensor {
    (logits.argMax() .== labels).converted(to: .float32).sum()
  }
}
