import Reel
import ReelTestSupport
import Testing

/// A recurrent cell as plain operations, and the whole training step made of it: what the loop passes are tried on.
struct LoopCell: Sendable, CustomTestStringConvertible {
  /// The sizes of a step.
  struct Sizes {
    var batch = 3
    var time = 5
    var features = 2
    var units = 4
  }

  let name: String
  /// The weights, by the sizes.
  let weights: @Sendable (Sizes) -> [Shape]
  /// The parts of the state.
  let states: @Sendable (Sizes) -> [Shape]
  /// What the step gets beside the input: tensors of every step.
  var extras: @Sendable (Sizes) -> [Shape] = { _ in [] }
  /// One step, from weights, state, input and extras to the next state, whose first part is the output.
  let step: @Sendable (_ w: [Tensor], _ state: [Tensor], _ x: Tensor, _ extras: [Tensor]) -> [Tensor]

  var testDescription: String { name }

  /// What is made of a cell.
  struct Variant: Sendable {
    /// Whether there are gradients by the input and the initial state, beside those by the weights.
    var givesInputGradient = false
    /// Whether the loss depends on the outputs of all steps, not only on the last state.
    var readsOutputs = false
    var isReversed = false
    /// What the loop keeps for its reverse.
    var memory = LoopMemory.unlimited
  }

  /// The training step: the loss and its gradients.
  func trainingStep(_ sizes: Sizes, _ variant: Variant = Variant()) throws -> Graph {
    let (weights, states, extras) = (weights(sizes), states(sizes), extras(sizes))
    let shapes =
      weights + [[sizes.time, sizes.batch, sizes.features]] + states
      + extras.map {
        Shape([sizes.time] + $0.extents)
      }
    return try Graph(tracing: shapes.map { TensorType($0, .float64) }) { x in
      let w = Array(x[..<weights.count])
      let rest = Array(x[weights.count...].prefix(1 + states.count))
      let extra = Array(x[(weights.count + 1 + states.count)...])
      func loss(_ w: [Tensor], _ rest: [Tensor]) -> Tensor {
        let (state, outputs) = scan(
          over: [rest[0]] + extra, from: Array(rest[1...]), reverse: variant.isReversed, memory: variant.memory
        ) { state, x in
          let next = step(w, state, x[0], Array(x[1...]))
          return (next, next[0])
        }
        let last = (state[0] * state[0]).sum()
        return variant.readsOutputs ? last + sin(outputs).sum() : last
      }
      if variant.givesInputGradient {
        let (y, (dw, drest)) = valueWithGradient(at: w, rest, of: loss)
        return [y] + dw + drest
      }
      let (y, dw) = valueWithGradient(at: w) { loss($0, rest) }
      return [y] + dw
    }
  }

  /// Operands for a training step, small enough that nothing saturates.
  static func operands(of graph: Graph, seed: UInt64) -> [Tensor] {
    graph.inputTypes.enumerated().map { sample($1.shape, seed: seed + UInt64($0), elementType: $1.elementType) * 0.5 }
  }
}

extension LoopCell {
  static let all: [LoopCell] = [
    simple, lstm, lstmOfMatrices, lstmConcatenated, gruAfter, gruBefore, minimalGated, lstmPeephole, lstmNormalised,
    twoLayers, lstmMasked,
  ]

  static let simple = LoopCell(
    name: "SimpleRNN", weights: { [[$0.features, $0.units], [$0.units, $0.units], [$0.units]] },
    states: { [[$0.batch, $0.units]] }
  ) { w, state, x, _ in
    [tanh(x.matmul(w[0]) + w[2] + state[0].matmul(w[1]))]
  }

  private static func lstm(_ z: Tensor, _ c: Tensor) -> [Tensor] {
    let (i, f, g, o) = z.split(into: 4)
    let cell = sigmoid(f) * c + sigmoid(i) * tanh(g)
    return [sigmoid(o) * tanh(cell), cell]
  }

  static let lstm = LoopCell(
    name: "LSTM", weights: { [[$0.features, 4 * $0.units], [$0.units, 4 * $0.units], [4 * $0.units]] },
    states: { [[$0.batch, $0.units], [$0.batch, $0.units]] }
  ) { w, state, x, _ in
    lstm(x.matmul(w[0]) + w[2] + state[0].matmul(w[1]), state[1])
  }

  static let lstmOfMatrices = LoopCell(
    name: "LSTM of eight matrices",
    weights: { s in
      Array(repeating: [s.features, s.units], count: 4) + Array(repeating: [s.units, s.units], count: 4)
        + Array(repeating: [s.units], count: 4)
    },
    states: { [[$0.batch, $0.units], [$0.batch, $0.units]] }
  ) { w, state, x, _ in
    let z = (0..<4).map { x.matmul(w[$0]) + state[0].matmul(w[4 + $0]) + w[8 + $0] }
    let cell = sigmoid(z[1]) * state[1] + sigmoid(z[0]) * tanh(z[2])
    return [sigmoid(z[3]) * tanh(cell), cell]
  }

  static let lstmConcatenated = LoopCell(
    name: "LSTM [x, h]·W", weights: { [[$0.features + $0.units, 4 * $0.units], [4 * $0.units]] },
    states: { [[$0.batch, $0.units], [$0.batch, $0.units]] }
  ) { w, state, x, _ in
    lstm(concatenated([x, state[0]], along: -1).matmul(w[0]) + w[1], state[1])
  }

