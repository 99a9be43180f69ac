import Reel

/// The long short-term memory with normalised sums: Ba, Kiros and Hinton, "Layer normalization" (2016), equations 20 to 22.
///
///     z = norm₁(x·K) + norm₂(h·R) + b          zᵢ, z_f, z_c, zₒ = the quarters of z
///     c' = σ(z_f) * c + σ(zᵢ) * tanh(z_c)
///     h' = σ(zₒ) * tanh(norm₃(c'))
///
/// where norm(a) = γ * (a - mean a) / √(var a + ε) + β along the last axis. β of norm₁ and norm₂ are in b.
///
/// Parameters: as ``LSTMCell``, and `kernelScale γ₁ [4·units]`, `recurrentScale γ₂ [4·units]`, `cellScale γ₃ [units]`,
/// `cellOffset β₃ [units]`.
public struct LayerNormLSTMCell: RecurrentCell {
  /// The size of the state.
  public let units: Int
  /// ε, added to the variance.
  public let epsilon: Double
  /// `[features, 4·units]`.
  public let kernel = Parameter(.glorotUniform)
  /// `[units, 4·units]`.
  public let recurrentKernel = Parameter(.orthogonal)
  /// `[4·units]`; that of the forget gate starts at 1.
  public let bias = Parameter(.unitForgetBias(.zeros))
  /// `[4·units]`.
  public let kernelScale = Parameter(.ones)
  /// `[4·units]`.
  public let recurrentScale = Parameter(.ones)
  /// `[units]`.
  public let cellScale = Parameter(.ones)
  /// `[units]`.
  public let cellOffset = Parameter(.zeros)

  /// - Parameters:
  ///   - units: The size of the state.
  ///   - epsilon: ε, added to the variance; 0.001 by default.
  public init(_ units: Int, epsilon: Double = 0.001) {
    precondition(units > 0, "LayerNormLSTM needs at least one unit, not \(units)")
    self.units = units
    self.epsilon = epsilon
  }

  /// Zeros.
  public func initialState(batchSize: Int) -> LSTMCell.State { .zeros(batchSize: batchSize, units: units) }

  /// One step: `x [batch, features]`.
  public func callAsFunction(_ x: Tensor, _ state: LSTMCell.State) -> (output: Tensor, state: LSTMCell.State) {
    let input = normalized(x.matmul(kernel([x.shape.last, 4 * units]))) * kernelScale([4 * units])
    let recurrent = normalized(state.hidden.matmul(recurrentKernel([units, 4 * units]))) * recurrentScale([4 * units])
    let (zi, zf, zc, zo) = (input + recurrent + bias([4 * units])).split(into: 4)
    let cell = sigmoid(zf) * state.cell + sigmoid(zi) * tanh(zc)
    let hidden = sigmoid(zo) * tanh(normalized(cell) * cellScale([units]) + cellOffset([units]))
    return (hidden, LSTMCell.State(hidden: hidden, cell: cell))
  }

  private func normalized(_ a: Tensor) -> Tensor {
    let centered = a - a.mean(along: [-1], keepDims: true)
    return centered
      / sqrt((centered * centered).mean(along: [-1], keepDims: true) + Tensor(epsilon).converted(to: a.elementType))
  }
}
