import Reel
import ReelTestSupport
import Testing

@Suite struct RandomTests {
  static let types: [ElementType] = [.float32, .float64]
  static let count = 1 << 16

  static let draws: [(String, @Sendable (Shape, RandomKey, ElementType) -> Tensor)] = [
    ("uniform", { .randomUniform($0, key: $1, elementType: $2) }),
    ("uniform in an interval", { .randomUniform($0, key: $1, from: -2, to: 3, elementType: $2) }),
    ("normal", { .randomNormal($0, key: $1, mean: 1, standardDeviation: 2, elementType: $2) }),
    ("truncated normal", { .randomTruncatedNormal($0, key: $1, elementType: $2) }),
  ]

  @Test func aKeySaysWhatIsDrawn() throws {
    for (name, draw) in Self.draws {
      for type in Self.types {
        let key = RandomKey(seed: 42)
        let first = draw([3, 5], key, type)
        #expect(first.elementType == type && first.shape == [3, 5])
        expectSameBits(draw([3, 5], key, type), first, name)
        expectSameBits(try compiled { (key: RandomKey) in draw([3, 5], key, type) }(key), first, "compiled \(name)")
        #expect(draw([3, 5], RandomKey(seed: 43), type).numbers != first.numbers)
        // Both halves of a seed count.
        #expect(draw([3, 5], RandomKey(seed: 42 + 1 << 32), type).numbers != first.numbers)
      }
    }
  }

