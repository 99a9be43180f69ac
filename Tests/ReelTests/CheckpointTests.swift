@testable import Reel
import ReelTestSupport
import Testing

/// A loop that keeps less for its reverse gives the same values and gradients.
@Suite struct CheckpointTests {
  static let memories: [LoopMemory] = [1, 2, 3, 5, 6, 9].map { .checkpoints(every: $0) }

  /// Checkpoints change no bit. Run as they are recorded, sums over the steps are the same chain of additions. Optimised,
  /// the products of all steps are one chain that follows the steps, and that of a block goes on where the last one ended.
  @Test(arguments: LoopCell.all)
  func trainingStepsKeepTheirValues(cell: LoopCell) throws {
    let sizes = LoopCell.Sizes(batch: 2, time: 6, units: 3)
    for isReversed in [false, true] {
      var variant = LoopCell.Variant(givesInputGradient: true, readsOutputs: true, isReversed: isReversed)
      let plain = try cell.trainingStep(sizes, variant)
      let operands = LoopCell.operands(of: plain, seed: 1)
      let (expected, compiled) = (plain.interpreted(operands), Executable(plain.applying(Pass.pipeline)))
      let optimised = compiled.run(operands.map { $0.storage! }).map(Tensor.init)
      for (memory, isCompiled) in zip(Self.memories, [false, !isReversed, false, true, false, false]) {
        variant.memory = memory
        let graph = try cell.trainingStep(sizes, variant)
        for (index, pair) in zip(graph.interpreted(operands), expected).enumerated() {
          expectSameBits(pair.0, pair.1, "\(cell.name) \(memory) recorded: \(index)")
        }
        guard isCompiled else { continue }
        let found = Executable(graph.applying(Pass.pipeline)).run(operands.map { $0.storage! }).map(Tensor.init)
        for (index, pair) in zip(found, optimised).enumerated() {
          expectSameBits(pair.0, pair.1, "\(cell.name) \(memory) compiled: \(index)")
        }
      }
    }
  }

  /// A loop in a loop, with a weight that both use.
  private static func nested(_ xs: Tensor, _ w: Tensor, _ outer: LoopMemory, _ inner: LoopMemory) -> Tensor {
    scan(over: xs, from: Tensor.zeros([2, 2], elementType: .float64), memory: outer) { total, rows in
      let (last, ys) = scan(over: rows, from: total, memory: inner) { h, x in
        let next = tanh((x + h).matmul(w) * total)
        return (next + h.matmul(w), next)
      }
      return (last + ys.sum(along: [0]), last)
    }.outputs.sum()
  }

  @Test(arguments: [LoopMemory.checkpoints(every: 2), .checkpoints(every: 3)], memories)
  func loopsNest(outer: LoopMemory, inner: LoopMemory) throws {
    let (xs, w) = (sample([5, 6, 2, 2], seed: 7), sample([2, 2], seed: 8) * 0.5)
    let expected = valueWithGradient(at: xs, w) { Self.nested($0, $1, .unlimited, .unlimited) }
    let found = valueWithGradient(at: xs, w) { Self.nested($0, $1, outer, inner) }
    expectSameBits(found.value, expected.value)
    expectSameBits(found.gradient.0, expected.gradient.0, "by the input")
    expectSameBits(found.gradient.1, expected.gradient.1, "by the weight")
    func staged(_ outer: LoopMemory, _ inner: LoopMemory) throws -> [Tensor] {
      try compiled { (xs: Tensor, w: Tensor) in
        let (dx, dw) = gradient(at: xs, w) { Self.nested($0, $1, outer, inner) }
        return [dx, dw]
      }(xs, w)
    }
    let (divided, whole) = (try staged(outer, inner), try staged(.unlimited, .unlimited))
    expectSameBits(divided[0], whole[0], "by the input, staged")
    expectSameBits(divided[1], whole[1], "by the weight, staged")
    expectClose(divided[0], expected.gradient.0, relative: 1e-12, absolute: 1e-13)
    expectClose(divided[1], expected.gradient.1, relative: 1e-12, absolute: 1e-13)
  }

