import ReelKernels
import Testing

/// Reductions against the tree as the header defines it, and cumulative sums against a running sum.
@Suite struct ReductionTests {
  static let layouts = [
    (1, 0, 1), (1, 1, 1), (1, 15, 1), (1, 16, 1), (1, 17, 1), (5, 10, 1), (4, 33, 1), (9, 100, 1), (1, 1000, 1),
    (0, 3, 1),
    (1, 0, 5), (1, 1, 3), (2, 15, 7), (1, 16, 16), (3, 17, 33), (2, 40, 64), (1, 100, 65), (2, 50, 130), (3, 0, 2),
    (2, 3, 0),
  ]

  /// x[outer, count, inner] folded along the fixed tree: 16 lanes, then 8, 4, 2, 1.
  static func reduced<T>(
    _ x: [T], _ layout: (outer: Int, count: Int, inner: Int), from neutral: T, fold: (T, T) -> T
  ) -> [T] {
    var result: [T] = []
    for outer in 0..<layout.outer {
      for inner in 0..<layout.inner {
        var lanes = [T](repeating: neutral, count: 16)
        for i in 0..<layout.count {
          lanes[i % 16] = fold(lanes[i % 16], x[(outer * layout.count + i) * layout.inner + inner])
        }
        for width in [8, 4, 2, 1] {
          for lane in 0..<width { lanes[lane] = fold(lanes[lane], lanes[lane + width]) }
        }
        result.append(lanes[0])
      }
    }
    return result
  }

  @Test(arguments: Kernels.all) func reals(_ kernels: Kernels) {
    var samples = Samples(seed: 51)
    for layout in Self.layouts {
      let count = layout.0 * layout.1 * layout.2
      let x: [Double] = samples.reals(count)
      var flawed = x
      for _ in 0..<min(count, 3) { flawed[samples.int(0...(count - 1))] = .nan }
      for x in [x, flawed] {
        checkReals(kernels, x, layout)
        checkReals(kernels, x.map(Float.init), layout)
      }
    }
  }

  private func checkReals<T: KernelReal>(_ kernels: Kernels, _ x: [T], _ layout: (Int, Int, Int)) {
    check(kernels, REEL_REDUCE_SUM, x, layout, from: 0, fold: +)
    check(kernels, REEL_REDUCE_PRODUCT, x, layout, from: 1, fold: *)
    check(kernels, REEL_REDUCE_MAXIMUM, x, layout, from: -.infinity) { $1 > $0 || $1.isNaN ? $1 : $0 }
    check(kernels, REEL_REDUCE_MINIMUM, x, layout, from: .infinity) { $1 < $0 || $1.isNaN ? $1 : $0 }
    checkIndices(kernels, REEL_REDUCE_ARGMAX, x, layout) { $0 > $1 || ($0.isNaN && !$1.isNaN) }
    checkIndices(kernels, REEL_REDUCE_ARGMIN, x, layout) { $0 < $1 || ($0.isNaN && !$1.isNaN) }
  }

  @Test(arguments: Kernels.all) func ints(_ kernels: Kernels) {
    var samples = Samples(seed: 52)
    for layout in Self.layouts {
      let x = samples.ints(layout.0 * layout.1 * layout.2)
      check(kernels, REEL_REDUCE_SUM, x, layout, from: 0, fold: &+)
      check(kernels, REEL_REDUCE_PRODUCT, x, layout, from: 1, fold: &*)
      check(kernels, REEL_REDUCE_MAXIMUM, x, layout, from: .min, fold: max)
      check(kernels, REEL_REDUCE_MINIMUM, x, layout, from: .max, fold: min)
      checkIndices(kernels, REEL_REDUCE_ARGMAX, x, layout, >)
      checkIndices(kernels, REEL_REDUCE_ARGMIN, x, layout, <)
    }
  }

  @Test(arguments: Kernels.all) func bools(_ kernels: Kernels) {
    var samples = Samples(seed: 53)
    for layout in Self.layouts {
      let count = layout.0 * layout.1 * layout.2
      let rare = (0..<count).map { _ in UInt8(samples.int(0...20) == 0 ? 1 : 0) }
      check(kernels, REEL_REDUCE_ANY, rare, layout, from: 0, fold: |)
      check(kernels, REEL_REDUCE_ALL, rare.map { 1 - $0 }, layout, from: 1, fold: &)
    }
  }

