import Reel
import ReelNN
import ReelTestSupport
import Testing

/// Each mistake that a user of layers, losses and initializers can make is one message, thrown by whatever traces it.
@Suite struct ErrorTests {
  struct Mistake {
    let what: String
    let inputs: [TensorType]
    let message: String
    /// Makes the model and gives the mistaken call, so that each boundary meets a fresh one.
    let make: () -> ([Tensor]) -> Tensor
  }

  private static func mistake(
    _ what: String, _ inputs: [TensorType], _ message: String, _ make: @escaping () -> ([Tensor]) -> Tensor
  ) -> Mistake {
    Mistake(what: what, inputs: inputs, message: message, make: make)
  }

  /// Calls a layer with input of one shape after it was called with another.
  private static func called(_ layer: any Layer<Tensor, Tensor>, with first: Shape) -> ([Tensor]) -> Tensor {
    _ = layer.parameters
    _ = layer(.ones(first))
    return { layer($0[0]) }
  }

  static var layers: [Mistake] {
    [
      mistake(
        "a matrix to a recurrent layer", [TensorType([2, 3])],
        """
        lstm: input of shape [2,3]; expected [batch, time, features]; a recurrent layer in front of this one \
        needs returnSequences: true
        """
      ) {
        let layer = LSTM(4)
        return { layer($0[0]) }
      },
      mistake(
        "the same in a model", [TensorType([2, 5, 3])],
        """
        gru: input of shape [2,4]; expected [batch, time, features]; a recurrent layer in front of this one \
        needs returnSequences: true
        """
      ) {
        let model = Sequential {
          LSTM(4)
          GRU(4)
          Dense(1)
        }
        return { model($0[0]) }
      },
      mistake(
        "a vector to a recurrent layer", [TensorType([3])],
        "simpleRNN: input of shape [3]; expected [batch, time, features]"
      ) {
        let layer = SimpleRNN(4)
        return { layer($0[0]) }
      },
      mistake(
        "no steps", [TensorType([2, 0, 3])],
        """
        gru: a sequence without steps, of shape [2,0,3]; expected [batch, time, features] with at least one \
        step
        """
      ) {
        let layer = GRU(4)
        return { layer($0[0]) }
      },
      mistake(
        "a state of another batch", [TensorType([2, 5, 3]), TensorType([1, 4])],
        """
        gru: an initial state of type f32[1,4] for input of type f32[2,5,3]; expected [batch, units] = \
        f32[2,4]
        """
      ) {
        let layer = GRU(4)
        return { layer($0[0], initialState: $0[1]).output }
      },
      mistake(
        "a state of other units", [TensorType([2, 5, 3]), TensorType([2, 5])],
        """
        lstm: an initial state 'cell' of type f32[2,5] for input of type f32[2,5,3]; expected [batch, units] \
        = f32[2,4]
        """
      ) {
        let layer = LSTM(4)
        return { layer($0[0], initialState: .init(hidden: .zeros([2, 4]), cell: $0[1])).output }
      },
      mistake(
        "a state without a batch", [TensorType([2, 5, 3]), TensorType([4])],
        """
        simpleRNN: an initial state of type f32[4] for input of type f32[2,5,3]; expected [batch, units] = \
        f32[2,4]
        """
      ) {
        let layer = SimpleRNN(4)
        return { layer.outputs(of: $0[0], initialState: $0[1])[0] }
      },
      mistake(
        "a state of too few tensors", [TensorType([2, 5, 3]), TensorType([2, 3])],
        "delay: an initial state of 1 tensors for a cell that carries 2"
      ) {
        let layer = RNN(Delay())
        return { layer($0[0], initialState: [$0[1]]).output }
      },
      mistake(
        "a state of other elements", [TensorType([2, 5, 3]), TensorType([2, 4], .float64)],
        """
        gru: an initial state of type f64[2,4] for input of type f32[2,5,3]; expected [batch, units] = \
        f32[2,4]
        """
      ) {
        let layer = GRU(4)
        return { layer($0[0], initialState: $0[1]).output }
      },
      mistake(
        "input of other elements", [TensorType([2, 5, 3], .int32)],
        """
        lstm: matmul: operands of types i32 and f32 (operands: i32[2,3], f32[3,16]); expected one \
        floating-point element type
        """
      ) {
        let layer = LSTM(4)
        return { layer($0[0]) }
      },
      mistake(
        "other features in a recurrent layer", [TensorType([2, 5, 7])],
        """
        lstm: parameter 'kernel': made with shape [3,16] at its first use, but needed with shape [7,16] now: \
        axis 0 was 3 and is 7; expected input with as many features as at the first call; other features \
        need another layer
        """
      ) {
        called(LSTM(4), with: [2, 5, 3])
      },
      mistake(
        "other features in a model", [TensorType([2, 5, 7])],
        """
        gru: parameter 'gru.kernel': made with shape [3,12] at its first use, but needed with shape [7,12] \
        now: axis 0 was 3 and is 7; expected input with as many features as at the first call; other \
        features need another layer
        """
      ) {
        called(Sequential([GRU(4, returnSequences: true), Dense(2)]), with: [1, 2, 3])
      },
      mistake(
        "other features in a dense layer", [TensorType([2, 7])],
        """
        dense: parameter 'dense.kernel': made with shape [3,4] at its first use, but needed with shape [7,4] \
        now: axis 0 was 3 and is 7; expected input with as many features as at the first call; other \
        features need another layer
        """
      ) {
        called(Sequential([Dense(4), Dense(2)]), with: [2, 3])
      },
      mistake(
        "a vector to a dense layer", [TensorType([3])],
        "dense: input of shape [3]; expected [batch, ..., features]"
      ) {
        let model = Sequential([Dense(4)])
        return { model($0[0]) }
      },
      mistake(
        "a value of another shape", [TensorType([2, 3])],
        "dense: initializer: a value of shape [4,3] (operands: f32[4,3]); expected shape [3,4]"
      ) {
        let model = Sequential { Dense(4, kernelInitializer: .value(.ones([4, 3]))) }
        return { model($0[0]) }
      },
      mistake(
        "an orthogonal bias", [TensorType([2, 3])],
        "dense: initializer: an orthogonal matrix of shape [4]; expected two axes or more"
      ) {
        let model = Sequential { Dense(4, biasInitializer: .orthogonal) }
        return { model($0[0]) }
      },
      mistake(
        "a cell that changes its state", [TensorType([2, 5, 3])],
        """
        growing: scan: the state enters as f32[2,2] and leaves as f32[2,5]; expected a state of the types \
        that it starts with
        """
      ) {
        let layer = RNN(Growing())
        return { layer($0[0]) }
      },
    ]
  }

