import Reel
import ReelTestSupport
import Testing

@testable import Reel

/// What an executable computes, against the same graph interpreted operation by operation.
@Suite struct ExecutableTests {
  struct Program: CustomTestStringConvertible, Sendable {
    let name: String
    let shapes: [Shape]
    let body: @Sendable ([Tensor]) -> [Tensor]
    var testDescription: String { name }
  }

  /// Each row with mean 0 and, but for a little, variance 1.
  static func normalized(_ x: Tensor) -> Tensor {
    let centered = x - x.mean(along: [-1], keepDims: true)
    return centered / sqrt((centered * centered).mean(along: [-1], keepDims: true) + 0.01)
  }

  static let programs: [Program] = [
    Program(name: "layouts of layouts", shapes: [[2, 3, 4]]) { x in
      let y = x[0].transposed([2, 0, 1])
      return [y.reshaped(to: [4, 6]) + 1, y[1..<3].reversed(along: 2) * 2, y.sliced(0..<3, along: 2, step: 2)]
    },
    Program(name: "a layout and an argument as outputs", shapes: [[3, 4]]) { x in [x[0].transposed(), x[0], x[0] + 1] },
    Program(name: "parts written where they are joined", shapes: [[3, 4], [3, 2]]) { x in
      let (a, b) = (tanh(x[0]), sigmoid(x[1]))
      return [concatenated([a, b, x[1], a], along: 1), a * 2]
    },
    Program(name: "joined parts of joined parts", shapes: [[3, 4]]) { x in
      let inner = concatenated([exp(x[0]), sin(x[0])], along: 0)
      return [concatenated([inner, cos(inner)], along: 1).reshaped(to: [2, 6, 4])]
    },
    Program(name: "axes of extent 1 between axes that changed places", shapes: [[2, 2, 1, 2, 1]]) { x in
      let moved = x[0].transposed([0, 3, 4, 2, 1])
      return [moved.reshaped(to: [2, 4]), moved.reshaped(to: [4, 2]), moved.reshaped(to: [8])]
    },
    Program(name: "products of strided operands", shapes: [[4, 3], [4, 5], [2, 5]]) { x in
      let w = x[1].sliced(1..<5, along: 1, step: 2)
      return [
        x[0].transposed().matmul(w), x[0].matmul(x[1], transposingSelf: true),
        x[1].matmul(x[2], transposingOther: true).transposed() + 1,
      ]
    },
    Program(name: "products with their sums", shapes: [[4, 3], [3, 5], [5], [4, 5]]) { x in
      let product = MatrixProduct(transposesLeft: false, transposesRight: false)
      return [
        AddedProduct(product: product, placement: .epilogue)(x[0], x[1], x[2]),
        AddedProduct(product: product, placement: .prologue)(x[0], x[1], x[3]),
      ]
    },
    Program(name: "products from the end", shapes: [[4, 3], [3, 5], [4, 5], [2, 6, 4]]) { x in
      let product = MatrixProduct(transposesLeft: false, transposesRight: false, descends: true)
      let transposed = MatrixProduct(transposesLeft: true, transposesRight: true, descends: true)
      return [
        product(x[0], x[1]), AddedProduct(product: product, placement: .prologue)(x[0], x[1], x[2]),
        transposed(x[0], x[3]), product(x[0].transposed(), x[2] + 1),
      ]
    },
    Program(name: "batched products", shapes: [[2, 1, 3, 4], [5, 4, 2]]) { x in [x[0].matmul(x[1])] },
    Program(name: "folds of strided operands", shapes: [[3, 4, 5]]) { x in
      [x[0].transposed().sum(along: [1]), x[0].sum(along: [0, 2]), x[0].max(along: [-1], keepDims: true) - x[0]]
    },
    Program(name: "normalised rows of a tile, and one more", shapes: [[7, 256], [3, 2, 512], [3, 513]]) { x in
      x.map(normalized) + [normalized(x[0]) * x[0].max(along: [-1], keepDims: true)]
    },
    Program(name: "normalised short rows", shapes: [[9, 15], [9, 16], [9, 17], [40]]) { x in x.map(normalized) },
    Program(name: "normalised rows that are apart", shapes: [[9, 60], [33, 8]]) { x in
      [normalized(x[0].sliced(3..<40, along: 1)), normalized(x[1].transposed()), normalized(x[0].reversed(along: 1))]
    },
    Program(name: "values of rows as results", shapes: [[9, 40]]) { x in
      let mean = x[0].mean(along: [-1], keepDims: true)
      let product = (x[0] * 0.1 + 1).product(along: [-1], keepDims: true)
      let isSmall = mean .< product
      return [mean, select(isSmall, x[0], mean), sqrt(abs(mean)) + product, x[0].min(along: [-1], keepDims: true)]
    },
    Program(name: "values of rows that others go on with", shapes: [[9, 40], [9, 24]]) { x in
      let scale = exp(-x[0].max(along: [-1], keepDims: true))
      let (a, b) = (x[0] * scale, x[1] * scale)
      return [a.sum(along: [-1], keepDims: true) * b, softmax(b), softmax(a) / scale]
    },
    Program(name: "rows of two element types", shapes: [[5, 300], [5, 200]]) { x in
      x.map { x in
        normalized(normalized(x.converted(to: .float64)) + x.sum(along: [-1], keepDims: true).converted(to: .float64))
      }
    },
    Program(name: "a loop with rows normalised", shapes: [[6, 40, 24], [40, 24], [24, 24]]) { x in
      let (state, stack) = scan(over: x[0], from: x[1]) { state, element in
        let next = tanh(normalized(state.matmul(x[2])) + element)
        return (next / (1 + next.sum(along: [-1], keepDims: true) * 0.01), next)
      }
      return [state, stack]
    },
    Program(name: "operations without a strided kernel", shapes: [[4, 3]]) { x in
      let picked = x[0].transposed().gathered(at: Tensor([2, 0] as [Int32]))
      return [picked.cumulativeSum(along: 0) * 2]
    },
    Program(name: "many values of many shapes", shapes: [[6, 7]]) { x in
      var y = x[0]
      for step in 0..<40 { y = step % 3 == 0 ? tanh(y.transposed()) : y * 0.5 + y.sum(along: [1], keepDims: true) }
      return [y]
    },
    Program(name: "a loop that swaps its carries", shapes: [[5, 2, 3], [2, 3]]) { x in
      let (state, stack) = scan(over: x[0], from: Pair(x[1], x[1] * 2)) { state, element in
        (Pair(state.second, state.first), state.first + element)
      }
      return [state.first, state.second, stack]
    },
    Program(name: "a loop that gives its elements and what it captured", shapes: [[4, 3], [3]]) { x in
      let (state, stack) = scan(over: x[0], from: x[1]) { _, element in (element, Pair(element, x[1])) }
      return [state, stack.first, stack.second]
    },
    Program(name: "a value that leaves a loop three times", shapes: [[4, 2, 3], [3, 3]]) { x in
      let (state, stack) = scan(over: x[0], from: Pair(x[0][0], x[0][1])) { state, element in
        let next = tanh(element + state.first.matmul(x[1]))
        return (Pair(next, next), [next, next.transposed()])
      }
      return [state.first, state.second, stack[0], stack[1]]
    },
    Program(name: "a stack one step later", shapes: [[4, 2, 3], [2, 3]]) { x in
      let stack = scan(over: x[0], from: x[1]) { state, element in (tanh(state + element), tanh(state + element)) }
        .outputs
      return [Shift(isReversed: false)(x[1], stack) * 2, stack]
    },
    Program(name: "a reversed stack one step later", shapes: [[4, 2, 3], [2, 3]]) { x in
      let stack = scan(over: x[0], from: x[1], reverse: true) { state, element in
        (state * element, state * element)
      }.outputs
      return [Shift(isReversed: true)(x[1], stack) * 2]
    },
    Program(name: "a loop in a loop", shapes: [[3, 4, 2], [2, 2]]) { x in
      [
        scan(over: x[0], from: x[1]) { outer, rows in
          let (inner, stack) = scan(over: rows, from: outer) { state, row in (tanh(state * row), state) }
          return (inner + outer, stack.sum(along: [0]))
        }.outputs
      ]
    },
  ]

