import Reel
import ReelNN

/// A cell of one's own, in plain operations: the minimal gated unit of Zhou et al. (2016).
///
///     f = σ(x·K_f + b_f + h·R_f)
///     h' = (1 - f) * h + f * tanh(x·K_n + b_n + (f * h)·R_n)
struct MinimalGatedUnit: RecurrentCell {
  let units: Int
  let kernel = Parameter(.glorotUniform)
  let recurrentKernel = Parameter(.orthogonal)
  let bias = Parameter(.zeros)

  func initialState(batchSize: Int) -> Tensor { .zeros([batchSize, units]) }

  func callAsFunction(_ x: Tensor, _ h: Tensor) -> (output: Tensor, state: Tensor) {
    let input = x.matmul(kernel([x.shape.last, 2 * units])) + bias([2 * units])
    let (xf, xn) = input.split(into: 2)
    let (uf, un) = recurrentKernel([units, 2 * units]).split(into: 2)
    let forget = sigmoid(xf + h.matmul(uf))
    let candidate = tanh(xn + (forget * h).matmul(un))
    let next = (1 - forget) * h + forget * candidate
    return (next, next)
  }
}
