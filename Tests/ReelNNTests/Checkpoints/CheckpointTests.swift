import Foundation
import Reel
import ReelNN
import ReelTestSupport
import Testing

/// A training that is stopped and resumed has the same bits as one that is not.
@Suite struct CheckpointTests {
  /// Momentum with its variables in the open, noise in the gradients from the stream of the process, and a state that is
  /// carried from step to step: everything that a checkpoint has to bring back.
  final class Run {
    let model = Sequential {
      LSTM(4, stateful: true)
      Dense(1)
    }
    private var velocities: [String: Variable] = [:]

    var variables: [(name: String, variable: Variable)] {
      model.parameters.filter { $0.parameter.value != nil }.map { name, parameter in
        let made = velocities[name] ?? Variable(.zeros(like: parameter.value!), name: name)
        velocities[name] = made
        return ("\(name).velocity", made)
      }
    }

    /// One step; the loss.
    func step(_ number: Int) -> Tensor {
      let x = sample([2, 3, 2], seed: UInt64(number), elementType: .float32)
      let (loss, gradients) = valueWithGradient(of: model) {
        let y = model(x + Tensor.randomNormal([2, 3, 2], standardDeviation: 0.1))
        return (y * y).mean()
      }
      let variables = Dictionary(uniqueKeysWithValues: variables)
      for (name, parameter) in gradients.parameters {
        let velocity = variables["\(name).velocity"]!
        velocity.value = velocity.value * 0.9 - gradients[parameter]! * 0.1
        parameter.value = parameter.value! + velocity.value
      }
      return loss
    }
  }

  @Test func aResumedTrainingHasTheSameBits() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/run.safetensors"
      let whole = Run()
      let losses = withRandomSeed(5) { (0..<10).map(whole.step) }
      try withRandomSeed(5) {
        let first = Run()
        for number in 0..<4 { expectSameBits(first.step(number), losses[number], "step \(number)") }
        try Checkpoint(
          of: first.model, variables: first.variables, epoch: 1, step: 4, tensors: ["scale": Tensor([1.5, 2.5])],
          notes: ["vocabulary": "a b\nc"]
        ).write(to: path)
      }
      // Another stream, new objects: all that is the same comes from the file.
      try withRandomSeed(99) {
        let second = Run()
        let checkpoint = try Checkpoint(path: path)
        #expect(checkpoint.epoch == 1 && checkpoint.step == 4 && checkpoint.notes == ["vocabulary": "a b\nc"])
        expectSameBits(try #require(checkpoint.tensors["scale"]), Tensor([1.5, 2.5]))
        #expect(Set(checkpoint.states.keys) == ["lstm.state.0", "lstm.state.1"])
        try checkpoint.restore(second.model) { second.variables }
        for number in checkpoint.step..<10 { expectSameBits(second.step(number), losses[number], "step \(number)") }
        try WeightsTests.expectSameWeights(second.model, whole.model)
      }
      // The weights alone.
      let third = Run()
      #expect(try third.model.loadWeights(from: path).count == 5)
    }
  }

  /// A compiled training with an optimizer, dropout, and a schedule or averages of weights.
  struct CompiledRun {
    let model = Sequential {
      GRU(3, dropout: 0.3)
      Dense(1)
    }
    let optimizer: any Optimizer

    func losses(_ steps: Range<Int>) throws -> [Tensor] {
      let step = compiled { (x: Tensor) in
        let (loss, gradients) = valueWithGradient(of: model) { (model(x) * model(x)).mean() }
        optimizer.update(model, along: gradients)
        return loss
      }
      return try steps.map { try step(sample([2, 3, 2], seed: UInt64($0), elementType: .float32)) }
    }
  }

  static let optimizers: [@Sendable () -> any Optimizer] = [
    { Adam(amsgrad: true, movingAverage: MovingAverage(overwriteFrequency: 3), gradientAccumulationSteps: 2) },
    { SGD(learningRate: ExponentialDecay(initialLearningRate: 0.1, decaySteps: 3, decayRate: 0.5), momentum: 0.9) },
    { RMSprop(momentum: 0.5, centered: true) },
  ]

  @Test(arguments: optimizers.indices)
  func aCompiledTrainingHasTheSameBits(index: Int) throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/run.safetensors"
      let whole = CompiledRun(optimizer: Self.optimizers[index]())
      let losses = try withRandomSeed(5) { try whole.losses(0..<10) }
      try withRandomSeed(5) {
        let first = CompiledRun(optimizer: Self.optimizers[index]())
        _ = try first.losses(0..<4)
        try Checkpoint(of: first.model, optimizer: first.optimizer, epoch: 0, step: 4).write(to: path)
      }
      try withRandomSeed(99) {
        let second = CompiledRun(optimizer: Self.optimizers[index]())
        try Checkpoint(path: path).restore(second.model, optimizer: second.optimizer)
        for (found, expected) in zip(try second.losses(4..<10), losses[4...]) { expectSameBits(found, expected) }
        try WeightsTests.expectSameWeights(second.model, whole.model)
        let variables = { (run: CompiledRun) in run.optimizer.variables(of: run.model) }
        for (a, b) in zip(variables(second), variables(whole)) {
          expectSameBits(a.variable.value, b.variable.value, a.name)
        }
        // Another optimizer has other variables: nothing is taken from the file.
        let other = CompiledRun(optimizer: Adagrad())
        #expect(throws: WeightsError.self) {
          try Checkpoint(path: path).restore(other.model, optimizer: other.optimizer)
        }
        #expect(other.model.weights.isEmpty)
        try Checkpoint(path: path).restore(other.model)
        #expect(other.model.weights.count == 5)
      }
    }
  }

  @Test func whatDoesNotFitChangesNothing() throws {
    let run = Run()
    withRandomSeed(1) { _ = run.step(0) }
    let checkpoint = Checkpoint(of: run.model, variables: run.variables, epoch: 0, step: 1)
    let changes: [(String, @Sendable (inout Checkpoint) -> Void, WeightsError)] = [
      (
        "weights", { $0.weights["dense.bias"] = nil }, WeightsError(path: "checkpoint", missing: ["dense.bias"])
      ),
      (
        "optimizer", { $0.optimizer["more"] = .zeros([1]) },
        WeightsError(path: "checkpoint, optimizer", unexpected: ["more"])
      ),
      (
        "states", { $0.states["gru.state.0"] = .zeros([1]) },
        WeightsError(path: "checkpoint, states", unexpected: ["gru.state.0"])
      ),
    ]
    for (what, change, error) in changes {
      var changed = checkpoint
      change(&changed)
      let (fresh, other) = (Run(), Run())
      withRandomSeed(2) { _ = other.step(3) }
      let before = (weights: other.model.weights, variables: other.variables.map(\.variable.value))
      for model in [fresh, other] {
        #expect(throws: error, "\(what)") { try changed.restore(model.model) { model.variables } }
      }
      #expect(fresh.model.weights.isEmpty, "\(what)")
      for (name, weight) in before.weights { expectSameBits(other.model.weights[name]!, weight, "\(what): \(name)") }
      for (value, variable) in zip(before.variables, other.variables) { expectSameBits(variable.variable.value, value) }
    }
  }
}