  @Test(arguments: programs)
  func computesWhatItsOperationsDo(program: Program) throws {
    let arguments = program.shapes.enumerated().map { sample($1, seed: UInt64($0 + 1), elementType: .float32) }
    let graph = try Graph(tracing: arguments.map { TensorType($0.shape, $0.elementType) }, program.body)
    let expected = program.body(arguments)
    for (name, passes) in [("as it is", []), ("fused", [Pass.fusion]), ("after all passes", Pass.pipeline)] {
      let executable = Executable(graph.applying(passes))
      // The second run works in memory that the first one used.
      for run in 1...2 {
        let found = executable.run(arguments.map { $0.storage! }).map(Tensor.init)
        for (index, pair) in zip(found, expected).enumerated() {
          expectSameBits(pair.0, pair.1, "\(name), run \(run), output \(index)")
        }
      }
    }
  }

  /// Rows that are folded inside a program: whole rows of one tile and more, and rows that are too short or too long for it.
  @Test(arguments: [ElementType.float32, .float64])
  func rowsOfAnyWidth(_ elementType: ElementType) throws {
    for width in [1, 15, 16, 17, 100, 512, 513, 1023, 1024, 1025, 2047, 2048, 2049] {
      for rows in [1, 2, 37] {
        let x = sample([rows, width], seed: UInt64(width), elementType: elementType)
        let graph = try Graph(tracing: [x.type]) { x in
          let centred = x[0] - x[0].mean(along: [-1], keepDims: true)
          let scale = (centred * centred).mean(along: [-1], keepDims: true)
          return [centred / sqrt(scale + 1), x[0].max(along: [-1])]
        }
        for (found, expected) in zip(graph.applying(Pass.pipeline)([x]), graph([x])) {
          expectSameBits(found, expected, "\(rows) rows of \(width)")
        }
      }
    }
  }

  @Test func aWarmRunAllocatesNoTensorMemory() throws {
    let graph = try Graph(tracing: [TensorType([8, 16]), TensorType([16, 16])]) { x in
      [tanh(x[0].matmul(x[1])).sum(along: [1]), x[0] * 2]
    }
    let executable = Executable(graph.applying(Pass.pipeline))
    let arguments = [
      sample([8, 16], seed: 1, elementType: .float32), sample([16, 16], seed: 2, elementType: .float32),
    ]
    func bases() -> [UnsafeMutableRawPointer] { executable.run(arguments.map { $0.storage! }).map(\.base) }
    let first = bases()
    for _ in 0..<3 { #expect(bases() == first) }
  }

  @Test func aResultThatIsHeldIsNotWrittenAgain() throws {
    let executable = Executable(try Graph(tracing: [TensorType([4])]) { [$0[0] + 1] })
    let results = (0..<6).map { Tensor(executable.run([Tensor(repeating: Double($0), shape: [4]).storage!])[0]) }
    for (index, result) in results.enumerated() {
      #expect(result.numbers == Array(repeating: Double(index + 1), count: 4))
    }
  }
}
