import Reel

/// The long short-term memory with a projected state and a clipped cell: Sak, Senior and Beaufays, "Long short-term memory
/// recurrent neural network architectures for large scale acoustic modeling" (2014).
///
///     z = x·K + h·R + b          zᵢ, z_f, z_c, zₒ = the quarters of z
///     c' = clip(σ(z_f) * c + σ(zᵢ) * tanh(z_c), ±cellClip)
///     h' = clip((σ(zₒ) * tanh(c'))·P, ±projectionClip)
///
/// Parameters: `kernel K [features, 4·units]`, `recurrentKernel R [projection, 4·units]`, `bias b [4·units]`,
/// `projectionKernel P [units, projection]`; without a projection h' = σ(zₒ) * tanh(c') and R is `[units, 4·units]`.
public struct ProjectedLSTMCell: RecurrentCell {
  /// The size of the cell state.
  public let units: Int
  /// The size of the hidden state and of the output; that of the cell state if nil.
  public let projection: Int?
  /// Whether there is a bias.
  public let useBias: Bool
  /// The largest magnitude of the cell state; none if nil.
  public let cellClip: Double?
  /// The largest magnitude of the projected state; none if nil.
  public let projectionClip: Double?
  /// `[features, 4·units]`.
  public let kernel = Parameter(.glorotUniform)
  /// `[projection, 4·units]`.
  public let recurrentKernel = Parameter(.orthogonal)
  /// `[4·units]`; that of the forget gate starts at 1.
  public let bias = Parameter(.unitForgetBias(.zeros))
  /// `[units, projection]`.
  public let projectionKernel = Parameter(.glorotUniform)

  /// - Parameters:
  ///   - units: The size of the cell state.
  ///   - projection: The size of the hidden state and of the output; no projection if nil, the default.
  ///   - useBias: Whether there is a bias; true by default.
  ///   - cellClip: The largest magnitude of the cell state; none if nil, the default.
  ///   - projectionClip: The largest magnitude of the projected state; none if nil, the default.
  public init(
    _ units: Int, projection: Int? = nil, useBias: Bool = true, cellClip: Double? = nil, projectionClip: Double? = nil
  ) {
    precondition(units > 0 && projection ?? 1 > 0, "ProjectedLSTM needs at least one unit, and one projected")
    precondition(cellClip ?? 1 > 0 && projectionClip ?? 1 > 0, "ProjectedLSTM clips at positive magnitudes")
    self.units = units
    self.projection = projection
    self.useBias = useBias
    self.cellClip = cellClip
    self.projectionClip = projectionClip
  }

  /// Zeros.
  public func initialState(batchSize: Int) -> LSTMCell.State {
    LSTMCell.State(hidden: .zeros([batchSize, projection ?? units]), cell: .zeros([batchSize, units]))
  }

  /// One step: `x [batch, features]`.
  public func callAsFunction(_ x: Tensor, _ state: LSTMCell.State) -> (output: Tensor, state: LSTMCell.State) {
    var input = x.matmul(kernel([x.shape.last, 4 * units]))
    if useBias { input = input + bias([4 * units]) }
    let z = input + state.hidden.matmul(recurrentKernel([projection ?? units, 4 * units]))
    let (zi, zf, zc, zo) = z.split(into: 4)
    let cell = clipped(sigmoid(zf) * state.cell + sigmoid(zi) * tanh(zc), to: cellClip)
    var hidden = sigmoid(zo) * tanh(cell)
    if let projection { hidden = clipped(hidden.matmul(projectionKernel([units, projection])), to: projectionClip) }
    return (hidden, LSTMCell.State(hidden: hidden, cell: cell))
  }

  private func clipped(_ x: Tensor, to limit: Double?) -> Tensor {
    guard let limit else { return x }
    let bound = Tensor(limit).converted(to: x.elementType)
    return minimum(maximum(x, -bound), bound)
  }
}
