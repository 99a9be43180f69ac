import Reel
import ReelTestSupport
import Testing

@Suite struct GraphTests {
  static func trace(_ types: [TensorType], _ body: ([Tensor]) -> [Tensor]) throws -> Graph {
    try Graph(tracing: types, body)
  }

  @Test func graphsPrintInANormalForm() throws {
    let graph = try Self.trace([TensorType([2, 3]), TensorType([3, 4])]) { x in
      let y = tanh(x[0].matmul(x[1]) + 0.5)
      return [y, y.sum(along: [-1], keepDims: true), x[1].transposed()]
    }
    let expected = """
      graph (%0: f32[2,3], %1: f32[3,4]) {
        %2: f32[2,4] = matmul %0 %1
        %3: f32[] = constant {value=0.5}
        %4: f32[2,4] = add %2 %3
        %5: f32[2,4] = tanh %4
        %6: f32[2,1] = sum %5 {axes=[-1], keepDims}
        %7: f32[4,3] = transpose %1 {order=[1, 0]}
        return %5, %6, %7
      }
      """
    #expect(graph.description == expected)
    #expect(graph.inputTypes == [TensorType([2, 3]), TensorType([3, 4])])
    #expect(graph.outputTypes == [TensorType([2, 4]), TensorType([2, 1]), TensorType([4, 3])])
  }

  @Test func gradientsPrintToo() throws {
    let graph = try Self.trace([TensorType([], .float64)]) { x in [gradient(at: x[0]) { sin($0) * $0 }] }
    let expected = """
      graph (%0: f64[]) {
        %1: f64[] = identity %0
        %2: f64[] = sin %1
        %3: f64[] = constant {value=1.0} @∇
        %4: f64[] = multiply %3 %1 @∇
        %5: f64[] = constant {value=1.0} @∇
        %6: f64[] = multiply %5 %2 @∇
        %7: f64[] = cos %1 @∇
        %8: f64[] = multiply %4 %7 @∇
        %9: f64[] = accumulate %6 %8 @∇
        return %9
      }
      """
    #expect(graph.description == expected)
  }

  @Test func bodiesOfLoopsAreIndented() throws {
    let graph = try Self.trace([TensorType([4, 2]), TensorType([2])]) { x in
      let (state, outputs) = scan(over: x[0], from: x[1]) { h, element in (h * element, h + x[1]) }
      return [state, outputs]
    }
    let expected = """
      graph (%0: f32[4,2], %1: f32[2]) {
        %2: f32[2], %3: f32[4,2] = scan %1 %1 %0 {length=4, captured=1, carries=1} (%0: f32[2], %1: f32[2], %2: f32[2]) {
          %3: f32[2] = multiply %1 %2
          %4: f32[2] = add %1 %0
          return %3, %4
        }
        return %2, %3
      }
      """
    #expect(graph.description == expected)
  }

  @Test func whatIsNotNeededIsNotInTheGraph() throws {
    let graph = try Self.trace([TensorType([2]), TensorType([2])]) { x in
      _ = exp(x[1])
      return [sin(x[0])]
    }
    #expect(graph.description == "graph (%0: f32[2], %1: f32[2]) {\n  %2: f32[2] = sin %0\n  return %2\n}")
  }

  @Test func tracingCallsTheFunctionOnce() throws {
    var calls = 0
    _ = try Self.trace([TensorType([2])]) { x in
      calls += 1
      return x
    }
    #expect(calls == 1)
  }

  @Test func tracingThrowsWhatTheFunctionThrows() {
    struct Other: Error {}
    #expect(throws: Other.self) { _ = try Graph(tracing: []) { _ in throw Other() } }
    expectError(
      "matmul: an operand with fewer than two axes (operands: f32[2], f32[2]); expected [..., rows, columns] on both sides"
    ) {
      _ = try Graph(tracing: [TensorType([2])]) { [$0[0].matmul($0[0])] }
    }
  }

