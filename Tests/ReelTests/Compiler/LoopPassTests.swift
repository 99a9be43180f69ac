import Reel
import ReelTestSupport
import Testing

/// What the loop passes make of small loops, one thing at a time.
@Suite struct LoopPassTests {
  private static func optimised(_ shapes: [Shape], _ body: ([Tensor]) -> [Tensor]) throws -> Graph {
    let graph = try Graph(tracing: shapes.map { TensorType($0, .float64) }, body)
    let optimised = graph.applying(LoopValueTests.passes)
    let operands = LoopCell.operands(of: graph, seed: 3)
    for (found, expected) in zip(optimised.interpreted(operands), graph.interpreted(operands)) {
      expectClose(found, expected, relative: 1e-12, absolute: 1e-12)
    }
    return optimised
  }

  private static func loops(_ graph: Graph) -> [Graph] {
    graph.nodes.compactMap { $0.operation.name == "scan" ? ($0.operation as? any OperationWithBodies)?.bodies[0] : nil }
  }

  private static func count(_ name: String, _ graph: Graph) -> Int {
    graph.nodes.filter { $0.operation.name == name }.count
  }

  // MARK: - What disappears

  @Test func whatNothingDependsOnDisappears() throws {
    let graph = try Self.optimised([[5, 3], [3], [3]]) { x in
      // The second carry is read by itself and by an output that nobody reads.
      [
        scan(over: x[0], from: Array(x[1...])) { state, x in
          ([tanh(state[0] + x), state[1] * state[1]], [sin(x), state[1] + x])
        }.state[0]
      ]
    }
    #expect(
      "\(graph)" == """
        graph (%0: f64[5,3], %1: f64[3], %2: f64[3]) {
          %3: f64[3] = scan %1 %0 {length=5, captured=0, carries=1} (%0: f64[3], %1: f64[3]) {
            %2: f64[3] = add %0 %1
            %3: f64[3] = tanh %2
            return %3
          }
          return %3
        }
        """)
  }

  @Test func aCarryThatNeverChangesIsCaptured() throws {
    let graph = try Self.optimised([[5, 3], [3], [3]]) { x in
      scan(over: x[0], from: Array(x[1...])) { state, x in ([tanh(state[0] + x * state[1]), state[1]], Empty()) }.state
    }
    #expect(graph.outputs[1] == graph.inputs[2])
    #expect(Self.loops(graph).allSatisfy { $0.outputs.count == 1 }, "\(graph)")
  }

  @Test func carriesThatBeginAlikeAndStayAlikeAreOne() throws {
    let graph = try Self.optimised([[5, 3], [3], [5, 3]]) { x in
      // The first two read each other, the third one comes to the same by itself, the fourth only begins like them.
      let mask = x[2] .> 0
      let start = [Tensor](repeating: x[1], count: 4)
      return scan(over: [x[0], mask], from: start) { (state: [Tensor], x: [Tensor]) -> ([Tensor], Empty) in
        func next(_ previous: Tensor, else old: Tensor) -> Tensor { select(x[1], tanh(previous + x[0]), old) }
        let first = [next(state[1], else: state[0]), next(state[0], else: state[1])]
        return (first + [next(state[2], else: state[2]), next(-state[3], else: state[0])], Empty())
      }.state
    }
    #expect(Self.loops(graph).map(\.outputs.count) == [2], "\(graph)")
    #expect(Set(graph.outputs.prefix(3)).count == 1)
  }

  @Test func carriesThatOnlyBeginAlikeStayApart() throws {
    let graph = try Self.optimised([[5, 3], [3]]) { x in
      // They differ from the third step on.
      let start = [Tensor](repeating: x[1], count: 4)
      return scan(over: x[0], from: start) { (state: [Tensor], x: Tensor) -> ([Tensor], Empty) in
        let moved = state[1...].map { $0 + x }
        return (moved + [state[3] * x + x], Empty())
      }.state
    }
    #expect(Self.loops(graph).map(\.outputs.count) == [4], "\(graph)")
  }

  @Test func equalCarriesAreOneAndEqualLoopsToo() throws {
    let graph = try Self.optimised([[5, 3], [3]]) { x in
      func loop() -> [Tensor] {
        scan(over: x[0], from: [x[1], x[1]]) { state, x in
          ([tanh(state[0] + x * state[1]), tanh(state[0] + x * state[1])], Empty())
        }.state
      }
      return loop() + loop()
    }
    #expect(Self.loops(graph).count == 1)
    #expect(Set(graph.outputs).count == 1, "\(graph)")
  }

  @Test func aLoopWithoutStepsDisappears() throws {
    let graph = try Graph(tracing: [TensorType([0, 3], .float64), TensorType([3], .float64)]) { x in
      let (state, outputs) = scan(over: x[0], from: x[1]) { h, x in (tanh(h + x), x.expanded(at: 0)) }
      return [state, outputs]
    }.applying(LoopValueTests.passes)
    #expect(Self.loops(graph).isEmpty)
    #expect(graph.outputs[0] == graph.inputs[1])
    #expect(graph.outputTypes[1] == TensorType([0, 1, 3], .float64))
  }

  @Test func aGraphWithoutLoopsStaysAsItIs() throws {
    let graph = try Graph(tracing: [TensorType([3])]) { x in [tanh(x[0])] }
    #expect(Pass.loops.transform(graph) == graph)
  }

  // MARK: - What leaves

  @Test func productsWithElementsRunBeforeTheLoop() throws {
    let graph = try Self.optimised([[5, 2, 3], [3, 4], [4], [2, 4]]) { x in
      [scan(over: x[0], from: x[3]) { h, element in (tanh(h * (element.matmul(x[1]) + x[2])), Empty()) }.state]
    }
    #expect(
      "\(graph)" == """
        graph (%0: f64[5,2,3], %1: f64[3,4], %2: f64[4], %3: f64[2,4]) {
          %4: f64[10,3] = reshape %0
          %5: f64[10,4] = matmul %4 %1
          %6: f64[5,2,4] = reshape %5
          %7: f64[5,2,4] = add %6 %2
          %8: f64[2,4] = scan %3 %7 {length=5, captured=0, carries=1} (%0: f64[2,4], %1: f64[2,4]) {
            %2: f64[2,4] = multiply %0 %1
            %3: f64[2,4] = tanh %2
            return %3
          }
          return %8
        }
        """)
  }

  @Test func whatIsCheaperToKeepStaysInTheLoop() throws {
    // Taken out, the sum would be kept for every step at ten times the size of what it is made from.
    let graph = try Self.optimised([[5, 1, 3], [10, 1], [10, 3]]) { x in
      [scan(over: x[0], from: x[2]) { h, element in (tanh(h * (element + x[1])), Empty()) }.state]
    }
    #expect(graph.nodes.filter { $0.operation.name != "input" }.count == 1, "\(graph)")
  }

  @Test func whatNoCarryWaitsForRunsAfterTheLoop() throws {
    let graph = try Self.optimised([[5, 2, 4], [4, 4], [2, 4], [4, 6]]) { x in
      [scan(over: x[0], from: x[2]) { h, element in (tanh(h.matmul(x[1]) + element), tanh(h.matmul(x[3]))) }.outputs]
    }
    let loop = try #require(Self.loops(graph).first)
    #expect(LoopCensus.Counts(loop) == LoopCensus.Counts(products: 1, elementwise: 2))
    // The states that enter are those that leave, one step later.
    #expect(Self.count("shift", graph) == 1)
    #expect(graph.nodes.contains { $0.operation.name == "matmul" && $0.results[0].shape == [10, 6] }, "\(graph)")
  }

  @Test func aCarriedElementIsTheSequenceOneStepLate() throws {
    for isReversed in [false, true] {
      let graph = try Self.optimised([[5, 2, 4], [2, 4], [4, 4]]) { x in
        let (state, outputs) = scan(over: x[0], from: x[1], reverse: isReversed) { last, element in
          (element, (element + last).matmul(x[2]))
        }
        return [state, outputs]
      }
      #expect(Self.loops(graph).isEmpty, "\(graph)")
      #expect(Self.count("shift", graph) == 1 && Self.count("matmul", graph) == 1)
    }
  }

  @Test func sumsOfTheUserKeepTheirOrder() throws {
    let graph = try Self.optimised([[5, 2, 4], [4, 4]]) { x in
      [
        scan(over: x[0], from: Tensor.zeros([2, 4], elementType: .float64)) { sum, element in
          (sum + element.matmul(x[1]), Empty())
        }.state
      ]
    }
    #expect(Self.loops(graph).count == 1, "reassociated:\n\(graph)")
    #expect(LoopCensus(graph).loops[0] == LoopCensus.Counts(products: 0, elementwise: 1), "\(graph)")
  }

  @Test func gradientsOfWeightsAreOneProductAfterTheLoop() throws {
    let graph = try Self.optimised([[5, 2, 3], [3, 4], [2, 4]]) { x in
      [
        gradient(at: x[1]) { w in
          scan(over: x[0], from: x[2]) { h, element in (tanh(h * element.matmul(w)), Empty()) }.state.sum()
        }
      ]
    }
    let product = try #require(graph.nodes.last { $0.operation.name == "matmul" })
    #expect(product.operation.attributes == "transposing left, descending")
    #expect(graph.type(of: product.operands[0]).shape == [10, 3])
    #expect(LoopCensus(graph).loops.allSatisfy { $0.products == 0 && $0.reductions == 0 }, "\(graph)")
  }

  @Test func randomBitsStayInTheLoop() throws {
    let types = [TensorType([6, 2], .int32), TensorType([2, 4], .float64)]
    let graph = try Graph(tracing: types) { x in
      [
        scan(over: RandomKeys(words: x[0]), from: x[1]) { h, key in
          let kept = Tensor.randomUniform([2, 4], key: key.key, elementType: .float64) .< 0.5
          return (tanh(select(kept, h * 2, 0) + 1), Empty())
        }.state
      ]
    }
    let optimised = graph.applying(LoopValueTests.passes)
    #expect(optimised.nodes.count < 10, "\(optimised)")
    let operands = [Tensor((0..<12).map(Int32.init), shape: [6, 2]), sample([2, 4], seed: 1)]
    expectSameBits(optimised.interpreted(operands)[0], graph.interpreted(operands)[0])
  }

  private struct RandomKeys: TensorFields {
    var words: Tensor
    static var fields: Fields<Self> { .init(\.words) }
    var key: RandomKey {
      var key = RandomKey(seed: 0)
      key.words = words
      return key
    }
  }

  // MARK: - What is taken apart or joined

  @Test func aProductWithAConcatenationStartsFromThePartOfTheElement() throws {
    let graph = try Self.optimised([[5, 2, 3], [2, 4], [7, 4]]) { x in
      [
        scan(over: x[0], from: x[1]) { h, element in
          (tanh(concatenated([element, h], along: -1).matmul(x[2])), Empty())
        }.state
      ]
    }
    #expect(
      "\(graph)" == """
        graph (%0: f64[5,2,3], %1: f64[2,4], %2: f64[7,4]) {
          %3: f64[4,4] = slice %2 {axis=-2, start=3, step=1, count=4}
          %4: f64[3,4] = slice %2 {axis=-2, start=0, step=1, count=3}
          %5: f64[10,3] = reshape %0
          %6: f64[10,4] = matmul %5 %4
          %7: f64[5,2,4] = reshape %6
          %8: f64[2,4] = scan %3 %1 %7 {length=5, captured=1, carries=1} (%0: f64[4,4], %1: f64[2,4], %2: f64[2,4]) {
            %3: f64[2,4] = matmulAdd %1 %0 %2 {prologue}
            %4: f64[2,4] = tanh %3
            return %4
          }
          return %8
        }
        """)
  }

  @Test func aConcatenationThatStartsWithTheStateStaysWhole() throws {
    // The accumulation runs over the state first: done in another order it would have other bits.
    let graph = try Self.optimised([[5, 2, 3], [2, 4], [7, 4]]) { x in
      [
        scan(over: x[0], from: x[1]) { h, element in
          (tanh(concatenated([h, element], along: -1).matmul(x[2])), Empty())
        }.state
      ]
    }
    #expect(Self.count("matmul", graph) == 0 && Self.count("matmul", Self.loops(graph)[0]) == 1, "\(graph)")
  }

  @Test func onlyTheWantedColumnsOfAProductAreComputed() throws {
    let graph = try Self.optimised([[5, 2, 4], [2, 4], [4, 12]]) { x in
      [
        scan(over: x[0], from: x[1]) { h, element in
          (tanh(h.matmul(x[2]).sliced(4..<8, along: -1) + element), Empty())
        }.state
      ]
    }
    let product = try #require(Self.loops(graph)[0].nodes.first { $0.operation.name == "matmul" })
    #expect(product.results[0].shape == [2, 4], "\(graph)")
  }

  @Test func productsOfOneStateAreOne() throws {
    let graph = try Self.optimised([[5, 2, 4], [2, 4], [4, 4], [4, 4]]) { x in
      [
        scan(over: x[0], from: x[1]) { h, element in
          (sigmoid(h.matmul(x[2]) + element) * tanh(h.matmul(x[3])), Empty())
        }.state
      ]
    }
    let product = try #require(Self.loops(graph)[0].nodes.first { $0.operation.name == "matmul" })
    #expect(product.results[0].shape == [2, 8])
    #expect(LoopCensus(graph).loops[0].products == 1, "\(graph)")
  }

  @Test func productsThatBelongApartStayApart() throws {
    // One waits for nothing but the state, the other is a readout that nobody waits for.
    let graph = try Self.optimised([[5, 2, 4], [2, 4], [4, 4], [4, 4]]) { x in
      [scan(over: x[0], from: x[1]) { h, element in (tanh(h.matmul(x[2]) + element), h.matmul(x[3])) }.outputs]
    }
    #expect(LoopCensus(graph).loops[0].products == 1)
    #expect(LoopCensus(graph).outside.products == 1, "\(graph)")
  }

  @Test func aCarryThatOthersOnlyReadGetsALoopOfItsOwn() throws {
    let graph = try Self.optimised([[5, 2, 4], [2, 4], [2, 4], [4, 4], [4, 4], [4, 4]]) { x in
      scan(over: x[0], from: [x[1], x[2]]) { state, element in
        let first = tanh(state[0].matmul(x[3]) + element)
        return ([first, tanh(state[1].matmul(x[4]) + first.matmul(x[5]))], Empty())
      }.state
    }
    #expect(LoopCensus(graph).loops.map(\.products) == [1, 1])
    #expect(LoopCensus(graph).outside.products == 1, "\(graph)")
  }

  @Test func carriesThatReadEachOtherStayTogether() throws {
    let graph = try Self.optimised([[5, 2, 4], [2, 4], [2, 4], [4, 4], [4, 4]]) { x in
      scan(over: x[0], from: [x[1], x[2]]) { state, element in
        ([tanh(state[1].matmul(x[3]) + element), tanh(state[0].matmul(x[4]))], Empty())
      }.state
    }
    #expect(LoopCensus(graph).loops.map(\.products) == [2], "\(graph)")
  }

  @Test func loopsInLoopsAreOptimisedToo() throws {
    let graph = try Self.optimised([[3, 5, 2, 4], [2, 4], [4, 4]]) { x in
      [
        scan(over: x[0], from: x[1]) { total, rows in
          (scan(over: rows, from: total) { h, row in (tanh(h + row.matmul(x[2])), Empty()) }.state, Empty())
        }.state
      ]
    }
    let outer = try #require(Self.loops(graph).first)
    let inner = try #require(Self.loops(outer).first)
    #expect(LoopCensus.Counts(inner).products == 0, "\(graph)")
  }
}