  static var losses: [Mistake] {
    [
      mistake(
        "squares of other shapes", [TensorType([2, 3]), TensorType([2, 1])],
        """
        meanSquaredError: predictions of shape [2,3] for values of shape [2,1]; expected one shape for both, \
        which nothing is broadcast to
        """
      ) {
        { meanSquaredError(predicted: $0[0], expected: $0[1]) }
      },
      mistake(
        "squares of other elements", [TensorType([2, 3]), TensorType([2, 3], .float64)],
        """
        meanSquaredError: subtract: operands of different element types (operands: f32[2,3], f64[2,3]); \
        expected one numeric element type
        """
      ) {
        { meanSquaredError(predicted: $0[0], expected: $0[1]) }
      },
      mistake(
        "a column of classes", [TensorType([2, 3]), TensorType([2, 1], .int32)],
        """
        softmaxCrossEntropy: labels of type i32[2,1] for logits of shape [2,3]; expected i32[2] classes, or \
        f32[2,3] probabilities
        """
      ) {
        { softmaxCrossEntropy(logits: $0[0], labels: $0[1]) }
      },
      mistake(
        "classes as numbers", [TensorType([2, 3]), TensorType([2])],
        """
        softmaxCrossEntropy: labels of type f32[2] for logits of shape [2,3]; expected i32[2] classes, or \
        f32[2,3] probabilities
        """
      ) {
        { softmaxCrossEntropy(logits: $0[0], labels: $0[1]) }
      },
      mistake(
        "probabilities of another number of classes", [TensorType([2, 3]), TensorType([2, 4])],
        """
        softmaxCrossEntropy: labels of type f32[2,4] for logits of shape [2,3]; expected i32[2] classes, or \
        f32[2,3] probabilities
        """
      ) {
        { softmaxCrossEntropy(logits: $0[0], labels: $0[1]) }
      },
      mistake(
        "one class for each sequence", [TensorType([2, 5, 3]), TensorType([2], .int32)],
        """
        softmaxCrossEntropy: labels of type i32[2] for logits of shape [2,5,3]; expected i32[2,5] classes, \
        or f32[2,5,3] probabilities
        """
      ) {
        { softmaxCrossEntropy(logits: $0[0], labels: $0[1]) }
      },
      mistake(
        "logits without classes", [TensorType([]), TensorType([], .int32)],
        "softmaxCrossEntropy: logits of shape []; expected [..., classes]"
      ) {
        { softmaxCrossEntropy(logits: $0[0], labels: $0[1]) }
      },
    ]
  }