  @Test func theFirstErrorCountsAndALaterCallIsFree() throws {
    expectError("reshape: 2 elements do not fill shape [3] (operands: f32[2]); expected a shape of 2 elements") {
      _ = try Self.trace([TensorType([2])]) { x in [x[0].reshaped(to: [3]).reshaped(to: [4])] }
    }
    #expect(
      try Self.trace([TensorType([2])]) { x in [x[0].reshaped(to: [2, 1])] }.outputTypes == [TensorType([2, 1])])
  }

  @Test func errorsInTheBodyOfALoopAreThrown() {
    expectError(
      "add: shapes that do not broadcast (operands: f32[3], f32[2]); expected extents that agree or are 1, aligned at the last axis"
    ) {
      _ = try Self.trace([TensorType([4, 2]), TensorType([3])]) { x in
        [scan(over: x[0], from: x[1]) { h, element in (h + element, Empty()) }.state]
      }
    }
  }

  @Test func graphsAreValues() throws {
    func trace(_ axis: Int) throws -> Graph { try Self.trace([TensorType([2, 3])]) { [$0[0].sum(along: [axis])] } }
    #expect(try trace(0) == trace(0))
    #expect(try trace(0) == trace(-2))
    #expect(try trace(0) != trace(1))
    #expect(try Set([trace(0), trace(-2), trace(1)]).count == 2)
  }

  @Test func graphsAreCalledWhileAnotherIsTraced() throws {
    let inner = try Self.trace([TensorType([2])]) { [$0[0] * 2, sin($0[0])] }
    let outer = try Self.trace([TensorType([2])]) { x in [inner([x[0] + 1])[1]] }
    #expect(outer.nodes.map(\.operation.name) == ["input", "constant", "add", "sin"])
    expectSameBits(outer([[1, 2]])[0], sin([2, 3]))
  }
}

/// Passes from graph to graph, printed.
@Suite struct PassTests {
  @Test func deadCodeGoes() throws {
    let graph = try Graph(tracing: [TensorType([2]), TensorType([2])]) { x in [sin(x[0]), cos(x[0]) * x[1]] }
    let partial = Graph(nodes: graph.nodes, inputs: graph.inputs, outputs: [graph.outputs[0]])
    #expect(partial.nodes.count == 5)
    let found = partial.applying([.deadCode])
    #expect(found.description == "graph (%0: f32[2], %1: f32[2]) {\n  %2: f32[2] = sin %0\n  return %2\n}")
    #expect(found.applying([.deadCode]) == found)
  }

  @Test func equalOperationsAreComputedOnce() throws {
    let graph = try Graph(tracing: [TensorType([2])]) { x in
      let twice = (0..<2).map { _ in sin(x[0] * 2) }
      return [twice[0] + twice[1], x[0].sum(along: [0]), x[0].sum(along: [-1]), x[0].sum(keepDims: true), x[0] * 3]
    }
    #expect(graph.nodes.filter { $0.operation.name == "sin" }.count == 2)
    let expected = """
      graph (%0: f32[2]) {
        %1: f32[] = constant {value=2.0}
        %2: f32[2] = multiply %0 %1
        %3: f32[2] = sin %2
        %4: f32[2] = add %3 %3
        %5: f32[] = sum %0 {axes=[-1]}
        %6: f32[1] = sum %0 {axes=[-1], keepDims}
        %7: f32[] = constant {value=3.0}
        %8: f32[2] = multiply %0 %7
        return %4, %5, %5, %6, %8
      }
      """
    #expect(graph.applying([.commonSubexpressions, .deadCode]).description == expected)
  }

  @Test func differentElementTypesAreDifferentExpressions() throws {
    let graph = try Graph(tracing: [TensorType([2], .float64)]) { x in
      [x[0].converted(to: .float32), x[0].converted(to: .int32), x[0] * 0, x[0] * -0.0]
    }
    let found = graph.applying([.commonSubexpressions, .deadCode])
    #expect(found.nodes.filter { $0.operation.name == "convert" }.count == 2)
    #expect(found.nodes.filter { $0.operation.name == "multiply" }.count == 2, "0 and -0 differ")
  }

  @Test func randomDrawsWithOneKeyAreOne() throws {
    let graph = try Graph(tracing: [TensorType([2], .int32)]) { x in
      var key = RandomKey(seed: 0)
      key.words = x[0]
      return [.randomUniform([3], key: key), .randomUniform([3], key: key), .randomUniform([4], key: key)]
    }
    let found = graph.applying([.commonSubexpressions, .deadCode])
    #expect(found.nodes.filter { $0.operation.name == "randomBits" }.count == 2)
  }
}
