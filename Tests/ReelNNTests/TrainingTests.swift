import Reel
import ReelNN
import ReelTestSupport
import Testing

/// Whole training steps: they learn, and an eager step, a compiled one and any mixture of them are the same step.
@Suite struct TrainingTests {
  /// A sequence of eight letters out of four, each followed by another letter in each place but its own.
  static let letters: [Int32] = [0, 2, 1, 1, 3, 0, 0, 2, 3]
  static let x = Tensor(Array(letters.dropLast()), shape: [1, 8]).oneHot(4)
  static let y = Tensor(Array(letters.dropFirst()), shape: [1, 8])

  /// A model whose weights do not depend on chance.
  static func model(unroll: Unroll = .never) -> Sequential {
    func weights(_ seed: UInt64) -> Initializer {
      Initializer { sample($0, seed: seed, elementType: .float32) * 0.4 }
    }
    return Sequential {
      LSTM(
        12, kernelInitializer: weights(1), recurrentInitializer: weights(2), returnSequences: true, unroll: unroll)
      Dense(4, kernelInitializer: weights(3))
    }
  }

  static func step(_ model: Sequential, _ optimizer: any Optimizer) -> (Tensor, Tensor) -> Tensor {
    { x, y in
      let (loss, gradients) = valueWithGradient(of: model) { softmaxCrossEntropy(logits: model(x), labels: y) }
      optimizer.update(model, along: gradients)
      return loss
    }
  }

  static let optimizers: [(name: String, make: @Sendable () -> any Optimizer)] = [
    ("SGD", { SGD(learningRate: 0.5) }),
    ("SGD with momentum", { SGD(learningRate: 0.1, momentum: 0.9) }),
    ("SGD with Nesterov's momentum", { SGD(learningRate: 0.1, momentum: 0.9, nesterov: true) }),
    ("Adam", { Adam(learningRate: 0.05) }),
  ]

  @Test(arguments: optimizers.indices)
  func aSmallModelMemorisesASequence(index: Int) throws {
    let (name, make) = Self.optimizers[index]
    let eager = Self.step(Self.model(), make())
    let staged = compiled(Self.step(Self.model(), make()))
    var last = Double.infinity
    for count in 1...(name == "SGD" ? 240 : 80) {
      let loss = try staged(Self.x, Self.y)
      // Forward bits are the same; sums of the reverse sweep may be added up in another order.
      if count == 1 { expectSameBits(loss, eager(Self.x, Self.y), "\(name), first step") }
      if (2...12).contains(count) {
        expectClose(loss, eager(Self.x, Self.y), relative: 1e-4, absolute: 1e-6, "\(name), step \(count)")
      }
      last = loss.item
    }
    #expect(last < 0.05, "\(name): \(last)")
  }

  @Test(arguments: optimizers.indices)
  func eagerAndCompiledStepsMix(index: Int) throws {
    let (name, make) = Self.optimizers[index]
    let (model, optimizer) = (Self.model(), make())
    let eager = Self.step(model, optimizer)
    let staged = compiled(eager)
    let expected = Self.step(Self.model(), make())
    for count in 0..<8 {
      let loss = count % 3 == 1 ? try staged(Self.x, Self.y) : eager(Self.x, Self.y)
      expectClose(loss, expected(Self.x, Self.y), relative: 1e-4, absolute: 1e-6, "\(name), step \(count)")
    }
  }

  @Test(arguments: [Unroll.never, .by(3), .full])
  func everyLayoutLearnsAlike(unroll: Unroll) throws {
    let staged = compiled(Self.step(Self.model(unroll: unroll), Adam(learningRate: 0.05)))
    let expected = compiled(Self.step(Self.model(), Adam(learningRate: 0.05)))
    for count in 0..<20 {
      expectClose(
        try staged(Self.x, Self.y), try expected(Self.x, Self.y), relative: 1e-3, absolute: 1e-5, "step \(count)")
    }
  }