  @Test(arguments: LoopTests.unrolls, [false, true])
  func everyLayoutHasCheckpoints(unroll: Unroll, reverse: Bool) throws {
    let (xs, w, h) = (sample([7, 3, 4], seed: 1), sample([4, 4], seed: 2), sample([3, 4], seed: 3))
    func loss(_ checkpointEvery: Int?, _ keepsLast: Bool) -> (Tensor, Tensor, Tensor) -> Tensor {
      { xs, w, h in
        func step(_ state: Tensor, _ x: Tensor) -> (Tensor, Tensor) {
          let next = tanh(x + state.matmul(w))
          return (next, next * x)
        }
        if keepsLast {
          let (state, output) = scanToLast(
            over: xs, from: h, reverse: reverse, unroll: unroll, checkpointEvery: checkpointEvery, step)
          return (state * output).sum()
        }
        let (state, outputs) = scan(
          over: xs, from: h, reverse: reverse, unroll: unroll, checkpointEvery: checkpointEvery, step)
        return (outputs * outputs).sum() + state.sum()
      }
    }
    for keepsLast in [false, true] {
      func staged(_ every: Int?) throws -> [Tensor] {
        try compiled { (xs: Tensor, w: Tensor, h: Tensor) in
          let (dx, dw, dh) = gradient(at: xs, w, h, of: loss(every, keepsLast))
          return [dx, dw, dh]
        }(xs, w, h)
      }
      let whole = try staged(nil)
      let expected = valueWithGradient(at: xs, w, h, of: loss(nil, keepsLast))
      for every in [1, 2, 3, 7, 8] {
        let found = valueWithGradient(at: xs, w, h, of: loss(every, keepsLast))
        expectSameBits(found.value, expected.value, "every \(every)")
        let divided = try staged(every)
        let pairs = zip(
          [found.gradient.0, found.gradient.1, found.gradient.2],
          [expected.gradient.0, expected.gradient.1, expected.gradient.2])
        for (index, pair) in pairs.enumerated() {
          expectClose(pair.0, pair.1, relative: 1e-13, absolute: 1e-14, "every \(every): \(index)")
          expectClose(divided[index], pair.1, relative: 1e-12, absolute: 1e-13, "every \(every), staged: \(index)")
          // Unrolled, the steps that a block has left over are no loop, and their sums are not one chain with the others.
          if unroll == .never { expectSameBits(divided[index], whole[index], "every \(every), staged: \(index)") }
        }
      }
    }
  }

  @Test func secondDerivativesGoThroughCheckpoints() throws {
    let (xs, w, h) = (sample([5, 2, 3], seed: 4), sample([3, 3], seed: 5), sample([2, 3], seed: 6))
    func penalty(_ memory: LoopMemory) -> (Tensor) -> Tensor {
      { w in
        let dw = gradient(at: w) { w in
          scan(over: xs, from: h, memory: memory) { state, x in
            let next = tanh(x + state.matmul(w))
            return (next, sin(next))
          }.outputs.sum()
        }
        return (dw * dw).sum()
      }
    }
    let expected = valueWithGradient(at: w, of: penalty(.unlimited))
    for memory in Self.memories {
      let found = valueWithGradient(at: w, of: penalty(memory))
      expectSameBits(found.value, expected.value, "\(memory)")
      expectClose(found.gradient, expected.gradient, relative: 1e-12, absolute: 1e-13, "\(memory)")
      let staged = try compiled { (w: Tensor) in gradient(at: w, of: penalty(memory)) }(w)
      expectClose(staged, expected.gradient, relative: 1e-12, absolute: 1e-13, "\(memory), staged")
    }
  }
}

