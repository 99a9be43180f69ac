import Reel
import ReelNN
import ReelTestSupport
import Testing

/// A loss that is no number is told with its cause.
@Suite struct NonFiniteTests {
  typealias Samples = TrainingSamples

  /// A cell that divides by the squared distance of its input from 7.
  struct Fragile: RecurrentCell {
    let kernel = Parameter(.ones)
    func initialState(batchSize: Int) -> Tensor { .zeros([batchSize, 2]) }
    func callAsFunction(_ x: Tensor, _ h: Tensor) -> (output: Tensor, state: Tensor) {
      let z = (x - 7) * (x - 7) * kernel([x.shape.last])
      let next = h + 1 / z
      return (next, next)
    }
  }

  static func network() -> Sequential {
    Sequential {
      RNN(Fragile()); Dense(2, kernelInitializer: .ones)
    }
  }

  /// Twelve samples; in one step of the tenth the input is 7.
  static let badInputs: Tensor = {
    var numbers = [Float](repeating: 0.5, count: 12 * 4 * 2)
    numbers[9 * 8 + 5] = 7
    return Tensor(numbers, shape: [12, 4, 2])
  }()

  static func failure(_ model: Model<Sequential>, _ x: Tensor, epochs: Int = 2) throws -> NonFiniteLoss {
    try #require(throws: NonFiniteLoss.self) {
      try model.fit(
        x, Samples.classes(x.shape[0]), batchSize: 3, epochs: epochs, shuffle: false, verbose: 0)
    }
  }

  @Test func theOperationAndTheStepAreNamed() throws {
    let model = Self.network().compile(optimizer: SGD(learningRate: 0.01), loss: Samples.loss)
    let twin = Self.network().compile(optimizer: SGD(learningRate: 0.01), loss: Samples.loss)
    let error = try Self.failure(model, Self.badInputs)
    #expect(error.epoch == 0 && error.batch == 3 && error.batchCount == 4 && !error.loss.isFinite)
    let culprit = try #require(error.culprit)
    #expect(culprit.contains("'divide'") && culprit.contains("'fragile'") && culprit.contains("step 2"), "\(error)")
    #expect("\(error)".hasPrefix("the loss is \(error.loss) in epoch 1, batch 4 of 4; first of all, the result of"))
    // The model is as it was before the batch.
    try twin.fit(Self.badInputs[0..<9], Samples.classes(12)[0..<9], batchSize: 3, shuffle: false, verbose: 0)
    #expect(weightsOf(model.network) == weightsOf(twin.network))
  }

  @Test func badInputIsNamed() throws {
    var numbers = Samples.inputs(7).scalars(as: Float.self)
    numbers[70] = .nan
    let error = try Self.failure(Samples.model(), Tensor(numbers, shape: [7, 4, 3]))
    #expect(error.batch == 1 && error.culprit == "x has numbers that are not finite", "\(error)")
    // The gates hide an infinity from the loss, and not from the gradient.
    numbers[70] = .infinity
    let hidden = try Self.failure(Samples.model(), Tensor(numbers, shape: [7, 4, 3]))
    #expect(
      hidden.batch == 2 && hidden.culprit == "x has numbers that are not finite, in the batch before", "\(hidden)")
    let parameter = Samples.model()
    try parameter.build(inputShape: [nil, 4, 3])
    let kernel = parameter.network.parameters[0]
    kernel.parameter.value = Tensor(repeating: .infinity, shape: kernel.parameter.value!.shape)
    #expect(try Self.failure(parameter, Samples.inputs(7)).culprit == "parameter 'lstm.kernel' before the batch")
  }

  /// Its value is finite, and its slope is not.
  struct Root: Layer {
    let weight = Parameter(.zeros)
    func callAsFunction(_ x: Tensor) -> Tensor { x + sqrt(weight([x.shape.last])) }
  }

  @Test func anUpdateThatBreaksTheParametersIsFound() throws {
    let network = Sequential {
      Dense(2, kernelInitializer: .ones); Root()
    }
    let model = network.compile(optimizer: SGD(learningRate: 0.1), loss: Samples.loss)
    let error = try #require(throws: NonFiniteLoss.self) {
      try model.fit(
        sample([6, 3], seed: 3, elementType: .float32), Samples.classes(6), batchSize: 3, shuffle: false, verbose: 0)
    }
    #expect(error.batch == 1)
    #expect(error.culprit == "the gradient by 'root.weight' in the batch before, whose loss was finite")
    // The last update of an epoch is looked at before anything is kept.
    let one = Sequential {
      Dense(2, kernelInitializer: .ones); Root()
    }
    let last = try Self.failure(one.compile(optimizer: SGD(learningRate: 0.1), loss: Samples.loss), .ones([3, 3]))
    #expect(last.epoch == 0 && last.loss.isFinite && last.history.epochs.isEmpty)
    #expect(
      "\(last)".hasPrefix("parameters are not finite after epoch 1, batch 1 of 1; first of all, the gradient by 'root"))
    #expect(weightsOf(network).values.allSatisfy { weight in weight.allSatisfy { $0.isFinite } })
  }

  @Test func itCanBePassedOver() throws {
    let history = try Self.network().compile(optimizer: SGD(learningRate: 0), loss: Samples.loss).fit(
      Self.badInputs, Samples.classes(12), batchSize: 3, epochs: 2, verbose: 0, stopsAtNonFiniteLoss: false)
    #expect(history.epochs == [0, 1] && history["loss"].allSatisfy { !$0.isFinite })
    let stopped = try Self.network().compile(optimizer: SGD(learningRate: 0.01), loss: Samples.loss).fit(
      Self.badInputs, Samples.classes(12), batchSize: 3, epochs: 2, shuffle: false, callbacks: [TerminateOnNaN()],
      verbose: 0, output: Samples.silent)
    guard case .stopped(let reason) = stopped.ending else {
      Issue.record("\(stopped.ending)")
      return
    }
    #expect(reason.hasSuffix("in batch 4 of epoch 1") && stopped.epochs == [0])
  }
}
