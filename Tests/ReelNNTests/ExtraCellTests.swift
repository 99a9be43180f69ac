import Foundation
import Reel
import ReelNN
import ReelTestSupport
import Testing

/// The cells beside Keras's, against their formulas in plain numbers.
@Suite struct ExtraCellTests {
  static let x = sample([1, 3], seed: 1)
  static let units = 2

  /// A row times a matrix, in plain numbers.
  private static func product(_ row: [Double], _ matrix: Tensor) -> [Double] {
    let (numbers, columns) = (matrix.numbers, matrix.shape.last)
    return (0..<columns).map { column in
      row.indices.reduce(0) { $0 + row[$1] * numbers[$1 * columns + column] }
    }
  }

  private static func σ(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  private static func normalized(_ a: [Double], _ epsilon: Double) -> [Double] {
    let mean = a.reduce(0, +) / Double(a.count)
    let variance = a.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(a.count)
    return a.map { ($0 - mean) / (variance + epsilon).squareRoot() }
  }

  /// Parameters of a cell by name, none of them zeros or ones, and its state.
  private func prepared<Cell: RecurrentCell>(_ cell: Cell) -> (weights: [String: Tensor], state: Cell.State) {
    ElementType.withDefault(.float64) {
      var seed: UInt64 = 10
      let state = cell.initialState(batchSize: 1).mapTensors {
        seed += 1
        return sample($0.shape, seed: seed)
      }
      _ = cell(Self.x, state)
      var weights: [String: Tensor] = [:]
      for (name, parameter) in cell.parameters {
        seed += 1
        parameter.value = sample(parameter.value!.shape, seed: seed)
        weights[name] = parameter.value
      }
      return (weights, state)
    }
  }

  private func expect(_ found: (output: Tensor, state: LSTMCell.State), _ h: [Double], _ c: [Double]) {
    expectClose(found.output, Tensor(h, shape: found.output.shape), relative: 1e-12, absolute: 1e-13)
    expectSameBits(found.output, found.state.hidden)
    expectClose(found.state.cell, Tensor(c, shape: found.state.cell.shape), relative: 1e-12, absolute: 1e-13)
  }

  @Test func peephole() {
    let cell = PeepholeLSTMCell(Self.units)
    let (w, state) = prepared(cell)
    let z = zip(Self.product(Self.x.numbers, w["kernel"]!), Self.product(state.hidden.numbers, w["recurrentKernel"]!))
      .map { $0 + $1 }
    let b = w["bias"]!.numbers
    let (p, c) = (w["peephole"]!.numbers, state.cell.numbers)
    var (next, h) = ([Double](), [Double]())
    for u in 0..<2 {
      let i = Self.σ(z[u] + b[u] + p[u] * c[u])
      let f = Self.σ(z[2 + u] + b[2 + u] + p[2 + u] * c[u])
      next.append(f * c[u] + i * tanh(z[4 + u] + b[4 + u]))
      h.append(Self.σ(z[6 + u] + b[6 + u] + p[4 + u] * next[u]) * tanh(next[u]))
    }
    expect(cell(Self.x, state), h, next)
  }

  @Test func layerNormalized() {
    let cell = LayerNormLSTMCell(Self.units, epsilon: 0.01)
    let (w, state) = prepared(cell)
    let input = Self.normalized(Self.product(Self.x.numbers, w["kernel"]!), 0.01)
    let recurrent = Self.normalized(Self.product(state.hidden.numbers, w["recurrentKernel"]!), 0.01)
    let z = (0..<8).map {
      w["kernelScale"]!.numbers[$0] * input[$0] + w["recurrentScale"]!.numbers[$0] * recurrent[$0]
        + w["bias"]!.numbers[$0]
    }
    let next = (0..<2).map { Self.σ(z[2 + $0]) * state.cell.numbers[$0] + Self.σ(z[$0]) * tanh(z[4 + $0]) }
    let shown = Self.normalized(next, 0.01)
    let h = (0..<2).map {
      Self.σ(z[6 + $0]) * tanh(w["cellScale"]!.numbers[$0] * shown[$0] + w["cellOffset"]!.numbers[$0])
    }
    expect(cell(Self.x, state), h, next)
  }

  @Test func projectedAndClipped() {
    let cell = ProjectedLSTMCell(Self.units, projection: 3, cellClip: 0.3, projectionClip: 0.1)
    let (w, state) = prepared(cell)
    let z = zip(Self.product(Self.x.numbers, w["kernel"]!), Self.product(state.hidden.numbers, w["recurrentKernel"]!))
      .enumerated().map { $1.0 + $1.1 + w["bias"]!.numbers[$0] }
    let raw = (0..<2).map { Self.σ(z[2 + $0]) * state.cell.numbers[$0] + Self.σ(z[$0]) * tanh(z[4 + $0]) }
    let next = raw.map { min(max($0, -0.3), 0.3) }
    let projected = Self.product((0..<2).map { Self.σ(z[6 + $0]) * tanh(next[$0]) }, w["projectionKernel"]!)
    #expect(raw != next && projected.contains { abs($0) > 0.1 })
    expect(cell(Self.x, state), projected.map { min(max($0, -0.1), 0.1) }, next)
  }

  @Test func withoutItsExtrasEachIsTheLSTM() {
    let x = sample([2, 4, 3], seed: 3, elementType: .float32)
    let lstm = LSTM(5)
    let expected = lstm(x)
    func expectSame(_ layer: some Layer<Tensor, Tensor>) {
      _ = layer(x)
      let known = Dictionary(uniqueKeysWithValues: lstm.parameters.map { ($0.name, $0.parameter) })
      for (name, parameter) in layer.parameters { if let value = known[name]?.value { parameter.value = value } }
      expectSameBits(layer(x), expected)
    }
    expectSame(RNN(PeepholeLSTMCell(5)))
    expectSame(RNN(ProjectedLSTMCell(5)))
    #expect(RNN(ProjectedLSTMCell(5, projection: 2))(x).shape == [2, 2])
  }
}
