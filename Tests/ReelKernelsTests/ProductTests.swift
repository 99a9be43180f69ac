import ReelKernels
import Testing

/// Products against the definition, one chain of fused multiply-adds for each element: every bit, every instruction set.
@Suite struct ProductTests {
  /// One product with everything about it that may vary.
  struct Problem: Sendable {
    var m, n, k: Int
    var a, b, addend: (row: Int, column: Int)
    var columnsOfC: Int
    var isPacked, accumulates, hasAddend: Bool
    /// From the last k to the first: with strides along k that go back.
    var descends = false

    static func random(_ samples: inout Samples) -> Problem {
      let sizes = [1, 2, 3, 5, 7, 8, 12, 13, 16, 17, 24, 31, 33, 48, 65, 70, 130]
      let m = sizes[samples.int(0...12)]
      let n = sizes[samples.int(0...16)]
      let lengths = [0...1, 2...80, 2...80, 2...80, 2...80, 2...80, 2...80, 2...80, 250...700]
      let k = samples.int(lengths[samples.int(0...8)])
      func strides(_ rows: Int, _ columns: Int) -> (row: Int, column: Int) {
        switch samples.int(0...3) {
        case 0: (columns, 1)
        case 1: (columns + samples.int(1...5), 1)
        case 2: (1, rows + samples.int(0...2))
        default: (2 * columns + 1, 2)
        }
      }
      let addends = [(n, 1), (n + 3, 1), (0, 1), (1, 0), (0, 0), (1, m)]
      var problem = Problem(
        m: m, n: n, k: k, a: strides(m, k), b: strides(k, n), addend: addends[samples.int(0...5)],
        columnsOfC: n + (samples.bool() ? 0 : samples.int(1...4)), isPacked: samples.int(0...2) == 0,
        accumulates: samples.bool(), hasAddend: samples.bool())
      problem.descends = !problem.isPacked && samples.bool()
      return problem
    }
  }

  @Test(arguments: Kernels.all) func randomProblemsFloat32(_ kernels: Kernels) {
    randomProblems(kernels, Float.self, count: 250, seed: 41)
  }

  @Test(arguments: Kernels.all) func randomProblemsFloat64(_ kernels: Kernels) {
    randomProblems(kernels, Double.self, count: 200, seed: 42)
  }

  /// Wide rows of B, many rows of A, long chains: packing by blocks and blocks of columns.
  @Test(arguments: Kernels.vectorized) func largeProblems(_ kernels: Kernels) {
    var samples = Samples(seed: 43)
    for (m, n, k) in [(1, 1100, 40), (100, 1056, 6), (97, 512, 70), (30, 20, 1000), (500, 1, 300), (1, 300, 600)] {
      let problem = Problem(
        m: m, n: n, k: k, a: (k, 1), b: (n, 1), addend: (0, 1), columnsOfC: n, isPacked: false, accumulates: false,
        hasAddend: true)
      var transposed = problem
      transposed.a = (1, m)
      transposed.b = (1, k)
      var descending = problem
      descending.descends = true
      for problem in [problem, transposed, descending] {
        check(kernels, problem, Float.self, &samples)
        check(kernels, problem, Double.self, &samples)
      }
    }
  }

  private func randomProblems<T: KernelReal>(_ kernels: Kernels, _: T.Type, count: Int, seed: UInt64) {
    var samples = Samples(seed: seed)
    for _ in 0..<count { check(kernels, .random(&samples), T.self, &samples) }
  }

  private func check<T: KernelReal>(_ kernels: Kernels, _ problem: Problem, _: T.Type, _ samples: inout Samples) {
    let (m, n, k) = (problem.m, problem.n, problem.k)
    func count(_ rows: Int, _ columns: Int, _ strides: (row: Int, column: Int)) -> Int {
      max(0, (rows - 1) * strides.row) + max(0, (columns - 1) * strides.column) + 1
    }
    let a: [T] = samples.reals(count(m, k, problem.a))
    let b: [T] = samples.reals(count(k, n, problem.b))
    let addend: [T] = samples.reals(count(m, n, problem.addend))
    var c: [T] = samples.reals(m * problem.columnsOfC)

    var expected = c
    expected.withUnsafeMutableBufferPointer { expected in
      a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
          for i in 0..<m {
            for j in 0..<n {
              var sum = problem.accumulates ? expected[i * problem.columnsOfC + j] : 0
              var (from, to) = (i * problem.a.row, j * problem.b.column)
              let step = problem.descends ? -1 : 1
              if problem.descends {
                from += (k - 1) * problem.a.column
                to += (k - 1) * problem.b.row
              }
              for _ in 0..<k {
                sum.addProduct(a[from], b[to])
                from += step * problem.a.column
                to += step * problem.b.row
              }
              if problem.hasAddend { sum = addend[i * problem.addend.row + j * problem.addend.column] + sum }
              expected[i * problem.columnsOfC + j] = sum
            }
          }
        }
      }
    }

    let table = kernels.table
    withScratch(table.packed_size(T.type, k, n)) { packed in
      a.withUnsafeBytes { a in
        b.withUnsafeBytes { b in
          addend.withUnsafeBytes { addend in
            c.withUnsafeMutableBytes { c in
              if problem.isPacked {
                table.pack(T.type, k, n, b.baseAddress, problem.b.row, problem.b.column, packed)
              }
              var product = reel_product()
              (product.m, product.n, product.k) = (m, n, k)
              (product.a, product.a_row, product.a_k) = (a.baseAddress, problem.a.row, problem.a.column)
              product.b = problem.isPacked ? UnsafeRawPointer(packed) : b.baseAddress
              (product.b_k, product.b_column) = (problem.b.row, problem.b.column)
              if problem.descends && k > 0 {
                product.a += (k - 1) * product.a_k * MemoryLayout<T>.size
                product.b += (k - 1) * product.b_k * MemoryLayout<T>.size
                (product.a_k, product.b_k) = (-product.a_k, -product.b_k)
              }
              (product.b_packed, product.accumulate) = (problem.isPacked, problem.accumulates)
              (product.c, product.c_row) = (c.baseAddress, problem.columnsOfC)
              product.addend = problem.hasAddend ? addend.baseAddress : nil
              (product.addend_row, product.addend_column) = problem.addend
              withScratch(table.product_scratch(T.type, &product)) { scratch in
                product.scratch = scratch
                table.product(T.type, &product)
              }
            }
          }
        }
      }
    }
    #expect(c.map(\.bits) == expected.map(\.bits), "\(problem)")
  }
}
