import Reel
import ReelTestSupport
import Testing

@Suite struct VectorizeTests {
  @Test func theResultIsThatOfALoop() throws {
    let (x, y) = (sample([5, 3], seed: 1), sample([5, 3], seed: 2))
    let function = vectorize { (x: Tensor, y: Tensor) in Pair((x * y).sum(), tanh(x)) }
    let found = function(x, y)
    expectSameBits(found.first, stacked((0..<5).map { (x[$0] * y[$0]).sum() }))
    expectSameBits(found.second, tanh(x))
    let staged = try compiled { function($0, $1) }(x, y)
    expectSameBits(staged.first, found.first)
    expectSameBits(staged.second, found.second)
  }

  @Test func axesAreChosenForEachArgument() {
    let (x, y, w) = (sample([3, 5], seed: 1), sample([2, 5, 3], seed: 2), sample([3], seed: 3))
    let function = { (x: Tensor, y: Tensor, w: Tensor) in y * w + x }
    let expected = (0..<5).map { function(x.part(at: $0, along: 1), y.part(at: $0, along: 1), w) }
    expectSameBits(vectorize(along: [1, -2, nil], function)(x, y, w), stacked(expected))
    expectSameBits(vectorize(along: [1, 1, nil], resultAxis: 1, function)(x, y, w), stacked(expected, along: 1))
    expectSameBits(vectorize(along: [-1, 1, nil], resultAxis: -1, function)(x, y, w), stacked(expected, along: -1))
  }

  @Test func whatDoesNotDependOnTheAxisIsComputedOnceAndRepeated() throws {
    let w = sample([3, 3], seed: 1)
    let graph = try Graph(tracing: [TensorType([5, 3], .float64), TensorType([3, 3], .float64)]) { x in
      vectorize { (row: Tensor) in [row + tanh(x[1]).sum(), tanh(x[1])] }(x[0])
    }
    #expect(graph.outputTypes.map(\.shape) == [[5, 3], [5, 3, 3]])
    #expect(graph.nodes.filter { $0.operation.name == "tanh" }.allSatisfy { $0.results[0].shape == [3, 3] })
    let found = graph([sample([5, 3], seed: 2), w])
    expectSameBits(found[1], tanh(w).broadcasted(to: [5, 3, 3]))
  }

  @Test func vectorizedFunctionsNest() {
    let (x, y) = (sample([4, 3], seed: 1), sample([5, 3], seed: 2))
    let products = vectorize { (x: Tensor) in vectorize { (y: Tensor) in (x * y).sum() }(y) }(x)
    expectClose(products, x.matmul(y, transposingOther: true), relative: 1e-13)
  }

  /// A loop with a batched sequence, weight or state, and all choices of them.
  @Test(arguments: 1..<8)
  func loopsAreVectorized(choice: Int) throws {
    let shapes: [Shape] = [[4, 2, 3], [3, 3], [2, 3]]
    let axes = shapes.indices.map { choice >> $0 & 1 == 1 ? 0 : nil }
    let x = zip(shapes, axes).enumerated().map { index, part in
      sample(Shape((part.1 == nil ? [] : [5]) + part.0.extents), seed: UInt64(index) + 1)
    }
    func row(_ argument: Int, _ index: Int) -> Tensor { axes[argument] == nil ? x[argument] : x[argument][index] }
    let function = { (x: Tensor, w: Tensor, h: Tensor) in ForwardModeTests.recurrence(x, w, h) }
    let expected = (0..<5).map { function(row(0, $0), row(1, $0), row(2, $0)) }
    expectClose(vectorize(along: axes, function)(x[0], x[1], x[2]), stacked(expected), relative: 1e-13)

    let gradients = { (x: Tensor, w: Tensor, h: Tensor) in
      let (dx, dw, dh) = gradient(at: x, w, h, of: function)
      return [dx, dw, dh]
    }
    let rows = (0..<5).map { gradients(row(0, $0), row(1, $0), row(2, $0)) }
    let batched = vectorize(along: axes, gradients)
    for (index, found) in batched(x[0], x[1], x[2]).enumerated() {
      expectClose(found, stacked(rows.map { $0[index] }), relative: 1e-12, "gradient \(index)")
    }
    for (index, found) in try compiled({ batched($0, $1, $2) })(x[0], x[1], x[2]).enumerated() {
      expectClose(found, stacked(rows.map { $0[index] }), relative: 1e-12, "compiled gradient \(index)")
    }
    // The gradient of the vectorized function: what is shared has the sum of the gradients.
    let (dx, dw, dh) = gradient(at: x[0], x[1], x[2]) { vectorize(along: axes, function)($0, $1, $2).sum() }
    for (index, found) in [dx, dw, dh].enumerated() {
      let stack = stacked(rows.map { $0[index] })
      expectClose(found, axes[index] == nil ? stack.sum(along: [0]) : stack, relative: 1e-12, "gradient \(index)")
    }
  }

