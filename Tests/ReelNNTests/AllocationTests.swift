import AllocationCounter
import Foundation
import Reel
import ReelNN
import Testing

/// A compiled step that is warm asks for no memory. Allocations are counted over the whole process, so each count is made
/// in a process of its own.
@Suite(.enabled(if: allocation_counter_is_available(), "allocations are counted with glibc, without sanitizers"))
struct AllocationTests {
  /// Builds without optimisation put iterators and temporaries of a few words on the heap: there only blocks that tensors
  /// and tables could lie in count.
  static let leastBytes = _isDebugAssertConfiguration() ? 512 : 0

  /// Allocations of each of some calls, after others to warm up.
  static func allocations(_ call: () throws -> Void) rethrows -> [Int] {
    for _ in 0..<4 { try call() }
    return try (0..<3).map { _ in
      allocation_counter_start(leastBytes)
      defer { _ = allocation_counter_stop() }
      try call()
      return allocation_counter_stop()
    }
  }

  @Test func theCounterCounts() async {
    await #expect(processExitsWith: .success) {
      var kept: [[Int]] = []
      kept.reserveCapacity(100)
      let counts = AllocationTests.allocations { kept.append([Int](repeating: 1, count: 1000)) }
      precondition(counts.allSatisfy { $0 >= 1 }, "\(counts)")
    }
  }

  static let layers: [@Sendable () -> any Layer<Tensor, Tensor>] = [
    { LSTM(16) }, { GRU(16) }, { GRU(16, resetAfter: false) }, { RNN(LayerNormLSTMCell(16)) },
    { LSTM(16, unroll: true) },
  ]

  /// Forward, backward and Adam, with the loss given back and dropped, for each layer.
  @Test(arguments: ["1", "2"]) func aTrainingStepAllocatesNothing(threads: String) async {
    await #expect(processExitsWith: .success) { [threads = threads as String] in
      setenv("REEL_THREADS", threads, 1)
      for (index, layer) in AllocationTests.layers.enumerated() {
        let counts = try AllocationTests.allocationsOfTrainingStep(layer())
        precondition(counts == [0, 0, 0], "layer \(index): \(counts)")
      }
    }
  }

  static func allocationsOfTrainingStep(_ layer: any Layer<Tensor, Tensor>) throws -> [Int] {
    let model = Sequential([layer, Dense(10)])
    let adam = Adam()
    let images = Tensor.randomNormal([32, 7, 12], key: RandomKey(seed: 1))
    let labels = Tensor((0..<32).map { Int32($0 % 10) })
    let step = compiled { (images: Tensor, labels: Tensor) in
      let (loss, gradients) = valueWithGradient(of: model) {
        softmaxCrossEntropy(logits: model(images), labels: labels)
      }
      adam.update(model, along: gradients)
      return loss
    }
    _ = try step(images, labels)
    return try allocations { _ = try step(images, labels) }
  }
}
