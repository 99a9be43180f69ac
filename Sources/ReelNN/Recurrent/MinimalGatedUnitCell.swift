import Reel

/// The minimal gated unit: Zhou, Wu, Zhang and Zhou, "Minimal gated unit for recurrent neural networks" (2016).
///
///     f = σ(x·K_f + h·R_f + b_f)
///     h̃ = tanh(x·K_h + (f * h)·R_h + b_h)
///     h' = (1 - f) * h + f * h̃
///
/// Parameters: `kernel K [features, 2·units]`, `recurrentKernel R [units, 2·units]`, `bias b [2·units]`, in the order f, h̃.
public struct MinimalGatedUnitCell: RecurrentCell {
  /// The size of the state.
  public let units: Int
  /// `[features, 2·units]`.
  public let kernel = Parameter(.glorotUniform)
  /// `[units, 2·units]`.
  public let recurrentKernel = Parameter(.orthogonal)
  /// `[2·units]`.
  public let bias = Parameter(.zeros)

  /// A cell with so many units.
  public init(_ units: Int) {
    precondition(units > 0, "MinimalGatedUnit needs at least one unit, not \(units)")
    self.units = units
  }

  /// Zeros, `[batch, units]`.
  public func initialState(batchSize: Int) -> Tensor { .zeros([batchSize, units]) }

  /// One step: `x [batch, features]`, `h [batch, units]`.
  public func callAsFunction(_ x: Tensor, _ h: Tensor) -> (output: Tensor, state: Tensor) {
    let (xf, xh) = (x.matmul(kernel([x.shape.last, 2 * units])) + bias([2 * units])).split(into: 2)
    let (rf, rh) = recurrentKernel([units, 2 * units]).split(into: 2)
    let forget = sigmoid(xf + h.matmul(rf))
    let candidate = tanh(xh + (forget * h).matmul(rh))
    let next = (1 - forget) * h + forget * candidate
    return (next, next)
  }
}
