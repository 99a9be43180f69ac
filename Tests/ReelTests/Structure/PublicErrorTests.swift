import Reel
import ReelTestSupport
import Testing

/// Every error that the public API gives, but for the type rules, which are in ``BadOperandsTable``.
enum PublicErrors {
  typealias Bad = BadOperands

  static let rows: [Bad] = shapes + parts + control + axes + DerivativeErrors.rows

  private static let matrix = [TensorType([2, 3], .float32)]

  static let shapes: [Bad] = [
    Bad("shape", matrix, "shape: axis 2 of shape [2,3], which has 2 axes") { _ = $0[0].shape[2] },
    Bad("shape", matrix, "shape: axis -3 of shape [2,3], which has 2 axes") { _ = $0[0].shape[-3] },
    Bad("shape", [], "shape: axis -1 of shape [], which has 0 axes") { _ in _ = Shape.scalar.last },
    Bad("expanded", matrix, "expanded: a new axis at 3 (operands: f32[2,3]); expected -3...2") {
      _ = $0[0].expanded(at: 3)
    },
    Bad("stacked", matrix, "expanded: a new axis at -4 (operands: f32[2,3]); expected -3...2") {
      _ = stacked($0, along: -4)
    },
    Bad("squeezed", matrix, "squeezed: axis -1 has extent 3 (operands: f32[2,3]); expected an axis of extent 1") {
      _ = $0[0].squeezed(at: -1)
    },
    Bad("flattened", matrix, "flattened: axes from 3 on (operands: f32[2,3]); expected a first axis in 0...2") {
      _ = $0[0].flattened(from: 3)
    },
    Bad("flattened", matrix, "flattened: axes from -1 on (operands: f32[2,3]); expected a first axis in 0...2") {
      _ = $0[0].flattened(from: -1)
    },
    Bad(
      "scatterAdded", [TensorType([2], .float32), TensorType([2], .int32)],
      "scatterAdd: a result of extent -1 (operands: f32[2], i32[2]); expected an extent of at least 0"
    ) { _ = $0[0].scatterAdded(at: $0[1], extent: -1) },
  ]

  static let parts: [Bad] = [
    Bad("split", matrix, "split: parts [1, 1] of axis -1 (operands: f32[2,3]); expected parts that add up to 3") {
      _ = $0[0].split([1, 1])
    },
    Bad("split", matrix, "split: parts [4, -1] of axis 1 (operands: f32[2,3]); expected parts that add up to 3") {
      _ = $0[0].split([4, -1], along: 1)
    },
    Bad("split", matrix, "split: 2 equal parts of axis -1 (operands: f32[2,3]); expected a divisor of 3") {
      let _: (Tensor, Tensor) = $0[0].split(into: 2)
    },
    Bad("split", matrix, "split: 0 equal parts of axis 0 (operands: f32[2,3]); expected a divisor of 2") {
      let _: [Tensor] = $0[0].split(into: 0, along: 0)
    },
    Bad(
      "split", matrix, "split: 3 parts taken apart into 2 names (operands: f32[2,3]); expected as many names as parts"
    ) {
      let (_, _) = $0[0].split(into: 3)
    },
    Bad(
      "split", matrix, "split: 3 parts taken apart into 4 names (operands: f32[2,3]); expected as many names as parts"
    ) {
      let (_, _, _, _) = $0[0].split(into: 3)
    },
    Bad(
      "split", matrix, "split: 2 parts taken apart into 3 names (operands: f32[2,3]); expected as many names as parts"
    ) {
      let (_, _, _) = $0[0].split(into: 2)
    },
    Bad("padded", matrix, "padded: 0 elements before and -1 after (operands: f32[2,3]); expected counts of at least 0")
    {
      _ = $0[0].padded(after: -1, along: 0)
    },
    Bad(
      "part", matrix,
      "slice: 1 elements from -1 by 1 along axis -2 of extent 2 (operands: f32[2,3]); expected elements 0..<2"
    ) {
      _ = $0[0][-3]
    },
    Bad(
      "mean", [TensorType([2], .int32)],
      "mean: an operand of type i32 (operands: i32[2]); expected a floating-point element type; convert it first"
    ) { _ = $0[0].mean() },
    Bad(
      "oneHot", matrix,
      "iota: -2 numbers of element type i32; expected a count of at least 0 and a numeric element type"
    ) {
      _ = $0[0].oneHot(-2)
    },
  ]

