import Foundation
import Reel
import ReelNN
import ReelTestSupport
import Synchronization
import Testing

/// Batches have every sample once, in an order that depends on seed and epoch only, made ahead or not.
@Suite struct DatasetTests {
  static let count = 23

  /// Sample i has i everywhere.
  static func dataset() throws -> Dataset {
    let numbers = (0..<count).map(Float.init)
    return try Dataset(
      inputs: [Tensor(numbers.flatMap { [$0, $0] }, shape: [count, 1, 2]), Tensor(numbers.map(Double.init))],
      targets: [Tensor((0..<count).map(Int32.init))], sampleWeights: Tensor(numbers))
  }

  static func labels(_ batches: some Sequence<Dataset.Batch>) -> [[Int]] {
    batches.map { $0.targets[0].numbers.map { Int($0) } }
  }

  @Test func batchesHaveAllTensorsOfTheirSamples() throws {
    let batches = try Self.dataset().batches(of: 5, shuffledBy: 3)
    #expect(batches.count == 5)
    for (index, batch) in batches.enumerated() {
      let rows = index == 4 ? 3 : 5
      let labels = batch.targets[0].numbers
      #expect(batch.count == rows && batch.inputs[0].shape == [rows, 1, 2] && batch.inputs[1].shape == [rows])
      #expect(batch.inputs[0].numbers == labels.flatMap { [$0, $0] } && batch.inputs[1].numbers == labels)
      #expect(batch.inputs[1].elementType == .float64 && batch.sampleWeights?.numbers == labels)
      #expect(batch.tensorPaths == ["inputs.0", "inputs.1", "targets.0", "sampleWeights"])
    }
  }

  @Test func theOrderDependsOnSeedAndEpoch() throws {
    let data = try Self.dataset()
    #expect(Self.labels(data.batches(of: 10)) == [Array(0..<10), Array(10..<20), [20, 21, 22]])
    func order(_ seed: UInt64, _ epoch: Int) -> [Int] {
      Self.labels(data.batches(of: 4, shuffledBy: seed, epoch: epoch)).flatMap(\.self)
    }
    for (seed, epoch) in [(1, 0), (1, 1), (2, 0), (2, 1)] as [(UInt64, Int)] {
      #expect(order(seed, epoch).sorted() == Array(0..<Self.count) && order(seed, epoch) == order(seed, epoch))
    }
    #expect(Set([order(1, 0), order(1, 1), order(2, 0), order(2, 1)]).count == 4)
    // The same on every machine and in every version.
    #expect(order(1, 0).prefix(6) == [5, 17, 16, 21, 9, 18])
    #expect(Self.labels(data.shuffled(seed: 1).batches(of: 4)).flatMap(\.self) == order(1, 0))
  }

  /// Every place is as likely for every sample.
  @Test func ordersAreUniform() throws {
    let data = try Dataset(inputs: [.iota(4)])
    var counts = [[Int]](repeating: [0, 0, 0, 0], count: 4)
    for epoch in 0..<2000 {
      let order = data.batches(of: 4, shuffledBy: 9, epoch: epoch).first { _ in true }!.inputs[0].numbers
      for (place, sample) in order.enumerated() { counts[place][Int(sample)] += 1 }
    }
    // 500 expected each, with a standard deviation of 19.
    #expect(counts.joined().allSatisfy { abs($0 - 500) < 100 })
  }

  @Test func batchesCanBeLeftOut() throws {
    let data = try Self.dataset()
    let whole = Self.labels(data.batches(of: 5, shuffledBy: 3, epoch: 2))
    #expect(Self.labels(data.batches(of: 5, shuffledBy: 3, epoch: 2, from: 2)) == Array(whole[2...]))
    #expect(Self.labels(data.batches(of: 5, shuffledBy: 3, epoch: 2, dropsRemainder: true)) == Array(whole[..<4]))
    #expect(Self.labels(data.batches(of: 5, from: 9)) == [] && data.batches(of: 5, from: 9).count == 0)
    #expect(Self.labels(data.batches(of: 50)).map(\.count) == [23])
    #expect(Self.labels(data.batches(of: 50, dropsRemainder: true)) == [])
    #expect(Self.labels(data[0..<0].batches(of: 3)) == [])
  }

