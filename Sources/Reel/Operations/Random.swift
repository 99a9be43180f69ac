import Synchronization

/// Uniform random bits as a function of a key and of the position alone: Philox 4×32-10.
///
/// The generator is that of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011). The key
/// is an operand, so that a recorded program draws anew for every key; several keys draw side by side.
///
///     operand:  keys [..., 2]      result:  [...] + shape
package struct RandomBits: Operation {
  let shape: Shape

  package var name: String { "randomBits" }
  package var isCheap: Bool { false }

  package func resultTypes(of operands: [TensorType]) throws(TensorError) -> [TensorType] {
    let keys = operands[0]
    guard keys.elementType == .int32, keys.shape.rank > 0, keys.shape.last == 2 else {
      throw TensorError(
        operation: name, operands: operands, problem: "a key of type \(keys)", expected: "i32[..., 2]")
    }
    return [TensorType(Shape(keys.shape.extents.dropLast() + shape.extents), .int32)]
  }

  package func run(_ operands: [Storage], into results: [Storage]) {
    let words = operands[0].elements(as: Int32.self)
    let streams = results[0].viewed(as: TensorType(shape, .int32).stacked(words.count / 2))
    for stream in 0..<words.count / 2 {
      Kernels.randomBits(key: (words[2 * stream], words[2 * stream + 1]), into: streams.slice(stream))
    }
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] { [nil] }

  package func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor] {
    apply(operands)
  }
}

extension RandomBits: ReadableOperation {
  package static let names = ["randomBits"]

  package init(reading text: inout OperationText) throws(GraphSyntaxError) {
    try text.expect(operands: 1)
    shape = text.results[0].shape
  }
}

/// Where random numbers come from: a key that says which stream, and is used for one draw.
///
/// The same key gives the same numbers on every machine and in every mode. Split a key to draw more than once.
public struct RandomKey: TensorFields, Sendable {
  /// The key, `i32[2]`.
  public var words: Tensor

  /// The tensors of the structure.
  public static var fields: Fields<Self> { .init(\.words) }

  /// The key of a seed.
  public init(seed: UInt64) {
    words = Tensor([Int32(truncatingIfNeeded: seed), Int32(truncatingIfNeeded: seed >> 32)])
  }

  /// The key of two words.
  package init(words: Tensor) { self.words = words }

  /// Independent keys; this one is not to be used for anything else then.
  public func split(into count: Int) -> [RandomKey] {
    RandomBits(shape: [count, 2])(words).unstacked().map(RandomKey.init(words:))
  }
}

extension Tensor {
  /// Uniformly distributed numbers in `lower..<upper`.
  ///
  /// - Parameters:
  ///   - shape: The shape of the result.
  ///   - key: The stream; the next of the process's own if nil (see ``seedRandomness(_:)``).
  ///   - lower: The lower bound; 0 by default.
  ///   - upper: The upper bound, which is not reached; 1 by default.
  ///   - elementType: A floating-point type; ``ElementType/default`` if nil.
  public static func randomUniform(
    _ shape: Shape, key: RandomKey? = nil, from lower: Double = 0, to upper: Double = 1, elementType: ElementType? = nil
  ) -> Tensor {
    let elementType = elementType ?? .default
    let unit = unitUniform(shape, key ?? .next(), elementType)
    if lower == 0 && upper == 1 { return unit }
    // Rounding may reach the upper bound: then it is the number before it.
    let last = elementType == .float32 && Double(Float(upper)) >= upper ? Double(Float(upper).nextDown) : upper.nextDown
    let spread = unit * Tensor(.number(upper - lower)) + Tensor(.number(lower))
    return minimum(spread, Tensor(.number(Swift.max(lower, last))))
  }

  /// Uniformly distributed numbers in 0..<1: 24 random bits of `float32`, 53 of `float64`.
  private static func unitUniform(_ shape: Shape, _ key: RandomKey, _ elementType: ElementType) -> Tensor {
    func bits(_ count: Int, of words: Tensor) -> Tensor {
      remainder(words, Tensor(.number(Double(1 << count)))).converted(to: elementType)
    }
    guard elementType == .float64 else { return bits(24, of: RandomBits(shape: shape)(key.words)) * 0x1p-24 }
    let words = RandomBits(shape: shape.inserting(2, at: 0))(key.words)
    return (bits(26, of: words[0]) * 0x1p27 + bits(27, of: words[1])) * 0x1p-53
  }