/// How a loop is divided so that it keeps no more than it may.
@Suite struct CheckpointPlanTests {
  @Test(arguments: [
    (1000, 100_000, []), (1000, 99_999, [500]), (1000, 5100, [50]), (1000, 1420, [111, 12]), (1000, 400, [142, 20, 2]),
    (7, 699, [3]), (1, 100, []),
  ])
  func blocksAreAsLongAsTheyCanBe(length: Int, bytes: Int, expected: [Int]) {
    #expect(CheckpointPlan(length: length, stepBytes: 100, carryBytes: 5).blocks(within: bytes) == expected)
  }

  @Test func theLeastIsWhatADivisionNeeds() throws {
    for length in [2, 3, 10, 100, 12345] {
      let plan = CheckpointPlan(length: length, stepBytes: 70, carryBytes: 8)
      let blocks = try #require(plan.blocks(within: plan.leastBytes))
      #expect(zip(blocks, blocks.dropFirst()).allSatisfy { $0 > $1 } && blocks.first! < length, "\(blocks)")
      #expect(plan.blocks(within: plan.leastBytes - 1) == nil)
    }
  }

  /// The memory of a program's own values, and its results.
  private func run(_ cell: LoopCell, _ sizes: LoopCell.Sizes, _ memory: LoopMemory) throws -> (Int, [Tensor]) {
    let graph = try cell.trainingStep(sizes, .init(memory: memory))
    let executable = Executable(graph.applying(Pass.pipeline))
    let operands = LoopCell.operands(of: graph, seed: 1).map { $0.storage! }
    return (executable.workspaceByteCount, executable.run(operands).map(Tensor.init))
  }

  @Test func aLoopKeepsNoMoreThanItMay() throws {
    let sizes = LoopCell.Sizes(batch: 2, time: 300, features: 2, units: 3)
    let (whole, expected) = try run(.lstm, sizes, .unlimited)
    // What a loop of two blocks needs that keeps nothing of the steps.
    var shortest = sizes
    shortest.time = 2
    let fixed = try run(.lstm, shortest, .checkpoints(every: 1)).0
    var last = whole
    // Within less than the last, levels nest: each has the buffers of a loop of its own.
    for (divisor, levels) in [(2, 1), (8, 1), (16, 1), (60, 3)] {
      let (bytes, found) = try run(.lstm, sizes, .atMost(whole / divisor))
      #expect(bytes <= whole / divisor + levels * fixed && bytes < last, "\(whole) / \(divisor), \(fixed): \(bytes)")
      last = bytes
      expectSameBits(found[0], expected[0])
      for (found, expected) in zip(found, expected) { expectClose(found, expected, relative: 1e-11, absolute: 1e-12) }
    }
    #expect(try run(.lstm, sizes, .atMost(10 * whole)).0 == whole)
  }
}

/// A piece whose inner values are computed again.
@Suite struct RematerializedTests {
  private static func layer(_ x: Tensor, _ w: Tensor) -> Tensor { sin(tanh(x.matmul(w)) * x) }

  @Test func valuesAndGradientsAreThoseOfThePiece() throws {
    let (x, w) = (sample([3, 4], seed: 1), sample([4, 4], seed: 2))
    func program(_ piece: @escaping (() -> Tensor) -> Tensor) -> (Tensor, Tensor) -> Tensor {
      { x, w in
        let first = piece { Self.layer(x, w) }
        return (piece { Self.layer(first, w) + first } * first).sum()
      }
    }
    let (plain, pieces) = (program { $0() }, program { rematerialized($0) })
    let expected = valueWithGradient(at: x, w, of: plain)
    let found = valueWithGradient(at: x, w, of: pieces)
    expectSameBits(found.value, expected.value)
    expectSameBits(pieces(x, w), expected.value, "without a gradient")
    expectClose(found.gradient.0, expected.gradient.0, relative: 1e-14, absolute: 1e-15)
    expectClose(found.gradient.1, expected.gradient.1, relative: 1e-14, absolute: 1e-15)
    func second(_ program: @escaping (Tensor, Tensor) -> Tensor) -> (Tensor, Tensor) -> Tensor {
      { x, w in
        let (dx, dw) = gradient(at: x, w, of: program)
        return sin(dx).sum() + (dw * dw).sum()
      }
    }
    let staged = try compiled { (x: Tensor, w: Tensor) in gradient(at: x, w, of: second(pieces)).1 }(x, w)
    let expectedSecond = gradient(at: x, w, of: second(plain)).1
    expectClose(gradient(at: x, w, of: second(pieces)).1, expectedSecond, relative: 1e-12, absolute: 1e-13)
    expectClose(staged, expectedSecond, relative: 1e-12, absolute: 1e-13)
  }