  @Test func partsAreDatasets() throws {
    let (training, validation) = try Self.dataset().split(validation: 0.2)
    #expect(Self.labels(training.batches(of: 100)) == [Array(0..<18)])
    #expect(Self.labels(validation.batches(of: 100)) == [Array(18..<23)])
    #expect(validation.sampleWeights?.numbers == [18, 19, 20, 21, 22])
    #expect(try Self.labels(Self.dataset()[[4, 0, 4]].batches(of: 2)) == [[4, 0], [4]])
  }

  @Test func windowsAreInputsAndTargets() throws {
    let series = Tensor((0..<20).map(Float.init), shape: [10, 2])
    let (inputs, targets) = series.windows(of: 3, stride: 2, horizon: 2)
    #expect(inputs.shape == [3, 3, 2] && targets.shape == [3, 2, 2])
    #expect(inputs[1].numbers == [4, 5, 6, 7, 8, 9] && targets[1].numbers == [10, 11, 12, 13])
    let data = try Dataset(windowsOver: Tensor([1, 2, 3, 4, 5] as [Float]), of: 3)
    #expect(data.inputs[0].numbers == [1, 2, 3, 2, 3, 4] && data.targets[0].numbers == [4, 5] && data.count == 2)
  }

  // MARK: - Another thread

  @Test func batchesMadeAheadAreTheSame() throws {
    let data = try Self.dataset()
    let batches = data.batches(of: 4, shuffledBy: 3).transformed { batch in
      var batch = batch
      batch.inputs[0] = batch.inputs[0] * 2
      return batch
    }.transformed { batch in
      var batch = batch
      batch.inputs[0] = batch.inputs[0] + Tensor.ones([1])
      return batch
    }
    for capacity in [1, 2, 100] {
      let ahead = Array(batches.prefetched(capacity))
      #expect(ahead.count == 6)
      for (found, expected) in zip(ahead, batches) {
        for (a, b) in zip(found.tensors, expected.tensors) { expectSameBits(a, b) }
      }
    }
    expectSameBits(
      Array(batches)[0].inputs[0],
      data.batches(of: 4, shuffledBy: 3).first { _ in true }!.inputs[0] * 2 + 1)
  }

  /// Counts what it gives.
  private struct Counting: Sequence, Sendable {
    final class Counter: Sendable { let made = Mutex(0) }
    let counter = Counter()
    let count: Int

    func makeIterator() -> AnyIterator<Int> {
      var next = 0
      return AnyIterator {
        guard next < count else { return nil }
        next += 1
        counter.made.withLock { $0 += 1 }
        return next
      }
    }
  }

  @Test func noMoreIsMadeThanHasRoom() throws {
    let numbers = Counting(count: 1000)
    let iterator = Prefetched(numbers, capacity: 3).makeIterator()
    #expect(iterator.next() == 1)
    // The thread stops with three waiting and one in its hands.
    for _ in 0..<200 where numbers.counter.made.withLock({ $0 }) < 5 { Thread.sleep(forTimeInterval: 0.01) }
    Thread.sleep(forTimeInterval: 0.02)
    #expect(numbers.counter.made.withLock { $0 } == 5)
    iterator.cancel()
    #expect(iterator.next() == nil)
    Thread.sleep(forTimeInterval: 0.02)
    #expect(numbers.counter.made.withLock { $0 } == 5)
  }

  @Test func leavingTheLoopEndsTheThread() throws {
    let numbers = Counting(count: .max)
    for number in Prefetched(numbers, capacity: 1) where number == 3 { break }
    Thread.sleep(forTimeInterval: 0.02)
    let made = numbers.counter.made.withLock { $0 }
    Thread.sleep(forTimeInterval: 0.02)
    #expect(made <= 5 && numbers.counter.made.withLock { $0 } == made)
    #expect(Array(Prefetched(Counting(count: 500), capacity: 2)) == Array(1...500))
    #expect(Array(Prefetched(Counting(count: 0))) == [])
  }

  @Test func theThreadHasTheDefaultElementTypeOfItsMaker() throws {
    let batches = try Self.dataset().batches(of: 4).transformed { batch in
      var batch = batch
      batch.inputs = [.zeros([1])]
      return batch
    }
    ElementType.withDefault(.float64) {
      #expect(batches.prefetched().allSatisfy { $0.inputs[0].elementType == .float64 })
    }
  }
}