  /// Normally distributed numbers, by the transform of Box and Muller (1958): √(-2 log u₁) · cos 2πu₂.
  ///
  /// - Parameters:
  ///   - shape: The shape of the result.
  ///   - key: The stream; the next of the process's own if nil.
  ///   - mean: The mean; 0 by default.
  ///   - standardDeviation: The standard deviation; 1 by default.
  ///   - elementType: A floating-point type; ``ElementType/default`` if nil.
  public static func randomNormal(
    _ shape: Shape, key: RandomKey? = nil, mean: Double = 0, standardDeviation: Double = 1,
    elementType: ElementType? = nil
  ) -> Tensor {
    let uniform = unitUniform(shape.inserting(2, at: 0), key ?? .next(), elementType ?? .default)
    // 1 - u lies in (0, 1], where the logarithm is finite.
    let radius = sqrt(-2 * log(1 - uniform[0]))
    let normal = radius * cos(uniform[1] * Tensor(.number(2 * .pi)))
    return normal * Tensor(.number(standardDeviation)) + Tensor(.number(mean))
  }

  /// Numbers of a normal distribution cut off at two standard deviations, by inversion: √2 · erf⁻¹(u), u uniform between
  /// ±erf(√2). The cut makes the true standard deviation 0.8796 times that of the parameter.
  ///
  /// Parameters as in ``randomNormal(_:key:mean:standardDeviation:elementType:)``.
  public static func randomTruncatedNormal(
    _ shape: Shape, key: RandomKey? = nil, mean: Double = 0, standardDeviation: Double = 1,
    elementType: ElementType? = nil
  ) -> Tensor {
    let erfOfRootTwo = 0.9544997361036416
    let uniform = randomUniform(shape, key: key, from: -erfOfRootTwo, to: erfOfRootTwo, elementType: elementType)
    return inverseErf(uniform) * Tensor(.number(2.0.squareRoot() * standardDeviation)) + Tensor(.number(mean))
  }

  /// Normally distributed numbers of the process's own stream: test data in one word.
  public static func random(_ shape: Shape, elementType: ElementType? = nil) -> Tensor {
    randomNormal(shape, elementType: elementType)
  }
}

/// erf⁻¹ for |y| ≤ 0.96: the polynomial of Giles, "Approximating the erfinv function" (2012), and two steps of Newton's
/// method, which double its digits.
private func inverseErf(_ y: Tensor) -> Tensor {
  let w = -log((1 - y) * (1 + y)) - 2.5
  let coefficients: [Double] = [
    2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503, -0.00417768164,
    0.246640727, 1.50140941,
  ]
  var x = y * coefficients.dropFirst().reduce(Tensor(.number(coefficients[0]))) { $0 * w + Tensor(.number($1)) }
  for _ in 0..<2 {
    x = x - (erf(x) - y) * exp(x * x) * Tensor(.number(Double.pi.squareRoot() / 2))
  }
  return x
}

// MARK: - The stream of the process

extension RandomKey {
  /// Holds the seed and how many keys were given out.
  private static let process = Variable(Tensor([0, 0] as [Int32]), name: "randomKey")

  /// The stream that keys are drawn from.
  @TaskLocal private static var currentStream = process

  /// Held from reading the stream to assigning it, so that no two threads draw the same key.
  private static let turn = Mutex(())

  /// The next key of the stream.
  static func next() -> RandomKey {
    turn.withLock { _ in
      let drawn = RandomBits(shape: [2, 2])(currentStream.value)
      currentStream.value = drawn[0]
      return RandomKey(words: drawn[1])
    }
  }

  /// Where the stream of the running code is, for checkpoints: the next key is drawn from it.
  package static var stream: RandomKey {
    get { RandomKey(words: turn.withLock { _ in currentStream.concrete }) }
    set { turn.withLock { _ in currentStream.concrete = newValue.words } }
  }

  static func seed(_ seed: UInt64) { currentStream.value = RandomKey(seed: seed).words }

  static func withStream<Result>(_ seed: UInt64, _ body: () throws -> Result) rethrows -> Result {
    try $currentStream.withValue(Variable(RandomKey(seed: seed).words, name: "randomKey"), operation: body)
  }
}

/// Starts the stream of random numbers afresh, so that what follows can be repeated.
///
/// Initializers, dropout and random functions without a key draw from it. It starts with seed 0.
public func seedRandomness(_ seed: UInt64) { RandomKey.seed(seed) }

/// Runs `body` with a stream of random numbers of its own: the same numbers each time, and none of the stream outside.
///
/// - Parameters:
///   - seed: The seed of the stream.
///   - body: What draws from it.
public func withRandomSeed<Result>(_ seed: UInt64, _ body: () throws -> Result) rethrows -> Result {
  try RandomKey.withStream(seed, body)
}
