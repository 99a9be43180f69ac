import Reel
import ReelNN

/// The training of a classifier around a recurrent layer, step by step, and what its steps took.
final class TimedTraining {
  private let model: Sequential
  private let compiledStep: Compiled<Tensor, Tensor, Tensor>
  private let x, y: Tensor
  /// The loss of each step.
  private(set) var losses: [Double] = []
  private var seconds: [Double] = []

  init(_ layer: any Layer<Tensor, Tensor>, _ x: Tensor, _ y: Tensor) {
    let model = Sequential {
      layer
      Dense(10)
    }
    let adam = Adam()
    compiledStep = compiled { (x: Tensor, y: Tensor) in
      let (loss, gradients) = valueWithGradient(of: model) { softmaxCrossEntropy(logits: model(x), labels: y) }
      adam.update(model, along: gradients)
      return loss
    }
    (self.model, self.x, self.y) = (model, x, y)
  }

  /// One step of the optimizer.
  func step() throws { losses.append(try compiledStep(x, y).item) }

  /// One step, of which the time is kept.
  func timedStep() throws {
    let time = try ContinuousClock().measure { try step() }
    seconds.append(time / .seconds(1))
  }

  /// The median of the times, in seconds.
  var median: Double { seconds.sorted()[seconds.count / 2] }

  var weightCount: Int { model.parameterCount }
}