  /// The first moments of a draw, each within five standard errors of what it should be.
  static func expectMoments(
    _ x: Tensor, mean: Double, variance: Double, kurtosis: Double, _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let numbers = x.numbers
    let count = Double(numbers.count)
    let found = numbers.reduce(0, +) / count
    let second = numbers.reduce(0) { $0 + ($1 - found) * ($1 - found) } / count
    let fourth = numbers.reduce(0) { $0 + ($1 - found) * ($1 - found) * ($1 - found) * ($1 - found) } / count
    let third = numbers.reduce(0) { $0 + ($1 - found) * ($1 - found) * ($1 - found) } / count
    #expect(abs(found - mean) < 5 * (variance / count).squareRoot(), "mean of \(what)", sourceLocation: sourceLocation)
    #expect(
      abs(second - variance) < 5 * variance * ((kurtosis - 1) / count).squareRoot(), "variance of \(what)",
      sourceLocation: sourceLocation)
    #expect(abs(third) < 0.1 * variance * variance.squareRoot(), "skewness of \(what)", sourceLocation: sourceLocation)
    #expect(abs(fourth / (second * second) - kurtosis) < 0.1, "kurtosis of \(what)", sourceLocation: sourceLocation)
  }

  @Test(arguments: types)
  func distributionsHaveTheirMoments(type: ElementType) {
    let shape: Shape = [Self.count]
    let keys = RandomKey(seed: 1).split(into: 3)
    let uniform = Tensor.randomUniform(shape, key: keys[0], from: -1, to: 3, elementType: type)
    Self.expectMoments(uniform, mean: 1, variance: 16.0 / 12, kurtosis: 1.8, "uniform \(type)")
    let normal = Tensor.randomNormal(shape, key: keys[1], mean: -2, standardDeviation: 3, elementType: type)
    Self.expectMoments(normal, mean: -2, variance: 9, kurtosis: 3, "normal \(type)")
    let truncated = Tensor.randomTruncatedNormal(
      shape, key: keys[2], mean: 1, standardDeviation: 0.5, elementType: type)
    // The moments of the standard normal distribution between ±2.
    Self.expectMoments(truncated, mean: 1, variance: 0.25 * 0.7737413, kurtosis: 2.3704, "truncated \(type)")
    #expect(truncated.numbers.allSatisfy { abs($0 - 1) <= 1.0000001 })
    #expect(truncated.numbers.contains { abs($0 - 1) > 0.95 })
  }

  @Test(arguments: types)
  func uniformNumbersFillTheirInterval(type: ElementType) {
    let x = Tensor.randomUniform([Self.count], key: RandomKey(seed: 3), elementType: type).numbers
    #expect(x.allSatisfy { $0 >= 0 && $0 < 1 })
    let bins = x.reduce(into: [Int](repeating: 0, count: 16)) { $0[Int($1 * 16)] += 1 }
    let expected = Double(Self.count) / 16
    let chiSquared = bins.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
    #expect(chiSquared < 45, "beyond the 0.0001 quantile for 15 degrees of freedom")
    if type == .float64 { #expect(x.contains { $0 * 0x1p40 != ($0 * 0x1p40).rounded() }, "more than 40 random bits") }
  }

  @Test(arguments: types)
  func theUpperBoundIsNotReached(type: ElementType) {
    // So narrow an interval that rounding to nearest would reach its end.
    let upper = type == .float32 ? Double(Float(1).nextUp.nextUp) : 1.0.nextUp.nextUp
    let x = Tensor.randomUniform([1000], key: RandomKey(seed: 4), from: 1, to: upper, elementType: type).numbers
    #expect(x.allSatisfy { $0 >= 1 && $0 < upper })
    #expect(Set(x).count == 2)
  }

  @Test func splitKeysAreIndependent() {
    let keys =
      RandomKey(seed: 5).split(into: 4) + RandomKey(seed: 5).split(into: 4)[0].split(into: 2) + [RandomKey(seed: 5)]
    #expect(Set(keys.map { $0.words.numbers }).count == keys.count)
    let draws = keys.map { Tensor.randomNormal([Self.count], key: $0).numbers }
    for first in draws.indices {
      for second in 0..<first {
        let correlation = zip(draws[first], draws[second]).reduce(0) { $0 + $1.0 * $1.1 } / Double(Self.count)
        #expect(abs(correlation) < 5 / Double(Self.count).squareRoot(), "keys \(first) and \(second)")
      }
    }
  }

  @Test func neighboursAreIndependent() {
    let x = Tensor.randomNormal([Self.count], key: RandomKey(seed: 6), elementType: .float64).numbers
    for lag in [1, 2, 3, 4, 8, Self.count / 2] {
      let correlation = zip(x, x[lag...]).reduce(0) { $0 + $1.0 * $1.1 } / Double(x.count - lag)
      #expect(abs(correlation) < 5 / Double(x.count - lag).squareRoot(), "lag \(lag)")
    }
  }

  @Test func batchesDrawForEachKey() throws {
    let graph = try Graph(tracing: [TensorType([2], .int32)]) { words in
      var key = RandomKey(seed: 0)
      key.words = words[0]
      return [.randomNormal([3], key: key)]
    }
    let keys = RandomKey(seed: 7).split(into: 4).map(\.words)
    let found = graph.vectorized([stacked(keys)], isBatched: [true], count: 4).outputs[0]
    for (index, key) in keys.enumerated() { expectSameBits(found[index], graph([key])[0], "key \(index)") }
  }

  /// In a process of its own, for the stream is one for the whole process.
  @Test func compiledCodeDrawsFromTheStreamOfTheProcess() async {
    await #expect(processExitsWith: .success) {
      func draw() -> Tensor { .randomUniform([4]) + .random([4]) * 0.5 }
      seedRandomness(11)
      let eager = (0..<3).map { _ in draw() }
      #expect(Set(eager.map(\.numbers)).count == 3, "every draw is another one")
      seedRandomness(11)
      let step = compiled { (x: Tensor) in draw() + x }
      for round in 0..<3 { expectSameBits(try step(.zeros([4])), eager[round], "round \(round)") }
      // Eager and compiled draws take turns on one stream.
      seedRandomness(11)
      _ = draw()
      expectSameBits(try step(.zeros([4])), eager[1])
      expectSameBits(draw(), eager[2])
      // And so does a gradient.
      seedRandomness(11)
      for round in 0..<2 { expectSameBits(gradient(at: Tensor.ones([4])) { ($0 * draw()).sum() }, eager[round]) }
    }
  }
}
