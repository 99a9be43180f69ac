@testable import Reel
import ReelTestSupport
import Testing

/// What is printed is read back, for every operation, loops and nested bodies.
@Suite struct GraphTextTests {
  /// What is wrong with reading a graph's text; nil if it says the same when it is printed again, and computes the same.
  static func failure(_ graph: Graph, at x: [Tensor]? = nil) throws -> String? {
    let text = graph.description
    let again = try Graph(parsing: text)
    try again.validate()
    if again.description != text { return "read and printed again:\n\(again)\nfrom\n\(text)" }
    guard let x, x.map(\.type) == graph.inputTypes else { return nil }
    let runs = [graph, again].map { graph in Executable(graph).run(x.map { $0.storage! }).map(Tensor.init) }
    return zip(runs[0], runs[1]).compactMap { bitDifference($1, $0, "after reading \(text)") }.first
  }

  @Test(arguments: OperationTable.rows)
  func everyOperationIsReadBack(row: OperationRow) throws {
    #expect(try Self.failure(row.programWithOperation(), at: row.samples(.float64)) == nil)
    #expect(try Self.failure(row.graph(.float32), at: row.samples(.float32)) == nil)
  }

  @Test(arguments: OperationTable.rows.filter { !$0.active.isEmpty })
  func gradientsAreReadBack(row: OperationRow) throws {
    let x = row.samples(.float64)
    let program = compiled { (x: [Tensor]) in
      gradient(at: row.active.map { x[$0] }) { parts in
        var operands = x
        for (position, part) in zip(row.active, parts) { operands[position] = part }
        return row.apply(operands).converted(to: .float64).sum()
      }
    }
    #expect(try Self.failure(program.graph(for: x), at: x) == nil)
  }

  /// A loop whose body has a loop, and its derivative.
  static let nested = Result { () throws -> Graph in
    try Graph(tracing: [TensorType([3]), TensorType([4, 5, 3])]) { x in
      [
        gradient(at: x[0]) { w in
          scan(over: x[1], from: Tensor.zeros([2])) { outer, rows in
            let inner = scan(over: rows, from: outer, reverse: true) { state, row in
              let next = tanh(state + (row * w).sum())
              return (next, next * 2)
            }
            return (inner.state, inner.outputs.sum())
          }.outputs.sum()
        }
      ]
    }
  }

  @Test func nestedLoopsAreReadBack() throws {
    let x = [(3, [3], 0.1), (60, [4, 5, 3], 0.01)].map { count, shape, step in
      Tensor.iota(count, by: step, elementType: .float32).reshaped(to: Shape(shape))
    }
    let graph = try Self.nested.get()
    #expect(graph.description.contains("adjoint"))
    #expect(try Self.failure(graph, at: x) == nil)
    #expect(try Self.failure(graph.applying(Pass.pipeline), at: x) == nil)
  }

  @Test func operationsThatNoProgramRecordsAreReadBack() throws {
    for operation in ["f64[3] = fill {value=2.5}", "i32[4] = iota {start=1.0, step=-2.0}", "f32[2] = fill {value=nan}"]
    {
      let text = "graph () {\n  %0: \(operation)\n  return %0\n}"
      #expect(try Graph(parsing: text).description == text)
    }
    let fill = try Graph(parsing: "graph () { %0: f64[3] = fill {value=2.5} return %0 }")
    #expect(fill([])[0].numbers == [2.5, 2.5, 2.5])
  }

  @Test func compiledProgramsThatAreReadRunEagerlyToo() throws {
    let x = sample([3, 4], seed: 4)
    let program = compiled { (x: Tensor) in
      select(x .> 0, exp(x) * 2, x.converted(to: .float32).converted(to: .float64))
    }
    let graph = try program.graph(for: x)
    #expect(graph.description.contains("fused"), "\(graph)")
    #expect(bitDifference(try Graph(parsing: graph.description)([x])[0], try program(x), "read") == nil)
  }

  @Test func constantsKeepTheirBits() throws {
    let numbers: [Tensor] = [
      Tensor([0.1, -0.0, .infinity, -.infinity]), Tensor([Double.nan, .leastNonzeroMagnitude]),
      Tensor([Double(bitPattern: 0x7FF8_0000_0000_0001)]), Tensor(Float(0.1)), Tensor([Int32.min, 3]),
      Tensor([true, false]), Tensor.iota(40, elementType: .float64), Tensor.zeros([0, 3]),
    ]
    for number in numbers {
      let graph = Graph(
        nodes: [Node(operation: Constant(number.storage!), operands: [], results: [number.type], path: [])], inputs: [],
        outputs: [Value(0)])
      let again = try Graph(parsing: graph.description)
      let found = try #require(again.nodes[0].operation.constant)
      #expect(found.type == number.type && found.bytes.elementsEqual(number.storage!.bytes), "\(graph)")
    }
  }

  @Test func namesAndLayersAreKept() throws {
    let odd = ["a \"quoted\" one", "back\\slash", "two\nlines", "länge", "dense_1"]
    let graph = try Graph(tracing: [TensorType([2])]) { x in
      odd.reduce(x) { x, name in Recording.inScope(name) { [tanh(x[0])] } }
    }
    let again = try Graph(parsing: graph.description)
    #expect(again.nodes.map(\.path) == [[]] + odd.map { [$0] })
    #expect(try Self.failure(graph) == nil)
    let weight = Variable(Tensor([1, 2]), name: "dense.kernel")
    let reading = try compiled { (x: Tensor) in x * weight.value }.graph(for: Tensor([3, 4]))
    #expect(reading.description.contains("%1 \"dense.kernel\": f64[2]"), "\(reading)")
    #expect(try Self.failure(reading) == nil)
  }

  @Test func theReverseSweepIsMarked() throws {
    let graph = try Graph(tracing: [TensorType([2])]) { x in
      [gradient(at: x[0]) { x in Recording.inScope("layer") { tanh(x) }.sum() }]
    }
    let marked = graph.nodes.filter { $0.path.last == Recording.reverseMark }
    #expect(marked.contains { $0.path == ["layer", "∇"] }, "\(graph)")
    #expect(graph.nodes.contains { $0.operation.name == "tanh" && $0.path == ["layer"] }, "\(graph)")
  }

  @Test func aPullbackByHandRunsButIsNotDifferentiated() throws {
    let graph = try Graph(tracing: [TensorType([2])]) { x in
      [withCustomPullback(at: x[0], name: "my tanh", of: { tanh($0) }, pullback: { _, y, g in g * (1 - y * y) })]
    }
    let again = try Graph(parsing: graph.description)
    #expect(again.description == graph.description)
    let x = [Tensor([0, 1] as [Float])]
    #expect(again(x)[0].numbers == graph(x)[0].numbers)
    #expect(throws: TensorError.self) {
      try Graph(tracing: [TensorType([2])]) { [gradient(at: $0[0]) { again([$0])[0].sum() }] }
    }
  }
}
