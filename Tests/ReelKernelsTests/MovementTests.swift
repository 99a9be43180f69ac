import ReelKernels
import Testing

/// Filling, copying, gathering and scattering against plain loops.
@Suite struct MovementTests {
  private let table = Kernels.best.table

  @Test func iota() {
    var floats = [Float](repeating: 0, count: 40)
    table.iota(REEL_FLOAT32, 0.1, 0.3, floats.count, &floats)
    #expect(floats == (0..<40).map { Float(0.1 + Double($0) * 0.3) })
    var doubles = [Double](repeating: 0, count: 40)
    table.iota(REEL_FLOAT64, -7, 1e-3, doubles.count, &doubles)
    #expect(doubles == (0..<40).map { -7 + Double($0) * 1e-3 })
    var ints = [Int32](repeating: 0, count: 5)
    table.iota(REEL_INT32, -2, 1.5, ints.count, &ints)
    #expect(ints == [-2, 0, 1, 2, 4])
    table.iota(REEL_INT32, 2_147_483_646, 1, ints.count, &ints)
    #expect(ints == [.max - 1, .max, .max, .max, .max])
    table.iota(REEL_INT32, 0, -.infinity, ints.count, &ints)
    #expect(ints == [0, .min, .min, .min, .min])
  }

  @Test func fill() {
    func check<T: KernelElement>(_ value: T) {
      var values = [T](repeating: .zero, count: 67)
      var value = value
      table.fill(T.type, &value, values.count, &values)
      #expect(values == [T](repeating: value, count: 67))
    }
    check(Float(1.5))
    check(-2.5)
    check(Int32(-7))
    check(UInt8(1))
  }

  /// Any permutation of the axes, with gaps, reversed or broadcast.
  @Test func stridedCopies() {
    var samples = Samples(seed: 61)
    for round in 0..<300 {
      let rank = samples.int(0...(round % 10 == 0 ? 8 : 4))
      let smallest = round % 25 == 3 ? 0 : 1
      let largest = rank < 3 ? 40 : rank < 5 ? 7 : 3
      let extents = (0..<rank).map { _ in samples.int(smallest...largest) }
      let source = Strides.random(extents, isDestination: false, &samples)
      let destination = Strides.random(extents, isDestination: true, &samples)
      checkCopy(samples.ints(source.count), extents, source, destination)
      checkCopy(samples.bools(source.count), extents, source, destination)
      checkCopy(samples.reals(source.count) as [Double], extents, source, destination)
    }
  }

  private struct Strides {
    var strides: [Int]
    var origin = 0
    var count = 1

    static func random(_ extents: [Int], isDestination: Bool, _ samples: inout Samples) -> Strides {
      var result = Strides(strides: extents.map { _ in 0 })
      let order = samples.bool() ? Array(extents.indices.reversed()) : extents.indices.shuffled(using: &samples)
      for axis in order {
        if !isDestination && samples.int(0...7) == 0 { continue }
        let stride = result.count + (samples.int(0...4) == 0 ? 1 : 0)
        let isReversed = samples.int(0...7) == 0
        result.strides[axis] = isReversed ? -stride : stride
        if isReversed { result.origin += stride * max(0, extents[axis] - 1) }
        result.count = stride * max(1, extents[axis])
      }
      return result
    }

    func index(_ position: [Int]) -> Int { zip(position, strides).reduce(origin) { $0 + $1.0 * $1.1 } }
  }

  private func checkCopy<T: KernelElement>(_ values: [T], _ extents: [Int], _ source: Strides, _ destination: Strides) {
    var copied = [T](repeating: .zero, count: destination.count)
    var expected = copied
    var position = extents.map { _ in 0 }
    for number in 0..<extents.reduce(1, *) {
      var rest = number
      for axis in extents.indices.reversed() {
        position[axis] = rest % extents[axis]
        rest /= extents[axis]
      }
      expected[destination.index(position)] = values[source.index(position)]
    }
    values.withUnsafeBufferPointer { from in
      copied.withUnsafeMutableBufferPointer { to in
        table.copy(
          T.type, extents.count, extents, from.baseAddress! + source.origin, source.strides,
          to.baseAddress! + destination.origin, destination.strides)
      }
    }
    #expect(copied == expected, "\(T.self), extents \(extents), from \(source), to \(destination)")
  }