  @Test func innerValuesAreComputedAgainInTheReverse() throws {
    func transcendentals(_ piece: @escaping (() -> Tensor) -> Tensor) throws -> (outside: Int, inside: Int) {
      let types = [TensorType([2, 3]), TensorType([2, 3])]
      let graph = try Graph(tracing: types) { x in
        [gradient(at: x[1]) { w in piece { tanh(sin(x[0] * w)) }.sum() } as Tensor]
      }.applying([.deadCode, .simplify, .commonSubexpressions, .deadCode, .loops])
      func count(_ graph: Graph) -> Int { graph.description.matches(of: /\b(?:tanh|sin)\b/).count }
      let inside = graph.nodes.compactMap { ($0.operation as? Rematerialized)?.body.graph }.map(count).reduce(0, +)
      return (count(graph) - inside, inside)
    }
    let plain = try transcendentals { $0() }
    #expect(plain.inside == 0 && plain.outside > 0)
    #expect(try transcendentals { rematerialized($0) }.outside == 0)
  }

  @Test func aPieceReadsAndAssignsVariables() throws {
    let count = Variable(Tensor(1.0), name: "count")
    let step = compiled { (x: Tensor) -> Pair<Tensor, Tensor> in
      let dx = gradient(at: x) { x in
        rematerialized {
          count.value = count.value + 1
          return tanh(x * count.value)
        }
      }
      return Pair(dx, count.value)
    }
    for expected in [2.0, 3.0] {
      let result = try step(Tensor(0.0))
      #expect(result.first.item == expected && result.second.item == expected && count.value.item == expected)
    }
  }

  @Test func masksLeaveAPieceWithTheirTensors() throws {
    let found = try compiled { (x: Tensor) -> Pair<Tensor, Tensor> in
      let y = rematerialized { tanh(x).withMask(x .> 0) }
      let z = conditional(x.sum() .> 0) {
        sin(y).withMask(y.mask)
      } else: {
        y.withMask(x .< 0)
      }
      return Pair(y.mask!.converted(to: .float64), z.mask!.converted(to: .float64))
    }(Tensor([1.0, -0.5]).converted(to: .float64))
    #expect(found.first.numbers == [1, 0] && found.second.numbers == [1, 0])
  }

  @Test func randomNumbersInAPieceAreDrawnOnce() {
    func program(_ x: Tensor) -> Tensor {
      rematerialized { (x * Tensor.randomUniform([64], elementType: .float64)).sum() }
    }
    let x = sample([64], seed: 1)
    let (value, slope) = valueWithGradient(at: x, of: program)
    expectClose((x * slope).sum(), value, relative: 1e-12, absolute: 1e-12)
  }

  @Test func theTapeKeepsOnlyWhatGoesInAndOut() throws {
    let graph = try Graph(tracing: [TensorType([4, 4]), TensorType([4, 4])]) { x in
      [gradient(at: x[1]) { w in rematerialized { Self.layer(x[0], w) }.sum() } as Tensor]
    }
    let names = graph.nodes.map(\.operation.name)
    #expect(names.count { $0 == "rematerialized" } == 1 && !names.contains("tanh"), "\(graph)")
  }
}
