import Reel

/// The long short-term memory whose gates see the cell state: Gers and Schmidhuber, "Recurrent nets that time and count"
/// (2000).
///
///     z = x·K + h·R + b          zᵢ, z_f, z_c, zₒ = the quarters of z
///     i = σ(zᵢ + pᵢ * c)   f = σ(z_f + p_f * c)
///     c' = f * c + i * tanh(z_c)
///     o = σ(zₒ + pₒ * c')
///     h' = o * tanh(c')
///
/// Parameters: as ``LSTMCell``, and `peephole p [3, units]`, the rows pᵢ, p_f, pₒ.
public struct PeepholeLSTMCell: RecurrentCell {
  /// The size of the state.
  public let units: Int
  /// `[features, 4·units]`.
  public let kernel = Parameter(.glorotUniform)
  /// `[units, 4·units]`.
  public let recurrentKernel = Parameter(.orthogonal)
  /// `[4·units]`; that of the forget gate starts at 1.
  public let bias = Parameter(.unitForgetBias(.zeros))
  /// `[3, units]`.
  public let peephole = Parameter(.zeros)

  /// A cell with so many units.
  public init(_ units: Int) {
    precondition(units > 0, "PeepholeLSTM needs at least one unit, not \(units)")
    self.units = units
  }

  /// Zeros.
  public func initialState(batchSize: Int) -> LSTMCell.State { .zeros(batchSize: batchSize, units: units) }

  /// One step: `x [batch, features]`.
  public func callAsFunction(_ x: Tensor, _ state: LSTMCell.State) -> (output: Tensor, state: LSTMCell.State) {
    let input = x.matmul(kernel([x.shape.last, 4 * units])) + bias([4 * units])
    let z = input + state.hidden.matmul(recurrentKernel([units, 4 * units]))
    let (zi, zf, zc, zo) = z.split(into: 4)
    let p = peephole([3, units])
    let (i, f) = (sigmoid(zi + p[0] * state.cell), sigmoid(zf + p[1] * state.cell))
    let cell = f * state.cell + i * tanh(zc)
    let hidden = sigmoid(zo + p[2] * cell) * tanh(cell)
    return (hidden, LSTMCell.State(hidden: hidden, cell: cell))
  }
}
