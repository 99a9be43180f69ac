import Foundation
import Reel
import ReelNN
import ReelTestSupport
import Testing

/// The cells against their formulas written out in plain loops over numbers.
@Suite struct RecurrentReferenceTests {
  static let (batch, time, features, units) = (2, 5, 3, 4)

  /// A matrix of numbers by row and column.
  struct Matrix {
    let columns: Int
    let numbers: [Double]

    init(_ tensor: Tensor) {
      columns = tensor.shape.last
      numbers = tensor.numbers
    }

    subscript(row: Int, column: Int) -> Double { numbers[row * columns + column] }
  }

  static func logistic(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  /// Σ v[k] · matrix[k, column].
  static func product(_ v: [Double], _ matrix: Matrix, _ column: Int) -> Double {
    v.indices.reduce(0) { $0 + v[$1] * matrix[$1, column] }
  }

  typealias Step = (_ x: [Double], _ h: [Double], _ c: [Double]) -> (h: [Double], c: [Double])

  static func simpleStep(_ k: Matrix, _ r: Matrix, _ b: Matrix) -> Step {
    { x, h, c in
      ((0..<units).map { Foundation.tanh(product(x, k, $0) + product(h, r, $0) + b[0, $0]) }, c)
    }
  }

  static func lstmStep(_ k: Matrix, _ r: Matrix, _ b: Matrix) -> Step {
    { x, h, c in
      var (nextH, nextC) = (h, c)
      for u in 0..<units {
        let z = (0..<4).map { gate in
          let column = gate * units + u
          return product(x, k, column) + product(h, r, column) + b[0, column]
        }
        nextC[u] = logistic(z[1]) * c[u] + logistic(z[0]) * Foundation.tanh(z[2])
        nextH[u] = logistic(z[3]) * Foundation.tanh(nextC[u])
      }
      return (nextH, nextC)
    }
  }

  static func gruStep(_ k: Matrix, _ r: Matrix, _ b: Matrix, resetAfter: Bool) -> Step {
    { x, h, c in
      /// What a gate adds up from its input, and from a state.
      func input(_ gate: Int, _ u: Int) -> Double { product(x, k, gate * units + u) + b[0, gate * units + u] }
      func recurrent(_ h: [Double], _ gate: Int, _ u: Int) -> Double {
        product(h, r, gate * units + u) + (resetAfter ? b[1, gate * units + u] : 0)
      }
      let z = (0..<units).map { logistic(input(0, $0) + recurrent(h, 0, $0)) }
      let reset = (0..<units).map { logistic(input(1, $0) + recurrent(h, 1, $0)) }
      let candidate = (0..<units).map { u in
        resetAfter
          ? Foundation.tanh(input(2, u) + reset[u] * recurrent(h, 2, u))
          : Foundation.tanh(input(2, u) + recurrent(zip(reset, h).map(*), 2, u))
      }
      return ((0..<units).map { z[$0] * h[$0] + (1 - z[$0]) * candidate[$0] }, c)
    }
  }

  /// Runs a step along every row of a batch.
  static func run(_ step: Step, _ x: Tensor) -> Tensor {
    let numbers = x.numbers
    var outputs: [Double] = []
    for row in 0..<batch {
      var (h, c) = ([Double](repeating: 0, count: units), [Double](repeating: 0, count: units))
      for t in 0..<time {
        let start = (row * time + t) * features
        (h, c) = step(Array(numbers[start..<start + features]), h, c)
        outputs += h
      }
    }
    return Tensor(outputs, shape: [batch, time, units])
  }

  @Test(arguments: ["simpleRNN", "lstm", "gru", "gruResetBefore"])
  func cellsAreTheirFormulas(kind: String) {
    let gates = ["simpleRNN": 1, "lstm": 4][kind] ?? 3
    let x = sample([Self.batch, Self.time, Self.features], seed: 21)
    let k = sample([Self.features, gates * Self.units], seed: 22)
    let r = sample([Self.units, gates * Self.units], seed: 23)
    let b = sample(kind == "gru" ? [2, gates * Self.units] : [gates * Self.units], seed: 24)
    let (kernel, recurrent, bias) = (Initializer.value(k), Initializer.value(r), Initializer.value(b))
    let (layer, step): (any Layer<Tensor, Tensor>, Step) =
      switch kind {
      case "simpleRNN":
        (
          SimpleRNN(
            Self.units, kernelInitializer: kernel, recurrentInitializer: recurrent, biasInitializer: bias,
            returnSequences: true),
          Self.simpleStep(Matrix(k), Matrix(r), Matrix(b))
        )
      case "lstm":
        (
          LSTM(
            Self.units, kernelInitializer: kernel, recurrentInitializer: recurrent, biasInitializer: bias,
            unitForgetBias: false, returnSequences: true),
          Self.lstmStep(Matrix(k), Matrix(r), Matrix(b))
        )
      default:
        (
          GRU(
            Self.units, kernelInitializer: kernel, recurrentInitializer: recurrent, biasInitializer: bias,
            resetAfter: kind == "gru", returnSequences: true),
          Self.gruStep(Matrix(k), Matrix(r), Matrix(b), resetAfter: kind == "gru")
        )
      }
    ElementType.withDefault(.float64) {
      expectClose(layer(x), Self.run(step, x), relative: 1e-12, absolute: 1e-13, kind)
    }
  }

  // MARK: - Keras's own constants

  /// Keras's tests of its layers: kernel 0.01, recurrent kernel 0.02, bias 0.03 everywhere (a forget gate's bias 1), and
  /// inputs 0, 1, 2, …; all units are equal then.
  struct Known: CustomTestStringConvertible {
    let testDescription: String
    let shape: Shape
    let layer: any WithStates
    /// Each tensor of the initial state.
    var initial: [Tensor] = []
    /// How often the layer runs, each time from the last state.
    var calls = 1
    /// Each output for each sample, repeated for all units where there is one number.
    let expected: [[[Double]]]
  }

  private static let (k, r, b) = (Initializer.constant(0.01), Initializer.constant(0.02), Initializer.constant(0.03))

  private static func lstm(
    _ units: Int, forget: Bool = true, useBias: Bool = true, backwards: Bool = false
  ) -> LSTM {
    LSTM(
      units, useBias: useBias, kernelInitializer: k, recurrentInitializer: r, biasInitializer: b,
      unitForgetBias: forget, returnState: true, goBackwards: backwards)
  }

  private static func gru(
    _ units: Int, resetAfter: Bool = true, useBias: Bool = true, backwards: Bool = false
  ) -> GRU {
    GRU(
      units, useBias: useBias, kernelInitializer: k, recurrentInitializer: r, biasInitializer: b,
      resetAfter: resetAfter, returnState: true, goBackwards: backwards)
  }

  private static func simple(_ units: Int, backwards: Bool = false) -> SimpleRNN {
    SimpleRNN(
      units, kernelInitializer: k, recurrentInitializer: r, biasInitializer: b, returnState: true,
      goBackwards: backwards)
  }

  private static func known(
    _ name: String, _ shape: Shape, _ layer: any WithStates, calls: Int = 1,
    _ samples: Double...
  ) -> Known {
    Known(testDescription: name, shape: shape, layer: layer, calls: calls, expected: [samples.map { [$0] }])
  }

  private static let counted = Tensor.iota(4, elementType: .float32).reshaped(to: [2, 2])

  static var constants: [Known] {
    [
      known("LSTM", [3, 6, 4], lstm(3), 0.6288687, 0.86899155, 0.9460773),
      known("LSTM backwards", [3, 6, 4], lstm(3, backwards: true), 0.35622165, 0.74789524, 0.8872726),
      known("LSTM, no unit forget bias", [3, 6, 4], lstm(3, forget: false), 0.57019705, 0.8661914, 0.9459622),
      known("LSTM, no bias", [3, 6, 4], lstm(3, useBias: false), 0.54986924, 0.86226785, 0.9443936),
      known("GRU", [3, 6, 4], gru(3), 0.5217289, 0.6371659, 0.39384964),
      known("GRU backwards", [3, 6, 4], gru(3, backwards: true), 0.24406259, 0.611516, 0.3928808),
      known("GRU, reset before", [3, 6, 4], gru(3, resetAfter: false), 0.51447755, 0.6426879, 0.40208298),
      known("GRU, no bias", [3, 6, 4], gru(3, useBias: false), 0.49988455, 0.64701194, 0.4103359),
      known("LSTM, second call", [2, 3, 4], lstm(4), calls: 2, 0.3124785, 0.6863672),
      known("GRU, second call", [2, 3, 4], gru(4), calls: 2, 0.29542392, 0.5885018),
      known("SimpleRNN", [2, 3, 4], simple(4), 0.405432, 0.73605347),
      known("SimpleRNN, second call", [2, 3, 4], simple(4), calls: 2, 0.40559256, 0.7361247),
      known("SimpleRNN backwards", [2, 3, 4], simple(4, backwards: true), 0.11144729, 0.5528889),
      known("SimpleRNN of two units", [2, 3, 4], simple(2), 0.39687276, 0.7237238),
      known("SimpleRNN of two units, backwards", [2, 3, 4], simple(2, backwards: true), 0.10004295, 0.53391594),
      Known(
        testDescription: "LSTM from a state", shape: [2, 4, 3], layer: lstm(2), initial: [counted, counted],
        expected: [[[0.20574439, 0.3558822], [0.64930826, 0.66276]]]),
      Known(
        testDescription: "LSTM from a state, backwards", shape: [2, 4, 3], layer: lstm(2, backwards: true),
        initial: [counted, counted], expected: [[[0.13281618, 0.2790356], [0.5839337, 0.5992567]]]),
      Known(
        testDescription: "GRU from a state", shape: [2, 4, 3], layer: gru(2), initial: [counted],
        expected: [[[0.23774096, 0.33508456], [0.83659905, 1.0227708]]]),
      Known(
        testDescription: "GRU from a state, backwards", shape: [2, 4, 3], layer: gru(2, backwards: true),
        initial: [counted], expected: [[[0.13486053, 0.23261218], [0.78257304, 0.9691353]]]),
      Known(
        testDescription: "LSTM with its state", shape: [2, 4, 3], layer: lstm(2),
        expected: [[[0.1990008], [0.52335435]], [[0.1990008], [0.52335435]], [[0.35567185], [1.0492687]]]),
      Known(
        testDescription: "LSTM with its state, backwards", shape: [2, 4, 3], layer: lstm(2, backwards: true),
        expected: [[[0.12659755], [0.44717982]], [[0.12659755], [0.44717982]], [[0.2501858], [0.941473]]]),
    ]
  }

  @Test(arguments: constants.indices)
  func constantWeightsGiveTheNumbersOfKeras(index: Int) {
    let known = Self.constants[index]
    let x = Tensor.iota(known.shape.count, elementType: .float32).reshaped(to: known.shape)
    var outputs = known.layer.states(x, known.initial)
    for _ in 1..<known.calls { outputs = known.layer.states(x, Array(outputs.dropFirst())) }
    for (output, samples) in zip(outputs, known.expected) {
      let units = output.shape.last
      let numbers = samples.flatMap { $0.count == 1 ? Array(repeating: $0[0], count: units) : $0 }
      expectClose(
        output, Tensor(numbers.map(Float.init), shape: output.shape), relative: 0, absolute: 1e-6,
        known.testDescription)
    }
  }

  /// A cell of one state without bias or activation: x·K + h·R.
  struct OneState: RecurrentCell {
    let units: Int
    let kernel = Parameter(.ones)
    let recurrentKernel = Parameter(.ones)

    func initialState(batchSize: Int) -> Tensor { .zeros([batchSize, units]) }

    func callAsFunction(_ x: Tensor, _ h: Tensor) -> (output: Tensor, state: Tensor) {
      let next = x.matmul(kernel([x.shape.last, units])) + h.matmul(recurrentKernel([units, units]))
      return (next, next)
    }
  }

  @Test func stackedLayersGiveTheNumbersOfKerasForStackedCells() {
    let model = Sequential {
      RNN(OneState(units: 3), returnSequences: true)
      RNN(OneState(units: 2), returnSequences: true)
    }
    let x = Tensor.iota(24, elementType: .float32).reshaped(to: [2, 3, 4])
    let expected: [Float] = [18, 156, 786, 162, 1020, 4386]
    expectSameBits(model(x), Tensor(expected.flatMap { [$0, $0] }, shape: [2, 3, 2]))
  }
}
