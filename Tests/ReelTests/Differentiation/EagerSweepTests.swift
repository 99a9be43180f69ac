import Reel
import ReelTestSupport
import Testing

/// What a sweep does where nobody differentiates its results again: it writes over cotangents, and adds parts in place.
@Suite struct EagerSweepTests {
  struct Program: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let apply: @Sendable (Tensor) -> Tensor
  }

  /// Functions of `[4, 6]`.
  static let programs = [
    Program(testDescription: "equal parts") { x in
      let (a, b, c) = x.split(into: 3)
      return (a * b * c + tanh(b)).sum()
    },
    Program(testDescription: "some of the parts") { x in
      let parts: [Tensor] = x.split([1, 2, 3])
      return exp(parts[1]).sum()
    },
    Program(testDescription: "parts that overlap, and the whole") { x in
      (x.sliced(0..<4, along: 1) * x.sliced(2..<6, along: 1)).sum() + (x * x).sum() + x[1..<3].sum()
    },
    Program(testDescription: "the whole first") { x in
      let whole = sin(x).sum()
      return whole + (x[0] * x[-1] * 3).sum()
    },
    Program(testDescription: "steps and reversed") { x in
      (x.sliced(0..<6, along: 1, step: 2) * x.reversed(along: 1).sliced(0..<6, along: 1, step: 2)).sum()
    },
    Program(testDescription: "parts of parts") { x in
      let inner = tanh(x)[1..<4]
      return (inner.part(at: 2, along: 1) * inner.part(at: -1, along: 1) + inner[1].sum()).sum()
    },
    Program(testDescription: "one after another") { x in
      x.unstacked().reduce(Tensor.zeros([6], elementType: .float64)) { state, row in tanh(state + row) }.sum()
    },
    Program(testDescription: "no elements") { x in x[2..<2].sum() + x[0].sum() },
    Program(testDescription: "one cotangent for several operands") { x in
      let y = x + x
      return (y + x + y).sum()
    },
    Program(testDescription: "parts of a transpose and of three axes") { x in
      let y = x.transposed().reshaped(to: [2, 3, 4])
      return (y.sliced(1..<3, along: 1) * y.sliced(0..<2, along: 1)).sum() + (y[1] * y[0]).sum()
    },
  ]

  @Test(arguments: programs)
  func gradientsAreThoseOfTheCompiledProgramAndOfDifferences(program: Program) throws {
    let x = sample([4, 6], seed: 1)
    let before: [Double] = x.scalars()
    let found = gradient(at: x, of: program.apply)
    expectClose(found, try compiled { gradient(at: $0, of: program.apply) }(x), relative: 1e-14, "compiled")
    #expect(NumericDerivative(of: { program.apply($0[0]) }).difference([found], at: [x]) == nil)
    // A tape that is differentiated again adds nothing in place.
    let second = gradient(at: x) { x in (gradient(at: x, of: program.apply) * x).sum() }
    let numeric = NumericDerivative { (gradient(at: $0[0], of: program.apply) * $0[0]).sum() }
    #expect(numeric.difference([second], at: [x]) == nil)
    #expect(x.scalars() == before)
  }

  @Test(arguments: programs)
  func pullbacksCanBeCalledAgain(program: Program) {
    let x = sample([4, 6], seed: 2)
    let (_, pullback) = valueWithPullback(at: x) { [program.apply($0).reshaped(to: [1]), $0] }
    let seeds = [Tensor([0.5] as [Double]), sample([4, 6], seed: 3)]
    let before: [Double] = seeds[1].scalars()
    let first = pullback(seeds)
    #expect(pullback(seeds).scalars(as: Double.self) == first.scalars())
    #expect(seeds[1].scalars() == before)
  }

  @Test(arguments: programs)
  func pullbacksOfRecordedCotangentsAreRecorded(program: Program) {
    let x = sample([4, 6], seed: 4)
    let (_, pullback) = valueWithPullback(at: x) { program.apply($0) + ($0[0..<2] * $0[2..<4]).sum() }
    let v = sample([4, 6], seed: 5)
    let seed = number(0.75)
    let derivative = gradient(at: seed) { seed in (pullback(seed) * v).sum() }
    expectClose(derivative, (pullback(number(1)) * v).sum(), relative: 1e-12)
  }
}

/// The short way of elementwise operations, and kernels that threads share, give the bits of the long way.
@Suite struct EagerKernelTests {
  @Test(
    arguments: [
      ([2, 3, 4], [3, 4]), ([3, 4], [2, 3, 4]), ([5, 7], [7]), ([7], [5, 7]), ([4, 1], [1]), ([3], []), ([], [3]),
      ([], []), ([0, 3], [3]), ([2, 0], [0]), ([2, 0], []), ([400, 300], [300]), ([300], [400, 300]),
      ([400, 300], [400, 300]), ([120_000], []), ([4, 1], [4]), ([1], [3]),
    ] as [([Int], [Int])])
  func operandsRepeat(left: [Int], right: [Int]) throws {
    let (a, b) = (sample(Shape(left), seed: 1), sample(Shape(right), seed: 2))
    let expected = try compiled { (a: Tensor, b: Tensor) in a - b * a }(a, b)
    let found = a - b * a
    #expect(found.shape == expected.shape)
    #expect(found.scalars(as: Double.self) == expected.scalars())
    let recorded = valueWithPullback(at: a, b) { a, b in a - b * a }.value
    #expect(recorded.scalars(as: Double.self) == expected.scalars())
  }

  @Test func sharedWorkHasTheBitsOfTheWhole() {
    let (a, b) = (sample([150, 90], seed: 3), sample([90, 70], seed: 4))
    let products = a.unstacked().map { $0.expanded(at: 0).matmul(b) }
    #expect(a.matmul(b).scalars(as: Double.self) == concatenated(products).scalars())
    let left = a.transposed().matmul(b, transposingSelf: true)
    #expect(left.scalars(as: Double.self) == concatenated(products).scalars())
    let wide = sample([40_000], seed: 5)
    let parts = stride(from: 0, to: 40_000, by: 400).map { tanh(wide[$0..<$0 + 400]) }
    #expect(tanh(wide).scalars(as: Double.self) == concatenated(parts).scalars())
  }
}