  @Test func derivativesAlongManyDirectionsAreOneBatch() {
    let v = ForwardModeTests.point.enumerated().map { index, x in
      sample(Shape([6] + x.shape.extents), seed: UInt64(index) + 20)
    }
    let found = vectorize { (v: [Tensor]) in jvp(at: ForwardModeTests.point, along: v, of: ForwardModeTests.function) }(
      v)
    let expected = (0..<6).map { row in
      jvp(at: ForwardModeTests.point, along: v.map { $0[row] }, of: ForwardModeTests.function)
    }
    expectClose(found, stacked(expected), relative: 1e-12)
  }

  @Test func keysAmongTheArgumentsDrawForEachIndex() throws {
    let keys = RandomKey(seed: 5).split(into: 4)
    let batch = stacked(keys.map(\.words))
    let draw = { (words: Tensor) in
      var key = RandomKey(seed: 0)
      key.words = words
      return Tensor.randomNormal([3], key: key, elementType: .float64)
    }
    let expected = stacked(keys.map { Tensor.randomNormal([3], key: $0, elementType: .float64) })
    expectSameBits(vectorize(draw)(batch), expected)
    let graph = try Graph(tracing: [TensorType([4, 2], .int32)]) { [vectorize(draw)($0[0])] }
    #expect(graph.nodes.filter { $0.operation.name == "randomBits" }.count == 1)
    // A key from outside is the same for every index.
    let shared = vectorize { (x: Tensor) in x + Tensor.randomNormal([3], key: keys[0], elementType: .float64) }
    expectSameBits(shared(.zeros([2, 3], elementType: .float64)), stacked([expected[0], expected[0]]))
  }

  @Test func aPullbackOfOnesOwnStays() throws {
    let x = sample([4, 3], seed: 1)
    let squares = vectorize { (x: Tensor) in CustomPullbackTests.square(x) }
    expectSameBits(squares(x), x * x)
    expectSameBits(gradient(at: x) { squares($0).sum() }, 20 * x)
    expectSameBits(try compiled { gradient(at: $0) { squares($0).sum() } }(x), 20 * x)
    expectSameBits(vectorize { (x: Tensor) in gradient(at: x) { CustomPullbackTests.square($0).sum() } }(x), 20 * x)
    expectSameBits(jvp(at: x, along: .ones(like: x)) { squares($0) }, 20 * x)
    let twice = vectorize { (x: Tensor) in vectorize { (x: Tensor) in CustomPullbackTests.square(x) }(x) }
    expectSameBits(gradient(at: x) { twice($0).sum() }, 20 * x)
  }

  /// A pullback of two operands, of which one or the other is shared by the batch: its cotangents are added up.
  @Test(arguments: [[0, nil], [nil, 0], [0, 0]] as [[Int?]])
  func sharedOperandsOfSuchAPullbackGetTheSum(axes: [Int?]) {
    let product = { (a: Tensor, b: Tensor) in
      withCustomPullback(at: [a, b]) {
        $0[0] * $0[1]
      } pullback: { x, _, cotangent in
        [10 * cotangent * x[1], 100 * cotangent * x[0]]
      }
    }
    let x = axes.enumerated().map { sample($1 == nil ? [3] : [4, 3], seed: UInt64($0) + 1) }
    let weights = sample([4, 3], seed: 9)
    let (da, db) = gradient(at: x[0], x[1]) { (vectorize(along: axes, product)($0, $1) * weights).sum() }
    func expected(_ other: Tensor, _ factor: Double, _ axis: Int?) -> Tensor {
      let rows = weights * other * Tensor(factor)
      return axis == nil ? rows.sum(along: [0]) : rows
    }
    expectClose(da, expected(x[1], 10, axes[0]), relative: 1e-13)
    expectClose(db, expected(x[0], 100, axes[1]), relative: 1e-13)
  }
}
