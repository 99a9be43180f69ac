import Foundation
import Reel
import ReelTestSupport
import Testing

/// The code of the page on loops, compiled and run. What it shows and what is here are compared line by line.
@Suite struct LoopsPageTests {
  @Test func alongASequence() {
    let xs = sample([12], seed: 1, elementType: .float32)
    let (h, mask) = (sample([], seed: 2, elementType: .float32), xs .> 0)
    // Loops.md: block 1
    let (sum, partial) = scan(over: xs, from: Tensor(0)) { sum, x in
      (sum + x, sum)
    }
    // Loops.md: end
    expectClose(sum, xs.sum(), relative: 1e-5)
    #expect(partial.shape == xs.shape)

    // Loops.md: block 2
    struct Step: TensorFields {
      var input, keep: Tensor
      static var fields: Fields<Self> { .init(\.input, \.keep) }
    }

    let (state, outputs) = scan(over: Step(input: xs, keep: mask), from: ["h": h]) { state, step in
      let next = tanh(step.input + state["h"]!)
      let kept = select(step.keep, next, state["h"]!)
      return (["h": kept], Pair(kept, kept.sum()))
    }
    // Loops.md: end
    #expect(outputs.second.shape == [12])
    expectSameBits(outputs.first[11], state["h"]!)
  }

  @Test func memoryToOrder() {
    let xs = sample([45, 2, 3], seed: 1)
    let (x, h, w) = (sample([2, 3], seed: 2), sample([2, 3], seed: 3), sample([3, 3], seed: 4))
    // Loops.md: block 3
    func loss(_ w: Tensor) -> Tensor {
      scan(over: xs, from: h, checkpointEvery: 10) { h, x in
        (tanh(x + h.matmul(w)), Empty())
      }.state.sum()
    }
    let dw = gradient(at: w, of: loss)
    // Loops.md: end
    let expected = gradient(at: w) { w in
      scan(over: xs, from: h) { h, x in (tanh(x + h.matmul(w)), Empty()) }.state.sum()
    }
    expectSameBits(dw, expected)

    // Loops.md: block 4
    func boundedLoss(_ w: Tensor) -> Tensor {
      scan(over: xs, from: h, memory: .atMost(64 << 10)) { h, x in
        (tanh(x + h.matmul(w)), Empty())
      }.state.sum()
    }
    // Loops.md: end
    expectSameBits(gradient(at: w, of: boundedLoss), expected)

    // Loops.md: block 5
    let y = rematerialized { tanh(x.matmul(w)).matmul(w) }
    // Loops.md: end
    expectSameBits(y, tanh(x.matmul(w)).matmul(w))
  }

  @Test func asLongAsAConditionHolds() {
    let (guess, number) = (Tensor(1.0).converted(to: .float64), Tensor(2.0).converted(to: .float64))
    // Loops.md: block 6
    let root = repeatWhile(from: guess) {
      abs($0 * $0 - number) .> 1e-9
    } body: {
      ($0 + number / $0) / 2
    }
    // Loops.md: end
    #expect(abs(root.item - 2.0.squareRoot()) < 1e-9)
  }

  @Test func generation() {
    let end = Tensor(31 as Int32)
    func following(_ token: Tensor) -> Tensor { token * Tensor(2 as Int32) + Tensor(1 as Int32) }
    // Loops.md: block 7
    let limit = 20
    let written = repeatWhile(
      from: Pair(Tensor.zeros([limit], elementType: .int32), Pair(Tensor(1 as Int32), Tensor(0 as Int32)))
    ) { state in
      (state.second.first .!= end) .& (state.second.second .< Tensor(Int32(limit)))
    } body: { state in
      let (token, position) = (state.second.first, state.second.second)
      let tokens = select(Tensor.iota(limit) .== position, token, state.first)
      return Pair(tokens, Pair(following(token), position + Tensor(1 as Int32)))
    }.first
    // Loops.md: end
    #expect(written.numbers == [1, 3, 7, 15] + [Double](repeating: 0, count: 16))
  }

  @Test func oneOfTwoBranches() {
    let number = Tensor(3.0)
    // Loops.md: block 8
    let safe = conditional(number .> 0) {
      log(number)
    } else: {
      Tensor.zeros(like: number)
    }
    // Loops.md: end
    #expect(safe.item == log(number).item)
  }

  @Test func theBlocksAreThoseOfThePage() throws {
    let source = try Self.lines(of: URL(filePath: #filePath))
    let page = URL(filePath: #filePath).appending(path: "../../../Docs/Loops.md").standardizedFileURL
    let blocks = try Self.lines(of: page).split(separator: "```swift").dropFirst().map {
      Array($0.prefix { $0 != "```" })
    }
    #expect(blocks.count == 8)
    for (index, block) in blocks.enumerated() {
      let start = try #require(source.firstIndex { $0.hasSuffix("// Loops.md: block \(index + 1)") }) + 1
      let end = try #require(source[start...].firstIndex { $0.hasSuffix("// Loops.md: end") })
      let indentation = source[start].prefix { $0 == " " }.count
      #expect(source[start..<end].map { String($0.dropFirst(indentation)) } == block, "block \(index + 1)")
    }
  }

  private static func lines(of file: URL) throws -> [String] {
    try String(contentsOf: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false).map(
      String.init)
  }
}
