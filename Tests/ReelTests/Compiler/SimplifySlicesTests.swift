import Reel
import ReelNN
import ReelTestSupport
import Testing

@Suite struct SimplifySlicesTests {
  let x = TensorType([2, 8])
  let y = TensorType([2, 3])

  private func expect(
    _ types: [TensorType], _ lines: [String], sourceLocation: SourceLocation = #_sourceLocation,
    _ function: ([Tensor]) -> Tensor
  ) throws {
    try expectSimplified(types, to: lines, sourceLocation: sourceLocation) { [function($0)] }
  }

  @Test func slicesOfSlices() throws {
    try expect([x], ["%1: f32[2,2] = slice %0 {axis=-1, start=3, step=1, count=2}", "return %1"]) {
      $0[0].sliced(2..<7, along: 1).sliced(1..<3, along: 1)
    }
    try expect([x], ["%1: f32[2,2] = slice %0 {axis=-1, start=5, step=-2, count=2}", "return %1"]) {
      $0[0].sliced(1..<8, along: 1, step: 2).sliced(1..<3, along: 1).reversed(along: 1)
    }
    try expect([x], ["return %0"]) { $0[0].reversed(along: 1).reversed(along: 1) }
  }

  @Test func slicesOfJoinedTensors() throws {
    try expect([x, y], ["return %1"]) { concatenated([$0[0], $0[1]], along: 1).sliced(8..<11, along: 1) }
    try expect([x, y], ["%2: f32[2,2] = slice %1 {axis=-1, start=1, step=1, count=2}", "return %2"]) {
      concatenated([$0[0], $0[1]], along: 1).sliced(9..<11, along: 1)
    }
    try expect([y, y], ["return %1"]) { stacked($0)[1] }
    try expect(
      [x, y],
      [
        "%2: f32[2,11] = concatenate %0 %1 {axis=-1}", "%3: f32[2,3] = slice %2 {axis=-1, start=6, step=1, count=3}",
        "return %3",
      ]
    ) { concatenated([$0[0], $0[1]], along: 1).sliced(6..<9, along: 1) }
  }

  @Test func slicesOfPaddedTensors() throws {
    func padded(_ x: [Tensor]) -> Tensor { x[0].padded(before: 2, after: 3, along: 1) }
    try expect([y], ["%1: f32[2,1] = slice %0 {axis=-1, start=1, step=1, count=1}", "return %1"]) {
      padded($0).sliced(3..<4, along: 1)
    }
    try expect([y], ["%1: f32[2,2] = constant {values=[0.0, 0.0, 0.0, 0.0]}", "return %1"]) {
      padded($0).sliced(6..<8, along: 1)
    }
    try expect([y], ["%1: f32[2,5] = unslice %0 {axis=-1, start=1, step=1, extent=5}", "return %1"]) {
      padded($0).sliced(1..<6, along: 1)
    }
    try expect([y], ["%1: f32[2,9] = unslice %0 {axis=-1, start=3, step=1, extent=9}", "return %1"]) {
      padded($0).padded(before: 1, along: 1)
    }
  }

  @Test func slicesOfRepeatedTensors() throws {
    try expect([y], ["%1: f32[4,2,3] = broadcast %0", "return %1"]) { $0[0].broadcasted(to: [6, 2, 3])[1..<5] }
    try expect(
      [y],
      ["%1: f32[2,2] = slice %0 {axis=-1, start=1, step=1, count=2}", "%2: f32[6,2,2] = broadcast %1", "return %2"]
    ) { $0[0].broadcasted(to: [6, 2, 3]).sliced(1..<3, along: 2) }
  }

  @Test func joinedSlices() throws {
    try expect([x], ["return %0"]) { concatenated($0[0].split(into: 4), along: 1) }
    try expect([x], ["return %0"]) { stacked($0[0].unstacked(along: 1), along: 1) }
    try expect([x], ["%1: f32[2,4] = slice %0 {axis=-1, start=2, step=1, count=4}", "return %1"]) {
      concatenated([$0[0].sliced(2..<4, along: 1), $0[0].sliced(4..<6, along: 1)], along: 1)
    }
    try expect([x], ["%1: f32[8,2] = transpose %0 {order=[1, 0]}", "return %1"]) {
      stacked($0[0].transposed().unstacked())
    }
    try expect([x], ["%1: f32[2,8] = slice %0 {axis=-1, start=7, step=-1, count=8}", "return %1"]) {
      stacked($0[0].unstacked(along: 1).reversed(), along: 1)
    }
    try expect([x, y], ["%2: f32[2,14] = concatenate %1 %0 %1 {axis=-1}", "return %2"]) {
      concatenated([$0[1], concatenated([$0[0], $0[1]], along: 1)], along: 1)
    }
  }

  @Test func partsAtConstantIndices() throws {
    func expect(_ indices: [Int32], _ start: Int, _ step: Int) throws {
      let line =
        "%1: f32[2,\(indices.count)] = slice %0 {axis=-1, start=\(start), step=\(step), count=\(indices.count)}"
      try self.expect([x], [line, "return %1"]) { $0[0].gathered(at: Tensor(indices), along: 1) }
    }
    try expect([1, 2, 3], 1, 1)
    try expect([7, 4, 1], 7, -3)
    try expect([5], 5, 1)
    // Indices out of range are clamped, and others have no one step.
    for indices in [[6, 7, 8], [0, 1, 3], [2, 2]] as [[Int32]] {
      let graph = try Graph(tracing: [x]) { [$0[0].gathered(at: Tensor(indices), along: 1)] }.applying([.simplify])
      #expect(graph.nodes.last?.operation.name == "gather")
    }
  }

  // MARK: - The reverse of taking apart