  static let control: [Bad] = [
    Bad(
      "fused", matrix,
      "fused: a program of the compiler, which has no derivative (operands: f32[2,3]); expected the graph before it was compiled"
    ) { x in
      let text = """
        graph (%0: f32[2,3]) {
          %1: f32[2,3] = fused %0 {registers=1, steps=[2 = exp f32 0, 1 = add f32 2 0]}
          return %1
        }
        """
      _ = gradient(at: x[0]) { x in (try! Graph(parsing: text))([x])[0].sum() }
    },
    Bad(
      "byHand", matrix,
      "byHand: its pullback is no part of the text it was read from (operands: f32[2,3]); expected a program that was recorded, where something is to be differentiated"
    ) { x in
      let text = """
        graph (%0: f32[2,3]) {
          %1: f32[2,3] = byHand %0 {pullback by hand} (%0: f32[2,3]) {
            return %0
          }
          return %1
        }
        """
      _ = gradient(at: x[0]) { x in (try! Graph(parsing: text))([x])[0].sum() }
    },
    Bad(
      "gradient", matrix,
      "gradient: the function gives a tensor of type f32[2,3] (operands: f32[2,3]); expected a floating-point scalar; reduce it first, for example with .sum()"
    ) {
      _ = gradient(at: $0[0]) { $0 * 2 }
    },
    Bad(
      "gradient", matrix,
      "gradient: the function gives a tensor of type i32[] (operands: i32[]); expected a floating-point scalar; reduce it first, for example with .sum()"
    ) {
      _ = gradient(at: $0[0]) { $0.converted(to: .int32).sum() }
    },
    Bad(
      "customPullback", matrix,
      "customPullback: the custom pullback gives f32[] (operands: f32[2,3]); expected one cotangent for each operand, of its type"
    ) { x in
      _ = gradient(at: x[0]) { x in
        withCustomPullback(at: x) {
          $0 * 2
        } pullback: { _, _, cotangent in
          cotangent.sum()
        }.sum()
      }
    },
    Bad(
      "scan", [],
      "scan: no sequence to go along; expected [time, ...] with the same time everywhere; Tensor.iota(count) where only the count matters"
    ) { _ in
      _ = scan(over: Empty(), from: 0 as Tensor) { state, _ in (state, Empty()) }
    },
    Bad(
      "scan", [TensorType([])],
      "scan: sequences without one leading extent (operands: f32[]); expected [time, ...] with the same time everywhere; Tensor.iota(count) where only the count matters"
    ) {
      _ = scan(over: $0[0], from: 0 as Tensor) { ($0 + $1, Empty()) }
    },
    Bad(
      "scan", matrix,
      "scan: the state enters as f32[] and leaves as f32[3]; expected a state of the types that it starts with"
    ) {
      _ = scan(over: $0[0], from: 0 as Tensor) { ($0 + $1, Empty()) }
    },
    Bad(
      "scan", matrix,
      "scan: the state enters as f32[] and leaves as f32[3]; expected a state of the types that it starts with"
    ) {
      _ = scan(over: $0[0], from: 0 as Tensor, unroll: true) { ($0 + $1, $0) }
    },
    Bad(
      "scan", matrix,
      "scan: 'second' enters as f32[3] and leaves as i32[3]; expected a state of the types that it starts with"
    ) { x in
      _ = scan(over: x[0], from: Pair(x[0][0], x[0][0]), unroll: 2) { state, x in
        (Pair(x, x.converted(to: .int32)), Empty())
      }
    },
    Bad(
      "scan", matrix, "scan: a state of 1 tensors leaves as one of 2; expected a state of the types that it starts with"
    ) { x in
      _ = scan(over: x[0], from: [x[0][0]]) { state, x in (state + [x], Empty()) }
    },
    Bad(
      "repeatWhile", matrix,
      "repeatWhile: 'second' enters as f32[2,3] and leaves as f32[3]; expected a state of the types that it starts with"
    ) { x in
      _ = repeatWhile(from: Pair(x[0], x[0])) {
        $0.first.sum() .< 1
      } body: {
        Pair($0.first, $0.second[0])
      }
    },
    Bad(
      "conditional", matrix,
      "conditional: 'first' is f32[2,3] if true and f32[3] if false; expected branches that give the same types"
    ) { x in
      _ = conditional(x[0].sum() .> 0) {
        Pair(x[0], x[0])
      } else: {
        Pair(x[0][0], x[0])
      }
    },
    Bad(
      "conditional", matrix,
      "conditional: 1 tensors if true and 2 if false; expected branches that give the same types"
    ) { x in
      _ = conditional(x[0].sum() .> 0) {
        [x[0]]
      } else: {
        [x[0], x[0]]
      }
    },
    Bad("scan", matrix, "scan: a checkpoint every 0 steps; expected a number of steps of at least 1") { x in
      _ = scan(over: x[0], from: x[0][0], checkpointEvery: 0) { state, x in (tanh(state + x), Empty()) }
    },
    Bad(
      "scan", [TensorType([64, 3], .float64)],
      "scan: 100 bytes for the reverse of a loop of 64 steps; expected at least 312 bytes"
    ) { x in
      _ = scan(over: x[0], from: x[0][0], memory: .atMost(100)) { state, x in (tanh(state + x), Empty()) }
    },
    Bad(
      "assign", matrix,
      "assign: variable 'w' is assigned in the body of a loop or a vectorized function; expected the value to be carried or returned, and the assignment after it"
    ) { x in
      let w = Variable(0, name: "w")
      _ = scan(over: x[0], from: x[0][0]) { state, x in
        w.value = x.sum()
        return (state, Empty())
      }
    },
  ]

