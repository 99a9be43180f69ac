import Reel
import ReelNN

/// A long short-term memory as one would write it down from a book: four gates, each with weights of its own.
///
/// Eight matrices and four biases; nothing is joined by hand into wider products. The compiler is to find that.
struct SeparateGatesLSTM: RecurrentCell {
  /// x·K + b + h·R.
  struct Gate: Module {
    let kernel = Parameter(.glorotUniform)
    let recurrentKernel = Parameter(.orthogonal)
    let bias = Parameter(.zeros)

    func callAsFunction(_ x: Tensor, _ h: Tensor) -> Tensor {
      let units = h.shape.last
      return x.matmul(kernel([x.shape.last, units])) + bias([units]) + h.matmul(recurrentKernel([units, units]))
    }
  }

  struct State: TensorFields {
    var hidden, cell: Tensor
    static var fields: Fields<Self> { .init(\.hidden, \.cell) }
  }

  let units: Int
  let input = Gate()
  let forget = Gate()
  let candidate = Gate()
  let output = Gate()

  func initialState(batchSize: Int) -> State {
    State(hidden: .zeros([batchSize, units]), cell: .zeros([batchSize, units]))
  }

  func callAsFunction(_ x: Tensor, _ state: State) -> (output: Tensor, state: State) {
    let h = state.hidden
    let kept = sigmoid(forget(x, h)) * state.cell
    let cell = kept + sigmoid(input(x, h)) * tanh(candidate(x, h))
    let hidden = sigmoid(output(x, h)) * tanh(cell)
    return (hidden, State(hidden: hidden, cell: cell))
  }
}