  @Test func gather() {
    var samples = Samples(seed: 62)
    for (outer, count, inner, indexCount) in [(1, 5, 3, 9), (3, 4, 1, 7), (2, 1, 8, 3), (1, 6, 2, 0), (0, 3, 2, 4)] {
      let x: [Double] = samples.reals(outer * count * inner)
      let indices = (0..<indexCount).map { _ in Int32(samples.int(-2...(count + 1))) }
      var y = [Double](repeating: 0, count: outer * indexCount * inner)
      table.gather(REEL_FLOAT64, x, outer, count, inner, indices, indexCount, &y)
      var expected: [Double] = []
      for o in 0..<outer {
        for index in indices {
          let row = o * count + min(max(Int(index), 0), count - 1)
          expected += x[(row * inner)..<((row + 1) * inner)]
        }
      }
      #expect(y == expected)
    }
  }

  @Test func scatterAdd() {
    checkScatter { (samples, count) in
      samples.reals(count) as [Float]
    } add: {
      $0 + $1
    }
    checkScatter { (samples, count) in
      samples.reals(count) as [Double]
    } add: {
      $0 + $1
    }
    checkScatter { (samples, count) in
      samples.ints(count)
    } add: {
      $0 &+ $1
    }
  }

  private func checkScatter<T: KernelElement>(make: (inout Samples, Int) -> [T], add: (T, T) -> T) {
    var samples = Samples(seed: 63)
    for (outer, count, inner, indexCount) in [(1, 5, 3, 40), (3, 4, 1, 17), (2, 1, 33, 6), (1, 6, 2, 0)] {
      let x = make(&samples, outer * indexCount * inner)
      let indices = (0..<indexCount).map { _ in Int32(samples.int(-2...(count + 1))) }
      var y = make(&samples, outer * count * inner)
      var expected = y
      for o in 0..<outer {
        for (j, index) in indices.enumerated() where (0..<count).contains(Int(index)) {
          for i in 0..<inner {
            let to = (o * count + Int(index)) * inner + i
            expected[to] = add(expected[to], x[(o * indexCount + j) * inner + i])
          }
        }
      }
      table.scatter_add(T.type, x, outer, indexCount, inner, indices, count, &y)
      #expect(y.map(\.bits) == expected.map(\.bits))
    }
  }

  @Test func overlapAdd() {
    checkOverlap(make: { $0.reals($1) as [Float] }, add: { $0 + $1 })
    checkOverlap(make: { $0.reals($1) as [Double] }, add: { $0 + $1 })
    checkOverlap(make: { $0.ints($1) }, add: { $0 &+ $1 })
  }

  private func checkOverlap<T: KernelElement>(make: (inout Samples, Int) -> [T], add: (T, T) -> T) {
    var samples = Samples(seed: 64)
    let cases = [
      (outer: 1, windows: 4, size: 3, inner: 1, stride: 1, dilation: 1), (2, 3, 2, 5, 3, 1), (3, 5, 4, 2, 2, 3),
      (1, 1, 6, 17, 4, 1), (2, 0, 3, 2, 1, 1), (2, 7, 1, 3, 1, 9),
    ]
    for (outer, windows, size, inner, stride, dilation) in cases {
      let extent = max(windows - 1, 0) * stride + (size - 1) * dilation + 2
      let x = make(&samples, outer * windows * size * inner)
      var y = make(&samples, outer * extent * inner)
      var expected = y
      for o in 0..<outer {
        for i in 0..<windows {
          for j in 0..<size {
            for k in 0..<inner {
              let to = (o * extent + i * stride + j * dilation) * inner + k
              expected[to] = add(expected[to], x[((o * windows + i) * size + j) * inner + k])
            }
          }
        }
      }
      table.overlap_add(T.type, x, outer, windows, size, inner, stride, dilation, extent, &y)
      #expect(y.map(\.bits) == expected.map(\.bits))
    }
  }
}