  @Test(arguments: optimizers.indices)
  func aNewLearningRateNeedsNoNewGraph(index: Int) throws {
    let (model, optimizer) = (Self.model(), Self.optimizers[index].make())
    var recordings = 0
    let plain = Self.step(model, optimizer)
    let staged = compiled { (x: Tensor, y: Tensor) -> Tensor in
      recordings += 1
      return plain(x, y)
    }
    let first = try staged(Self.x, Self.y)
    let second = try staged(Self.x, Self.y)
    #expect(second.item != first.item)
    let (weights, rate) = (model.parameters.map(\.parameter), optimizer.learningRate)
    optimizer.learningRate = 0
    // Momentum goes on without a rate; only plain descent and Adam stand still.
    let stands = !Self.optimizers[index].name.contains("momentum")
    let before = weights.map { $0.value! }
    _ = try staged(Self.x, Self.y)
    if stands { for (weight, value) in zip(weights, before) { expectSameBits(weight.value!, value) } }
    optimizer.learningRate = rate
    _ = try staged(Self.x, Self.y)
    for (weight, value) in zip(weights, before) { #expect(weight.value!.numbers != value.numbers) }
    #expect(recordings == 1)
  }

  @Test(arguments: optimizers.indices)
  func theLearningRateIsTheOneThatWasSet(index: Int) {
    let optimizer = Self.optimizers[index].make()
    optimizer.learningRate = 0.001
    #expect(optimizer.learningRate == 0.001)
  }

  // MARK: - Several models

  @Test(arguments: optimizers.indices, [false, true])
  func modelsThatShareAnOptimizerDoNotDisturbEachOther(index: Int, isCompiled: Bool) throws {
    let make = Self.optimizers[index].make
    let shared = make()
    func losses(_ optimizer: any Optimizer, after: Int, of other: Sequential?) throws -> [Tensor] {
      let model = Self.model()
      let (own, others) = (Self.step(model, optimizer), other.map { Self.step($0, optimizer) })
      let (stagedOwn, stagedOthers) = (compiled(own), others.map { compiled($0) })
      var losses: [Tensor] = []
      for count in 0..<6 {
        _ = try isCompiled ? stagedOthers?(Self.x, Self.y) : others?(Self.x, Self.y)
        if count >= after { losses.append(try isCompiled ? stagedOwn(Self.x, Self.y) : own(Self.x, Self.y)) }
      }
      return losses
    }
    // One model comes later than the other, in the middle of its training.
    let found = try losses(shared, after: 2, of: Self.model())
    let expected = try losses(make(), after: 2, of: nil)
    for (found, expected) in zip(found, expected) { expectSameBits(found, expected, Self.optimizers[index].name) }
  }

  /// An optimizer that outlives its models must not take a new parameter for an old one at the same address.
  @Test(arguments: optimizers.indices)
  func aNewModelStartsWithoutTheStateOfAnOldOne(index: Int) {
    let (name, make) = Self.optimizers[index]
    let shared = make()
    func trained(_ optimizer: any Optimizer, units: Int) -> Tensor {
      let layer = Dense(units, kernelInitializer: .ones)
      for _ in 0..<2 {
        let (_, gradients) = valueWithGradient(of: layer) { (layer(.ones([1, 2])) * layer(.ones([1, 2]))).sum() }
        optimizer.update(layer, along: gradients)
      }
      return layer.kernel.value!
    }
    for count in 0..<40 {
      let units = 1 + count % 3
      expectSameBits(trained(shared, units: units), trained(make(), units: units), "\(name), model \(count)")
    }
  }

  @Test func onlyTrainedParametersWithAGradientChange() {
    let model = LayerTests.Scale()
    let unused = Dense(2)
    _ = unused(.ones([1, 2]))
    let both = Sequential([model, unused])
    let before = unused.kernel.value!
    let (_, gradients) = valueWithGradient(of: both) { model(.ones([1, 3])).sum() }
    Adam(learningRate: 0.5).update(both, along: gradients)
    expectSameBits(model.fixed.value!, Tensor(Float(2)))
    expectSameBits(unused.kernel.value!, before)
    expectClose(model.weight.value!, Tensor(repeating: 0.5, shape: [3]), relative: 1e-5)
  }

  // MARK: - Against plain numbers

  /// One weight, pulled by a gradient that changes from step to step.
  struct Weight: Module {
    let weight = Parameter(.constant(0.7))
  }

  static let gradients = [0.3, -1.2, 0.05, 2.0, -0.4]

  /// The weight after each step of an optimizer of ours, in float64.
  static func path(_ optimizer: any Optimizer) -> [Double] {
    ElementType.withDefault(.float64) {
      let model = Weight()
      return gradients.map { gradient in
        let found = valueWithGradient(of: model) { model.weight([]) * Tensor(gradient) }.gradients
        optimizer.update(model, along: found)
        return model.weight.value!.item
      }
    }
  }

  @Test func adamIsItsFormulaInFullPrecision() {
    var (w, m, v) = (0.7, 0.0, 0.0)
    var (power1, power2) = (1.0, 1.0)
    let expected = Self.gradients.map { g in
      (power1, power2) = (power1 * 0.8, power2 * 0.95)
      m += (g - m) * (1 - 0.8)
      v += (g * g - v) * (1 - 0.95)
      w -= 0.01 * (1 - power2).squareRoot() / (1 - power1) * m / (v.squareRoot() + 1e-3)
      return w
    }
    let found = Self.path(Adam(learningRate: 0.01, beta1: 0.8, beta2: 0.95, epsilon: 1e-3))
    expectClose(Tensor(found), Tensor(expected), relative: 1e-13, absolute: 0)
  }

  @Test(arguments: [(0.0, false), (0.9, false), (0.9, true)])
  func descentIsItsFormulaInFullPrecision(momentum: Double, nesterov: Bool) {
    var (w, v) = (0.7, 0.0)
    let expected = Self.gradients.map { g in
      v = momentum * v - 0.01 * g
      w += nesterov ? momentum * v - 0.01 * g : v
      return w
    }
    let found = Self.path(SGD(learningRate: 0.01, momentum: momentum, nesterov: nesterov))
    expectClose(Tensor(found), Tensor(expected), relative: 1e-13, absolute: 0)
  }
}
