import Reel
import ReelNN
import ReelTestSupport
import Testing

/// Derivatives beyond the gradient, by the parameters of models.
@Suite struct DerivativeTests {
  static let x = sample([3, 4, 2], seed: 1)
  static let labels = Tensor([2, 0, 1] as [Int32])

  /// A recurrent model in `float64` whose weights do not depend on chance.
  static func withModel(unroll: Unroll = .never, _ body: (Sequential) throws -> Void) rethrows {
    try ElementType.withDefault(.float64) {
      let model = Sequential {
        LSTM(2, unroll: unroll)
        Dense(3)
      }
      withRandomSeed(11) { _ = model(x) }
      try body(model)
    }
  }

  static func loss(_ model: Sequential, _ x: Tensor = x, _ labels: Tensor = labels) -> Tensor {
    softmaxCrossEntropy(logits: model(x), labels: labels)
  }

  static func gradients(_ model: Sequential) -> Gradients { valueWithGradient(of: model) { loss(model) }.gradients }

  /// A direction in the space of the parameters.
  static func direction(_ model: Sequential, seed: UInt64) -> Gradients {
    var seed = seed
    return gradients(model).mapTensors { gradient in
      seed += 1
      return sample(gradient.shape, seed: seed)
    }
  }

  static func flat(_ gradients: Gradients) -> Tensor { concatenated(gradients.tensors.map { $0.flattened() }) }

  static func expectClose(_ found: Gradients, _ expected: Gradients, relative: Double, _ what: String = "") {
    #expect(found.tensorPaths == expected.tensorPaths)
    for (name, (found, expected)) in zip(found.tensorPaths, zip(found.tensors, expected.tensors)) {
      ReelTestSupport.expectClose(found, expected, relative: relative, absolute: 1e-11, "\(what) \(name)")
    }
  }

  @Test(arguments: [Unroll.never, .full])
  func everyExampleHasItsOwnGradient(unroll: Unroll) throws {
    try Self.withModel(unroll: unroll) { model in
      let examples = vectorize { (x: Tensor, label: Tensor) in
        let (loss, gradients) = valueWithGradient(of: model) {
          Self.loss(model, x.expanded(at: 0), label.expanded(at: 0))
        }
        return Pair(loss, gradients)
      }
      for found in [examples(Self.x, Self.labels), try compiled { examples($0, $1) }(Self.x, Self.labels)] {
        #expect(found.second.tensorPaths == Self.gradients(model).tensorPaths)
        for index in 0..<3 {
          let (loss, gradients) = valueWithGradient(of: model) {
            Self.loss(model, Self.x[index..<index + 1], Self.labels[index..<index + 1])
          }
          ReelTestSupport.expectClose(found.first[index], loss, relative: 1e-13)
          Self.expectClose(found.second.mapTensors { $0[index] }, gradients, relative: 1e-12)
        }
        Self.expectClose(found.second.mapTensors { $0.mean(along: [0]) }, Self.gradients(model), relative: 1e-12)
      }
    }
  }

  @Test func theDerivativeIsTheGradientAlongTheDirection() throws {
    try Self.withModel { model in
      let v = Self.direction(model, seed: 20)
      let (loss, derivative) = valueWithDerivative(of: model, along: v) { Self.loss(model) }
      expectSameBits(loss, Self.loss(model))
      let expected = (Self.flat(Self.gradients(model)) * Self.flat(v)).sum()
      ReelTestSupport.expectClose(derivative, expected, relative: 1e-12)
      let staged = try compiled { (_: [Tensor]) in
        valueWithDerivative(of: model, along: v) { Self.loss(model) }.derivative
      }([])
      ReelTestSupport.expectClose(staged, expected, relative: 1e-12)
    }
  }

  /// H·v against differences of gradients, and symmetric.
  @Test func theHessianProductIsTheSlopeOfTheGradient() throws {
    try Self.withModel { model in
      let (u, v) = (Self.direction(model, seed: 20), Self.direction(model, seed: 40))
      let product = hessianVectorProduct(of: model, along: v) { Self.loss(model) }
      func gradients(_ step: Double) -> Gradients {
        let values = model.parameters.map { $0.parameter.value! }
        defer { for (entry, value) in zip(model.parameters, values) { entry.parameter.value = value } }
        for (entry, value) in zip(model.parameters, values) {
          entry.parameter.value = value + v[entry.parameter]! * Tensor(step)
        }
        return Self.gradients(model)
      }
      let (after, before) = (gradients(1e-5).tensors, gradients(-1e-5).tensors)
      for (found, (after, before)) in zip(product.tensors, zip(after, before)) {
        ReelTestSupport.expectClose(found, (after - before) / 2e-5, relative: 1e-7, absolute: 1e-9)
      }
      let other = hessianVectorProduct(of: model, along: u) { Self.loss(model) }
      ReelTestSupport.expectClose(
        (Self.flat(u) * Self.flat(product)).sum(), (Self.flat(v) * Self.flat(other)).sum(), relative: 1e-11)
      let staged = try compiled { (_: [Tensor]) in hessianVectorProduct(of: model, along: v) { Self.loss(model) } }([])
      Self.expectClose(staged, product, relative: 1e-11)
    }
  }

  /// G·v against JᵀHJ·v with J and H as matrices.
  @Test func theGaussNewtonProductIsThatOfItsFactors() {
    Self.withModel { model in
      let v = Self.direction(model, seed: 20)
      let loss = { (logits: Tensor) in softmaxCrossEntropy(logits: logits, labels: Self.labels) }
      let product = gaussNewtonVectorProduct(of: model, along: v, outputs: { model(Self.x) }, loss: loss)
      let (logits, jacobian) = valueWithJacobian(of: model) { model(Self.x) }
      expectSameBits(logits, model(Self.x))
      #expect(jacobian["dense.kernel"]!.shape == [3, 3, 2, 3])
      let j = concatenated(jacobian.tensors.map { $0.reshaped(to: [9, $0.count / 9]) }, along: 1)
      let h = hessian(at: logits, of: loss).reshaped(to: [9, 9])
      let expected = j.matmul(h.matmul(j.matmul(Self.flat(v).expanded(at: 1))), transposingSelf: true)
      ReelTestSupport.expectClose(Self.flat(product), expected.squeezed(at: 1), relative: 1e-11, absolute: 1e-13)
    }
  }

  /// Each way to the third order through one loop, which is never unrolled.
  @Test(arguments: ["LSTM", "GRU", "MGU"])
  func gradientsOfThirdOrderPassThroughALoop(cell: String) throws {
    let x = sample([1, 3, 2], seed: 1)
    let report =
      switch cell {
      case "LSTM": try checkGradients(of: LSTM(2), at: x, order: 3)
      case "GRU": try checkGradients(of: GRU(2), at: x, order: 3)
      default:
        try checkGradients(of: RNN(ReadmeTests.MinimalGatedUnit(units: 2)), at: x, order: 3)
      }
    #expect(
      report.entries.filter { $0.order == 3 }.map(\.tensor) == report.entries.filter { $0.order == 1 }.map(\.tensor))
    #expect(report.worstRelativeError < 1e-6 && report.kinks == 0)
  }
}