  /// A cell whose state is a list.
  struct Delay: RecurrentCell {
    func initialState(batchSize: Int) -> [Tensor] { [.zeros([batchSize, 3]), .zeros([batchSize, 3])] }

    func callAsFunction(_ x: Tensor, _ state: [Tensor]) -> (output: Tensor, state: [Tensor]) {
      (state[1], [x, state[0]])
    }
  }

  /// A cell that is wrong: its state becomes wider.
  struct Growing: RecurrentCell {
    func initialState(batchSize: Int) -> Tensor { .zeros([batchSize, 2]) }

    func callAsFunction(_ x: Tensor, _ h: Tensor) -> (output: Tensor, state: Tensor) {
      (h, concatenated([h, x], along: -1))
    }
  }

  static func check(_ mistake: Mistake) {
    let (traced, staged) = (mistake.make(), compiled(mistake.make()))
    let tracing = #expect(throws: TensorError.self, "\(mistake.what)") {
      try Graph(tracing: mistake.inputs) { [traced($0)] }
    }
    #expect(tracing?.description == mistake.message, "\(mistake.what)")
    let calling = #expect(throws: TensorError.self, "\(mistake.what)") {
      try staged(mistake.inputs.map { Tensor.zeros($0.shape, elementType: $0.elementType) })
    }
    #expect(calling?.description == mistake.message, "\(mistake.what)")
  }

  @Test(arguments: layers.indices)
  func ofLayers(index: Int) { Self.check(Self.layers[index]) }

  @Test(arguments: losses.indices)
  func ofLosses(index: Int) { Self.check(Self.losses[index]) }

  /// What comes after an error has the shapes of placeholders; no parameter may be made from them.
  @Test func aCallThatFailsMakesNoParametersAfterTheError() throws {
    let model = Sequential {
      LSTM(4)
      Dense(2)
    }
    let predict = compiled { (x: Tensor) in model(x) }
    #expect(throws: TensorError.self) { try predict(.zeros([2, 3])) }
    #expect(model.parameterCount == 0)
    #expect(try predict(.zeros([2, 5, 3])).shape == [2, 2])
    #expect(model.parameterCount == 4 * 4 * (3 + 4 + 1) + 5 * 2)
  }

  @Test func aCallThatFailsAssignsNothing() throws {
    let model = Dense(2)
    let sgd = SGD(learningRate: 1)
    let step = compiled { (x: Tensor, y: Tensor) in
      let (loss, gradients) = valueWithGradient(of: model) { model(x).sum() }
      sgd.update(model, along: gradients)
      return loss + meanSquaredError(predicted: model(x), expected: y)
    }
    _ = try step(.ones([1, 3]), .ones([1, 2]))
    let before = model.kernel.value!
    #expect(throws: TensorError.self) { try step(.ones([1, 3]), .ones([1, 4])) }
    expectSameBits(model.kernel.value!, before)
  }
}
