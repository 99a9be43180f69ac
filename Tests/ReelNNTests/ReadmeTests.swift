import Reel
import ReelNN
import ReelTestSupport
import Testing

/// The code of the README, compiled and run. What it shows and what is here are compared line by line.
@Suite struct ReadmeTests {
  // Page: block 1
  struct MinimalGatedUnit: RecurrentCell {
    let units: Int
    let kernel = Parameter(.glorotUniform)
    let recurrentKernel = Parameter(.orthogonal)
    let bias = Parameter(.zeros)

    func initialState(batchSize: Int) -> Tensor { .zeros([batchSize, units]) }

    func callAsFunction(_ x: Tensor, _ h: Tensor) -> (output: Tensor, state: Tensor) {
      let input = x.matmul(kernel([x.shape.last, 2 * units])) + bias([2 * units])
      let (xf, xn) = input.split(into: 2)
      let (uf, un) = recurrentKernel([units, 2 * units]).split(into: 2)
      let forget = sigmoid(xf + h.matmul(uf))
      let candidate = tanh(xn + (forget * h).matmul(un))
      let next = (1 - forget) * h + forget * candidate
      return (next, next)
    }
  }
  // Page: end

  @Test func theSecondBlockTrains() throws {
    // Page: block 2
    let model = Sequential {
      RNN(MinimalGatedUnit(units: 64), unroll: false)
      Dense(10)
    }
    let adam = Adam()
    let step = compiled { (images: Tensor, labels: Tensor) in
      let (loss, gradients) = valueWithGradient(of: model) {
        softmaxCrossEntropy(logits: model(images), labels: labels)
      }
      adam.update(model, along: gradients)
      return loss
    }
    try checkGradients(of: model, at: Tensor.random([2, 5, 3]))
    // Page: end
    let (images, labels) = (sample([4, 3, 6], seed: 1, elementType: .float32), Tensor([3, 1, 4, 1] as [Int32]))
    let losses = try (0..<8).map { _ in try step(images, labels).item }
    #expect(losses.last! < losses.first!)
  }

  @Test func theThirdBlockTrainsAsKerasDoes() throws {
    let (images, labels) = (
      sample([20, 28, 28], seed: 1, elementType: .float32), Tensor((0..<20).map { Int32($0 % 10) })
    )
    let (testImages, testLabels) = (images, labels)
    try withTemporaryFolder { folder in
      let path = "\(folder)/weights.safetensors"
      // Page: block 3
      let network = Sequential {
        LSTM(64)
        Dense(10)
      }
      let model = network.compile(
        optimizer: Adam(), loss: .sparseCategoricalCrossEntropy(fromLogits: true), metrics: [.accuracy()])
      print(try network.summary(inputShape: [nil, 28, 28]))
      let history = try model.fit(
        images, labels, batchSize: 128, epochs: 5, validationSplit: 0.1, callbacks: [EarlyStopping(patience: 2)])
      let logs = try model.evaluate(testImages, testLabels)
      let scores = try model.predict(testImages)
      try network.saveWeights(to: path)
      // Page: end
      #expect(history["loss"].last! < history["loss"].first! && logs["loss"]! < 2.4 && scores.shape == [20, 10])
      #expect(try Safetensors(path: path).tensors.count == network.parameters.count)
    }
  }

  @Test func theBlocksAreThoseOfTheReadme() throws { try expectBlocks(of: "README.md") }
}