  @Test func theReverseOfASplitIsAConcatenation() throws {
    try expectSimplified(
      [x, x],
      to: [
        "%2: f32[2,4] = slice %1 {axis=-1, start=0, step=1, count=4} @∇",
        "%3: f32[2,4] = slice %1 {axis=-1, start=4, step=1, count=4} @∇",
        "%4: f32[2,8] = concatenate %3 %2 {axis=-1} @∇", "return %4",
      ], isReassociated: true
    ) { x in
      [
        gradient(at: x[0]) { z in
          let (a, b) = z.split(into: 2)
          return (concatenated([b, a], along: 1) * x[1]).sum()
        }
      ]
    }
  }

  @Test(arguments: [2, 3, 5]) func theReverseOfGatesIsOneConcatenation(count: Int) throws {
    let graph = try Graph(tracing: [TensorType([2, 4 * count], .float64)]) { x in
      [
        gradient(at: x[0]) { z in
          let gates: [Tensor] = z.split(into: count)
          return gates.reduce(1) { $0 * sigmoid($1) }.sum()
        }
      ]
    }
    let found = graph.applying([.simplify, .commonSubexpressions, .deadCode])
    let names = found.nodes.map(\.operation.name)
    #expect(names.filter { $0 == "concatenate" }.count == 1)
    #expect(!names.contains("unslice") && !names.contains("accumulate"))
    let z = sample([2, 4 * count], seed: 3)
    expectClose(found([z])[0], graph([z])[0], relative: 1e-15)
  }

  @Test func partsUsedTwiceAreAddedFirst() throws {
    let found = try expectSimplified(
      [x, x, TensorType([2, 4])],
      to: [
        "%3: f32[2,4] = slice %1 {axis=-1, start=4, step=1, count=4}",
        "%4: f32[2,4] = slice %1 {axis=-1, start=0, step=1, count=4}", "%5: f32[2,4] = accumulate %4 %2 @∇",
        "%6: f32[2,8] = concatenate %5 %3 {axis=-1} @∇", "%7: f32[2,8] = accumulate %6 %1 @∇", "return %7",
      ], isReassociated: true
    ) { x in
      // Slices taken anew at each use, and a use of the whole.
      [
        gradient(at: x[0]) { z in
          let whole = (z * x[1]).sum()
          let again = (z.sliced(0..<4, along: 1) * x[2]).sum()
          return whole + again + (z.sliced(4..<8, along: 1) * x[1].sliced(4..<8, along: 1)).sum()
            + (z.sliced(0..<4, along: 1) * x[1].sliced(0..<4, along: 1)).sum()
        }
      ]
    }
    #expect(!found.nodes.contains { $0.operation.name == "unslice" })
  }

  @Test func gapsAreFilledWithZeros() throws {
    try expectSimplified(
      [x, TensorType([2, 2])],
      to: [
        "%2: f32[2,3] = constant {values=[0.0, 0.0, 0.0, 0.0, 0.0, 0.0]} @∇",
        "%3: f32[2,7] = concatenate %1 %2 %1 {axis=-1} @∇",
        "%4: f32[2,8] = unslice %3 {axis=-1, start=1, step=1, extent=8} @∇", "return %4",
      ]
    ) { x in
      [gradient(at: x[0]) { z in ((z.sliced(1..<3, along: 1) + z.sliced(6..<8, along: 1)) * x[1]).sum() }]
    }
  }

  @Test func theReverseOfAnUnrolledLoopJoinsItsSteps() throws {
    let graph = try Graph(tracing: [TensorType([6, 2, 3], .float64), TensorType([3, 3], .float64)]) { x in
      let (dx, dw) = gradient(at: x[0], x[1]) { xs, w in
        scan(over: xs, from: Tensor.zeros([2, 3], elementType: .float64), unroll: true) { h, x in
          let next = tanh(x + h.matmul(w))
          return (next, next)
        }.outputs[-1].sum()
      }
      return [dx, dw]
    }
    let found = graph.applying([.simplify])
    let names = found.nodes.map(\.operation.name)
    #expect(names.filter { $0 == "concatenate" }.count == 1 && !names.contains("unslice"), "\(found)")
    let arguments = [sample([6, 2, 3], seed: 1), sample([3, 3], seed: 2)]
    for (after, before) in zip(found(arguments), graph(arguments)) { expectClose(after, before, relative: 1e-13) }
  }

  @Test func bodiesOfLoopsAreSimplified() throws {
    let graph = try Graph(tracing: [TensorType([5, 2, 3]), TensorType([12])]) { x in
      let (dx, db) = gradient(at: x[0], x[1]) { xs, b in
        scan(over: xs, from: Tensor.zeros([2, 3])) { h, x in
          let (i, f, g, o) = (concatenated([x, h, x, h], along: 1) + b).split(into: 4)
          let next = sigmoid(i) * tanh(g) + sigmoid(f) * h * -(-sigmoid(o))
          return (next, Empty())
        }.state.sum()
      }
      return [dx, db]
    }
    let found = graph.applying([.simplify])
    let bodies = found.nodes.compactMap { ($0.operation as? any OperationWithBodies)?.bodies[0] }
    #expect(bodies.count == 2)
    let names = bodies.flatMap { $0.nodes.map(\.operation.name) }
    #expect(!names.contains("negate") && !names.contains("identity") && !names.contains("unslice"), "\(found)")
    let arguments = [sample([5, 2, 3], seed: 1, elementType: .float32), sample([12], seed: 2, elementType: .float32)]
    for (after, before) in zip(found(arguments), graph(arguments)) {
      expectClose(after, before, relative: 1e-5, absolute: 1e-6)
    }
  }
}
