import Reel
import ReelTestSupport
import Testing

/// Programs of every kind that a text can hold: what loops, branches, derivatives and the compiler make.
struct GraphCorpus: Sendable, CustomTestStringConvertible {
  let name: String
  /// Operations that the program has, as traced or as compiled.
  let operations: Set<String>
  private let shapes: [Shape]
  private let function: @Sendable ([Tensor]) -> [Tensor]

  init(
    _ name: String, _ operations: Set<String>, _ shapes: [Shape], _ function: @escaping @Sendable ([Tensor]) -> [Tensor]
  ) {
    self.name = name
    self.operations = operations
    self.shapes = shapes
    self.function = function
  }

  var testDescription: String { name }

  func graph() throws -> Graph { try Graph(tracing: shapes.map { TensorType($0, .float64) }, function) }

  /// The graph as traced, and after the pipeline up to each of its passes.
  static func stages(of graph: Graph) -> [(name: String, graph: Graph)] {
    Pass.pipeline.reduce(into: [("traced", graph)]) { stages, pass in
      stages.append(("up to \(pass.name)", stages.last!.1.applying([pass])))
    }
  }

  static let all = control + derivatives + rows

  private static func branch(_ x: Tensor) -> Tensor {
    conditional(x.sum() .> 0) {
      tanh(x)
    } else: {
      scan(over: x, from: Tensor.zeros([2], elementType: .float64)) { state, x in (state * x, sin(state + x)) }.outputs
    }
  }

  private static func steps(_ x: [Tensor]) -> Tensor { RepeatWhileTests.program(x[0], x[1]) }

  private static func hand(_ x: Tensor) -> Tensor {
    withCustomPullback(at: x, name: "by hand", of: { tanh($0) }, pullback: { _, y, g in g * (1 - y * y) })
  }

  private static let control: [GraphCorpus] = [
    GraphCorpus("branch", ["conditional", "scan"], [[3, 2]]) { [branch($0[0])] },
    GraphCorpus("gradient of a branch", ["conditional"], [[3, 2]]) { [gradient(at: $0[0]) { branch($0).sum() }] },
    GraphCorpus("branches of a batch", ["select"], [[4, 3, 2]]) { [vectorize(branch)($0[0])] },
    GraphCorpus("loop of any length", ["repeatWhile"], [[2, 3], [3, 3]]) { [steps($0)] },
    GraphCorpus("derivative of a loop of any length", ["repeatWhileDerivative"], [[2, 3], [3, 3]]) { x in
      [gradient(at: x[0]) { cos(steps([$0, x[1]])).sum() }]
    },
    GraphCorpus("second derivative of a loop of any length", ["repeatWhileDerivative"], [[2, 3], [3, 3]]) { x in
      [gradient(at: x[0]) { h in sin(gradient(at: x[1]) { cos(steps([h, $0])).sum() }).sum() }]
    },
    GraphCorpus("derivative of a batch of loops of any length", ["repeatWhileDerivative"], [[4, 2, 3], [3, 3]]) { x in
      let w = x[1]
      return [vectorize { (h: Tensor) in gradient(at: h) { cos(steps([$0, w])).sum() } }(x[0])]
    },
  ]

  private static let derivatives: [GraphCorpus] = [
    GraphCorpus("rematerialized", ["rematerialized"], [[3, 2]]) { x in
      [gradient(at: x[0]) { x in rematerialized { sin(tanh(x) * x) }.sum() }]
    },
    GraphCorpus("pullback by hand", ["by hand"], [[3, 2]]) { [hand($0[0]), gradient(at: $0[0]) { hand($0).sum() }] },
    GraphCorpus("pullback by hand of a batch", ["by hand"], [[4, 3, 2]]) { x in
      [gradient(at: x[0]) { vectorize(hand)($0).sum() }]
    },
    GraphCorpus("Jacobian", ["matmul"], [[2, 3], [3, 3]]) { x in [jacobian(at: x[0]) { tanh($0.matmul(x[1])) }] },
    GraphCorpus("forward mode through a loop", ["scan"], [[3, 2], [2]]) { x in
      let (y, dy) = valueWithDerivative(at: x[1], along: x[1]) { h in
        scan(over: x[0], from: h) { h, x in (tanh(h + x), h) }.outputs
      }
      return [y, dy]
    },
    GraphCorpus("constants that are no numbers", ["constant"], [[3]]) { x in
      [x[0] * Tensor([Double.nan, .infinity, -.infinity]), select(x[0] .> 0, x[0], Tensor(-Double.infinity))]
    },
  ]

  private static let rows: [GraphCorpus] = [
    GraphCorpus("softmax and its derivative", ["fused", "rowRegisters="], [[5, 64]]) { x in
      let (y, dx) = valueWithGradient(at: x[0]) { (softmax($0) * $0).sum() }
      return [y, dx]
    },
    GraphCorpus("rows of mean 0 and variance 1", ["fused", "rowRegisters="], [[5, 64]]) { x in
      let mean = x[0].mean(along: [-1], keepDims: true)
      let deviation = x[0] - mean
      let variance = (deviation * deviation).mean(along: [-1], keepDims: true)
      return [deviation / sqrt(variance + 1e-3), variance]
    },
    GraphCorpus("greatest of rows in a loop", ["rowRegisters=", "scan"], [[4, 5, 64]]) { x in
      let all = scan(over: x[0], from: Tensor.zeros([5, 64], elementType: .float64)) { state, x in
        let next = tanh(state + x)
        return (next - next.max(along: [-1], keepDims: true), exp(next).sum(along: [-1]))
      }
      return [all.state, all.outputs]
    },
  ]
}