  /// The same numbers give the same sum whether they lie in a row or in a column.
  @Test(arguments: Kernels.all) func rowsAndColumns(_ kernels: Kernels) {
    var samples = Samples(seed: 54)
    let (sequences, count) = (37, 211)
    let rows: [Float] = samples.reals(sequences * count)
    let columns = (0..<count).flatMap { i in (0..<sequences).map { rows[$0 * count + i] } }
    let one = reduce(kernels, REEL_REDUCE_SUM, rows, (sequences, count, 1), to: Float.self)
    let other = reduce(kernels, REEL_REDUCE_SUM, columns, (1, count, sequences), to: Float.self)
    #expect(one == other)
  }

  @Test(arguments: Kernels.all) func cumulativeSums(_ kernels: Kernels) {
    var samples = Samples(seed: 55)
    for layout in Self.layouts {
      let count = layout.0 * layout.1 * layout.2
      let x: [Double] = samples.reals(count)
      for exclusive in [false, true] {
        for reverse in [false, true] {
          checkCumulative(kernels, x, layout, exclusive, reverse, +)
          checkCumulative(kernels, x.map(Float.init), layout, exclusive, reverse, +)
          checkCumulative(kernels, samples.ints(count), layout, exclusive, reverse, &+)
        }
      }
    }
  }

  private func checkCumulative<T: KernelElement>(
    _ kernels: Kernels, _ x: [T], _ layout: (outer: Int, count: Int, inner: Int), _ exclusive: Bool, _ reverse: Bool,
    _ add: (T, T) -> T
  ) {
    var expected = x
    for outer in 0..<layout.outer {
      for inner in 0..<layout.inner {
        var sum = T.zero
        for step in 0..<layout.count {
          let i = reverse ? layout.count - 1 - step : step
          let index = (outer * layout.count + i) * layout.inner + inner
          expected[index] = exclusive ? sum : add(sum, x[index])
          sum = add(sum, x[index])
        }
      }
    }
    var result = [T](repeating: .zero, count: x.count)
    kernels.table.cumulative_sum(T.type, x, layout.outer, layout.count, layout.inner, exclusive, reverse, &result)
    #expect(result == expected, "\(T.self) \(layout), exclusive: \(exclusive), reverse: \(reverse)")
  }

  private func reduce<T: KernelElement, Result: KernelElement>(
    _ kernels: Kernels, _ reduction: reel_reduction, _ x: [T], _ layout: (outer: Int, count: Int, inner: Int),
    to: Result.Type
  ) -> [Result] {
    var result = [Result](repeating: .zero, count: layout.outer * layout.inner)
    kernels.table.reduce(reduction, T.type, x, layout.outer, layout.count, layout.inner, &result)
    return result
  }

  private func check<T: KernelElement>(
    _ kernels: Kernels, _ reduction: reel_reduction, _ x: [T], _ layout: (Int, Int, Int), from neutral: T,
    fold: (T, T) -> T
  ) {
    let result = reduce(kernels, reduction, x, layout, to: T.self)
    let expected = Self.reduced(x, layout, from: neutral, fold: fold)
    #expect(result.map(\.bits) == expected.map(\.bits), "\(T.self), reduction \(reduction.rawValue), \(layout)")
  }

  private func checkIndices<T: KernelElement>(
    _ kernels: Kernels, _ reduction: reel_reduction, _ x: [T], _ layout: (outer: Int, count: Int, inner: Int),
    _ isBetter: (T, T) -> Bool
  ) {
    let result = reduce(kernels, reduction, x, layout, to: Int32.self)
    var expected: [Int32] = []
    for outer in 0..<layout.outer {
      for inner in 0..<layout.inner {
        let sequence = (0..<layout.count).map { x[(outer * layout.count + $0) * layout.inner + inner] }
        expected.append(Int32(sequence.indices.reduce(0) { isBetter(sequence[$1], sequence[$0]) ? $1 : $0 }))
      }
    }
    #expect(result == expected, "\(T.self), reduction \(reduction.rawValue), \(layout)")
  }
}