  private static let withAxis: [(String, @Sendable (Tensor, Int) -> Void)] = [
    ("sum", { _ = $0.sum(along: [$1]) }), ("product", { _ = $0.product(along: [$1]) }),
    ("max", { _ = $0.max(along: [$1]) }),
    ("argMin", { _ = $0.argMin(along: $1) }), ("sum", { _ = $0.mean(along: [$1]) }),
    ("sum", { _ = $0.variance(along: [$1]) }),
    ("max", { _ = $0.logSumExp(along: [$1]) }), ("max", { _ = softmax($0, along: $1) }),
    ("max", { _ = logSoftmax($0, along: $1) }),
    ("cumulativeSum", { _ = $0.cumulativeSum(along: $1) }), ("slice", { _ = $0.sliced(0..<1, along: $1) }),
    ("reversed", { _ = $0.reversed(along: $1) }), ("padded", { _ = $0.padded(before: 1, along: $1) }),
    ("padded", { _ = $0.padded(before: 1, along: $1, with: 2) }), ("part", { _ = $0.part(at: 0, along: $1) }),
    ("part", { _ = $0.part(at: -1, along: $1) }), ("squeezed", { _ = $0.squeezed(at: $1) }),
    ("unstacked", { _ = $0.unstacked(along: $1) }), ("split", { _ = $0.split([2, 1], along: $1) }),
    ("split", { let (_, _) = $0.split(into: 2, along: $1) }),
    ("concatenate", { _ = concatenated([$0, $0], along: $1) }),
    ("gathered", { _ = $0.gathered(at: .iota(2), along: $1) }), ("windows", { _ = $0.windows(of: 2, along: $1) }),
    ("scatterAdded", { _ = $0.scatterAdded(at: .iota(2), extent: 4, along: $1) }),
  ]

  /// An axis out of range, for everything that takes one; what follows in the function does not trap.
  static let axes: [Bad] = withAxis.flatMap { name, call in
    [
      Bad(name, matrix, "\(name): axis 2 of an operand of shape [2,3]; expected an axis in -2...1") { call($0[0], 2) },
      Bad(name, matrix, "\(name): axis -5 of an operand of shape [2,3]; expected an axis in -2...1") {
        call($0[0], -5)
      },
      Bad(name, [TensorType([], .float32)], "\(name): axis 0 of an operand of shape []; expected an operand with axes")
      { call($0[0], 0) },
    ]
  }
}

@Suite struct PublicErrorTests {
  @Test(arguments: PublicErrors.rows)
  func theMessageSaysWhatIsWrong(row: BadOperands) {
    #expect(row.failure() == nil)
  }

  @Test func everyErrorIsInATable() throws {
    let messages = (BadOperandsTable.rows + PublicErrors.rows).map(\.message)
    // What only a mistake in Reel itself could state.
    let internals = ["operands that are not those of the body", "a carry that leaves the body with another type"]
    let sites = try ErrorSite.all()
    #expect(sites.count > 35)
    for site in sites {
      for pieces in site.problems where !internals.contains(pieces.joined()) {
        let isThere = messages.contains { ErrorSite.matches(pieces, $0) }
        #expect(isThere, "no test states the problem \(pieces) of \(site.path)")
      }
    }
  }
}
