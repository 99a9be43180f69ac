import Reel
import ReelNN

/// A cell with a forget gate and nothing else: van der Westhuizen and Lasenby, "The unreasonable effectiveness of the
/// forget gate" (2018).
///
///     f  = σ(x·K_f + h·R_f + b_f)
///     h' = f * h + (1 - f) * tanh(x·K_c + h·R_c + b_c)
struct ForgetGateCell: RecurrentCell {
  let units: Int
  let kernel = Parameter(.glorotUniform)
  let recurrentKernel = Parameter(.orthogonal)
  let bias = Parameter(.zeros)

  func initialState(batchSize: Int) -> Tensor { .zeros([batchSize, units]) }

  func callAsFunction(_ x: Tensor, _ h: Tensor) -> (output: Tensor, state: Tensor) {
    let input = x.matmul(kernel([x.shape.last, 2 * units])) + bias([2 * units])
    let (zf, zc) = (input + h.matmul(recurrentKernel([units, 2 * units]))).split(into: 2)
    let forget = sigmoid(zf)
    let next = forget * h + (1 - forget) * tanh(zc)
    return (next, next)
  }
}
