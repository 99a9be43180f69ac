import Reel
import ReelTestSupport
import Testing

@Suite struct CompositionTests {
  @Test(arguments: CompositionTable.rows)
  func valuesAreThoseOfPlainCode(row: OperationRow) throws {
    #expect(row.valueFailure() == nil)
    #expect(row.precisionFailure() == nil)
    #expect(try row.compiledFailure() == nil)
  }

  @Test(arguments: CompositionTable.rows)
  func derivativesAreThoseOfDifferences(row: OperationRow) {
    #expect(row.gradientFailure() == nil)
    #expect(row.secondOrderFailure() == nil)
  }

  @Test(arguments: CompositionTable.rows)
  func batchesAreLoops(row: OperationRow) throws {
    #expect(try row.batchingFailure() == nil)
  }

  static let logSums: [([Double], Double)] = [
    ([-.infinity, 0], 0), ([-.infinity, -.infinity], -.infinity), ([.infinity, 0], .infinity), ([.nan, 0], .nan),
    ([1000, 1000], 1000.6931471805599), ([-1000, -1000], -999.3068528194401), ([.infinity, -.infinity], .infinity),
  ]

  @Test(arguments: logSums)
  func logSumExpNeitherOverflowsNorLosesInfinities(x: [Double], expected: Double) {
    expectClose(Tensor(x).logSumExp(), Tensor([expected], shape: []), relative: 1e-14, absolute: 0)
    expectClose(Tensor(x, shape: [1, 2]).logSumExp(along: [1]), Tensor([expected]), relative: 1e-14, absolute: 0)
    let single = Tensor(x).converted(to: .float32).logSumExp()
    expectClose(single, Tensor([Float(expected)], shape: []), relative: 1e-6, absolute: 0)
  }

  @Test func softmaxDoesNotOverflow() {
    let logits = Tensor([1000, 1000, -1000, -1000, -1001, -1000, 0, -Float.infinity, 0], shape: [3, 3])
    expectClose(softmax(logits)[0], [0.5, 0.5, 0])
    expectClose(softmax(logits)[2], [0.5, 0, 0.5])
    expectClose(logSoftmax(logits)[0], [-0.6931472, -0.6931472, -2000.6931])
    expectClose(softmax(logits).sum(along: [-1]), [1, 1, 1], relative: 1e-6)
    let slope = gradient(at: logits[0]) { logSoftmax($0)[0] }
    expectClose(slope, [0.5, -0.5, 0])
  }

  @Test func logSoftmaxKeepsDigitsThatTheLogarithmOfSoftmaxLoses() {
    expectClose(logSoftmax(Tensor([0.0, -800])), Tensor([0.0, -800]), relative: 1e-15, absolute: 0)
    #expect(log(softmax(Tensor([0.0, -800])))[1].item == -.infinity)
  }

  @Test func oneHotLeavesOutLabelsOutOfRange() {
    let labels = Tensor([2, 0, -1, 3] as [Int32])
    expectSameBits(labels.oneHot(3), [[0, 0, 1], [1, 0, 0], [0, 0, 0], [0, 0, 0]])
    expectSameBits(labels[0].oneHot(3, elementType: .int32), Tensor([0, 0, 1] as [Int32]))
    expectSameBits(labels[0..<0].oneHot(2), .zeros([0, 2]))
  }

  @Test func identityAndIota() {
    expectSameBits(.identity(3), [[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    expectSameBits(.identity(0), .zeros([0, 0]))
    expectSameBits(.iota(3), Tensor([0, 1, 2] as [Int32]))
    expectSameBits(.iota(3, from: 1, by: -0.25, elementType: .float64), Tensor([1, 0.75, 0.5]))
    expectSameBits(.iota(0), Tensor([] as [Int32]))
    // Each number is computed afresh, so that errors do not add up.
    #expect(Tensor.iota(1001, by: 0.1, elementType: .float64)[1000].item == 100)
  }

  @Test func shortcutsGiveTheTensorItself() throws {
    let graph = try Graph(tracing: [TensorType([2, 3])]) { x in
      let x = x[0]
      return [
        x.reshaped(to: [2, 3]), x.broadcasted(to: [2, 3]), x.transposed([0, 1]), x.sliced(0..<2, along: 0),
        x.padded(along: 1),
        x.converted(to: .float32), concatenated([x]), x.movingAxis(1, to: -1),
      ]
    }
    #expect(graph.description == "graph (%0: f32[2,3]) {\n  return %0, %0, %0, %0, %0, %0, %0, %0\n}")
  }
}
