import Foundation
import Reel
import ReelTestSupport
import Testing

/// Random loop bodies: they find what no cell of a list does.
@Suite struct LoopRandomTests {
  /// How many bodies are tried; more where the environment asks for it.
  static let count = Int(ProcessInfo.processInfo.environment["REEL_RANDOM_BODIES"] ?? "") ?? 60

  /// A body drawn from a seed: carries, elements and weights combined at random.
  struct RandomBody {
    var generator: SplitMix
    let carryCount: Int
    let operationCount: Int
    static let (batch, time, units) = (3, 4, 4)

    init(seed: UInt64) {
      generator = SplitMix(seed: seed)
      carryCount = Int.random(in: 1...4, using: &generator)
      operationCount = Int.random(in: 4...18, using: &generator)
    }

    /// Weights, biases, one sequence and the initial carries.
    var shapes: [Shape] {
      let (batch, time, units) = (Self.batch, Self.time, Self.units)
      return [
        [units, units], [units, units], [2 * units, units], [units, 2 * units], [units], [time, batch, units],
      ]
        + Array(repeating: [batch, units], count: carryCount)
    }

    mutating func step(_ w: [Tensor], _ state: [Tensor], _ x: Tensor) -> (state: [Tensor], output: [Tensor]) {
      var values = state + [x]
      for _ in 0..<operationCount { values.append(operation(w, values)) }
      var next: [Tensor] = []
      for carry in state {
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: next.append(carry + values.randomElement(using: &generator)!)
        case 1: next.append(x)
        case 2: next.append(carry)
        default: next.append(values.randomElement(using: &generator)!)
        }
      }
      let outputs = (0..<Int.random(in: 0...2, using: &generator)).map { _ in values.randomElement(using: &generator)! }
      return (next, outputs)
    }

    private mutating func operation(_ w: [Tensor], _ values: [Tensor]) -> Tensor {
      let a = values.suffix(6).randomElement(using: &generator)!
      let b = values.randomElement(using: &generator)!
      switch Int.random(in: 0..<17, using: &generator) {
      case 0, 1: return a.matmul(w[0])
      case 2: return a.matmul(w[1])
      case 3: return a.matmul(w[1], transposingOther: true)
      case 4: return concatenated([a, b], along: -1).matmul(w[2])
      case 5:
        let (p, q) = a.matmul(w[3]).split(into: 2)
        return sigmoid(p) * q
      case 6: return a + b
      case 7: return a * b * 0.5
      case 8: return tanh(a)
      case 9: return sigmoid(a) + w[4]
      case 10: return a - b
      case 11: return a / sqrt((b * b).sum(along: [-1], keepDims: true) + 1)
      case 12: return select(a .> b, a, b * 0.3)
      case 13: return a - a.mean(along: [0], keepDims: true)
      case 14: return tanh(a * w[4])
      case 15: return a.matmul(w[0]) + b.matmul(w[1])
      default: return a.transposed().matmul(b).matmul(w[0])[0] + b
      }
    }

    func trainingStep(_ unroll: Unroll = .never) throws -> Graph {
      try Graph(tracing: shapes.map { TensorType($0, .float64) }) { x in
        let (y, gradients) = valueWithGradient(at: x) { x in
          let (state, outputs) = scan(over: x[5], from: Array(x[6...]), unroll: unroll) { state, element in
            var body = self
            let (next, output) = body.step(Array(x[..<5]), state, element)
            return (next, output)
          }
          let finals = state.enumerated().map { sin($1 + Tensor(Double($0))).sum() }
          return (finals + outputs.map { tanh($0).sum() }).reduce(Tensor(0.0)) { $0 + $1 }
        }
        return [y] + gradients
      }
    }
  }

  @Test func randomBodiesKeepTheirValues() throws {
    for seed in 0..<Self.count {
      let graph = try RandomBody(seed: UInt64(seed)).trainingStep()
      LoopValueTests.expectSameValues(graph, graph.applying(LoopValueTests.passes), "seed \(seed)")
    }
  }

  /// The whole pipeline with the runtime, against the reference: bits of the loss, gradients but for rounding.
  @Test func randomBodiesRun() throws {
    for seed in 0..<Self.count {
      let graph = try RandomBody(seed: UInt64(seed)).trainingStep()
      let operands = LoopCell.operands(of: graph, seed: 1)
      let expected = graph.interpreted(operands)
      let found = try compiled { (x: [Tensor]) in graph(x) }(operands)
      expectSameBits(found[0], expected[0], "seed \(seed): loss")
      for index in expected.indices.dropFirst() {
        expectClose(
          found[index], expected[index], relative: 1e-12, absolute: 1e-12, "seed \(seed): gradient \(index)")
      }
    }
  }
}