  static let gruAfter = LoopCell(
    name: "GRU, reset after",
    weights: { [[$0.features, 3 * $0.units], [$0.units, 3 * $0.units], [2, 3 * $0.units]] },
    states: { [[$0.batch, $0.units]] }
  ) { w, state, x, _ in
    let h = state[0]
    let (xz, xr, xh) = (x.matmul(w[0]) + w[2][0]).split(into: 3)
    let (hz, hr, hh) = (h.matmul(w[1]) + w[2][1]).split(into: 3)
    let (z, r) = (sigmoid(xz + hz), sigmoid(xr + hr))
    return [z * h + (1 - z) * tanh(xh + r * hh)]
  }

  static let gruBefore = LoopCell(
    name: "GRU, reset before",
    weights: { [[$0.features, 3 * $0.units], [$0.units, 3 * $0.units], [3 * $0.units]] },
    states: { [[$0.batch, $0.units]] }
  ) { w, state, x, _ in
    let h = state[0]
    let (xz, xr, xh) = (x.matmul(w[0]) + w[2]).split(into: 3)
    let (rz, rr, rh) = w[1].split(into: 3)
    let (z, r) = (sigmoid(xz + h.matmul(rz)), sigmoid(xr + h.matmul(rr)))
    return [z * h + (1 - z) * tanh(xh + (r * h).matmul(rh))]
  }

  static let minimalGated = LoopCell(
    name: "MGU", weights: { [[$0.features, 2 * $0.units], [$0.units, 2 * $0.units], [2 * $0.units]] },
    states: { [[$0.batch, $0.units]] }
  ) { w, state, x, _ in
    let h = state[0]
    let (xf, xn) = (x.matmul(w[0]) + w[2]).split(into: 2)
    let (uf, un) = w[1].split(into: 2)
    let f = sigmoid(xf + h.matmul(uf))
    return [(1 - f) * h + f * tanh(xn + (f * h).matmul(un))]
  }

  static let lstmPeephole = LoopCell(
    name: "LSTM, peephole",
    weights: {
      [[$0.features, 4 * $0.units], [$0.units, 4 * $0.units], [4 * $0.units], [$0.units], [$0.units], [$0.units]]
    },
    states: { [[$0.batch, $0.units], [$0.batch, $0.units]] }
  ) { w, state, x, _ in
    let c = state[1]
    let (i, f, g, o) = (x.matmul(w[0]) + state[0].matmul(w[1]) + w[2]).split(into: 4)
    let cell = sigmoid(f + c * w[3]) * c + sigmoid(i + c * w[4]) * tanh(g)
    return [sigmoid(o + cell * w[5]) * tanh(cell), cell]
  }

  private static func normalised(_ x: Tensor, _ scale: Tensor, _ shift: Tensor) -> Tensor {
    let d = x - x.mean(along: [-1], keepDims: true)
    let variance = (d * d).mean(along: [-1], keepDims: true)
    return d / sqrt(variance + 1e-5) * scale + shift
  }

  static let lstmNormalised = LoopCell(
    name: "LSTM, layer norm",
    weights: { s in
      let wide: Shape = [4 * s.units]
      return [[s.features, 4 * s.units], [s.units, 4 * s.units], wide, wide, wide, wide, [s.units], [s.units]]
    },
    states: { [[$0.batch, $0.units], [$0.batch, $0.units]] }
  ) { w, state, x, _ in
    let z = normalised(x.matmul(w[0]), w[2], w[3]) + normalised(state[0].matmul(w[1]), w[4], w[5])
    let (i, f, g, o) = z.split(into: 4)
    let cell = sigmoid(f) * state[1] + sigmoid(i) * tanh(g)
    return [sigmoid(o) * tanh(normalised(cell, w[6], w[7])), cell]
  }

  static let twoLayers = LoopCell(
    name: "two layers in one body",
    weights: { s in
      [
        [s.features, 4 * s.units], [s.units, 4 * s.units], [4 * s.units], [s.units, 4 * s.units],
        [s.units, 4 * s.units], [4 * s.units],
      ]
    },
    states: { Array(repeating: [$0.batch, $0.units], count: 4) }
  ) { w, state, x, _ in
    let first = lstm(x.matmul(w[0]) + w[2] + state[2].matmul(w[1]), state[3])
    let second = lstm(first[0].matmul(w[3]) + w[5] + state[0].matmul(w[4]), state[1])
    return second + first
  }

  /// With a dropout mask on the state, the same for all steps, and a mask of the steps that count, as numbers.
  static let lstmMasked = LoopCell(
    name: "LSTM, dropout and step mask",
    weights: { [[$0.features, 4 * $0.units], [$0.units, 4 * $0.units], [4 * $0.units], [$0.batch, $0.units]] },
    states: { [[$0.batch, $0.units], [$0.batch, $0.units]] },
    extras: { [[$0.batch, 1]] }
  ) { w, state, x, extras in
    let kept = select(stopGradient(w[3]) .> -0.3, state[0] / 0.8, 0)
    let next = lstm(x.matmul(w[0]) + w[2] + kept.matmul(w[1]), state[1])
    let counts = extras[0] .> 0
    return zip(next, state).map { select(counts, $0, $1) }
  }
}
