import ReelTestSupport
import Testing

@testable import Reel

/// Which loops are divided by rows over the threads: those whose rows do not need each other, and no others.
@Suite struct RowAnalysisTests {
  /// A body from the carry `[rows, 4]` and an element of that shape to the next carry.
  struct Body: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let isRowwise: Bool
    let step: @Sendable (_ h: Tensor, _ x: Tensor, _ w: Tensor) -> Tensor
  }

  static let bodies: [Body] = [
    Body(testDescription: "a cell", isRowwise: true) { h, x, w in tanh(h.matmul(w) + x) },
    Body(testDescription: "gates that are parts", isRowwise: true) { h, x, w in
      let (a, b) = sigmoid(concatenated([h, x], along: 1) * 0.5).split(into: 2)
      return tanh(a * x + b * h).matmul(w)
    },
    Body(testDescription: "normalised rows", isRowwise: true) { h, x, w in
      let y = tanh(h + x).matmul(w)
      return y - y.sum(along: [1], keepDims: true) * 0.25
    },
    Body(testDescription: "reversed columns", isRowwise: true) { h, x, _ in sin(h.reversed(along: 1)) + x },
    Body(testDescription: "a carry in reverse", isRowwise: false) { h, x, _ in tanh(h.reversed(along: 0) * 0.5 + x) },
    Body(testDescription: "a value in reverse", isRowwise: false) { h, x, w in
      tanh(tanh(h.matmul(w) + x).reversed(along: 0).matmul(w))
    },
    Body(testDescription: "rows that follow those of another value", isRowwise: false) { h, x, w in
      let both = concatenated([tanh(h.matmul(w)), x.matmul(w)], along: 0)
      return both.sliced(1..<h.shape[0] + 1, along: 0).matmul(w)
    },
    Body(testDescription: "windows over rows", isRowwise: false) { h, x, w in
      let y = concatenated([tanh(h.matmul(w)), tanh(x.matmul(w))], along: 0)
      return y.windows(of: 2, along: 0)[0..<h.shape[0]].sum(along: [1]) * 0.5
    },
    Body(testDescription: "a mean over rows", isRowwise: false) { h, x, _ in h - h.mean(along: [0]) + x },
  ]

  private static func program(_ body: Body, _ unroll: Unroll) -> ([Tensor]) -> [Tensor] {
    { operands in
      let (w, x, h) = (operands[0], operands[1], operands[2])
      let (last, stack) = scan(over: x, from: h, unroll: unroll) { h, x in
        let next = body.step(h, x, w)
        return (next, next)
      }
      return [last, stack]
    }
  }

  @Test(arguments: bodies)
  func onlyIndependentRowsAreDivided(body: Body) throws {
    let rows = 24
    let types = [TensorType([4, 4]), TensorType([6, rows, 4]), TensorType([rows, 4])]
    let graph = try Graph(tracing: types, Self.program(body, .never)).applying(Pass.pipeline)
    var lowering = Lowering()
    let inputs = graph.inputTypes.map { lowering.external($0) }
    _ = lowering.lower(graph, inputs: inputs, wanted: [:])
    let loops = lowering.instructions.compactMap { if case .loop(let call) = $0 { call } else { nil } }
    #expect(loops.count == 1)
    #expect(loops.map(\.independentRows) == [body.isRowwise ? rows : nil], "\(graph)")
  }

  /// The bits of the loop, with enough rows for every thread, are those of its steps one by one.
  @Test(arguments: bodies)
  func threadsKeepTheBits(body: Body) throws {
    let rows = 32 * Runtime.threadCount
    let operands = [[4, 4], [40, rows, 4], [rows, 4]].enumerated().map { index, shape in
      sample(Shape(shape), seed: UInt64(index) + 1, elementType: .float32) * 0.5
    }
    let loop = compiled { (x: [Tensor]) in Self.program(body, .never)(x) }
    let expected = Self.program(body, .full)(operands)
    for _ in 0..<3 {
      for (found, expected) in zip(try loop(operands), expected) { expectSameBits(found, expected) }
    }
  }
}
