import Reel

/// The long short-term memory of Hochreiter and Schmidhuber (1997) with the forget gate of Gers et al. (2000):
///
///     z = x·K + h·R + b          zᵢ, z_f, z_c, zₒ = the quarters of z
///     i = σ(zᵢ)   f = σ(z_f)   o = σ(zₒ)          σ = recurrentActivation
///     c' = f * c + i * activation(z_c)
///     h' = o * activation(c')
///
/// Parameters: `kernel K [features, 4·units]`, `recurrentKernel R [units, 4·units]`, `bias b [4·units]`, gates in the order
/// i, f, c, o. Keras's `LSTMCell`.
public struct LSTMCell: RecurrentCell {
  /// What the cell carries.
  public struct State: TensorFields {
    /// The hidden state h, which is also the output: `[batch, units]`.
    public var hidden: Tensor
    /// The cell state c: `[batch, units]`.
    public var cell: Tensor

    /// The tensors of the structure.
    public static var fields: Fields<Self> { .init(\.hidden, \.cell) }

    /// A state from its parts.
    public init(hidden: Tensor, cell: Tensor) {
      self.hidden = hidden
      self.cell = cell
    }

    /// Zeros, `[batch, units]` both.
    public static func zeros(batchSize: Int, units: Int) -> Self {
      Self(hidden: .zeros([batchSize, units]), cell: .zeros([batchSize, units]))
    }
  }

  /// The size of the state.
  public let units: Int
  /// Applied to the candidate and to the cell state; the hyperbolic tangent by default.
  public let activation: Activation
  /// Applied to the gates; the logistic function by default.
  public let recurrentActivation: Activation
  /// Whether there is a bias.
  public let useBias: Bool
  /// `[features, 4·units]`.
  public let kernel: Parameter
  /// `[units, 4·units]`.
  public let recurrentKernel: Parameter
  /// `[4·units]`.
  public let bias: Parameter
  private let inputProduct, recurrentProduct: GateProducts

  /// A cell with Keras's arguments and defaults; those that all cells share are described at the initializer of
  /// ``SimpleRNNCell``.
  ///
  /// - Parameters:
  ///   - recurrentActivation: Applied to the gates; ``Activation/sigmoid`` by default, none if nil.
  ///   - unitForgetBias: Whether the bias of the forget gate starts at 1 (Jozefowicz et al., 2015), whatever the bias
  ///     initializer; true by default.
  ///   - implementation: 2 for one product for all gates, 1 for one for each; dropout then has a mask for each gate.
  ///     2 by default; recurrent dropout implies 1.
  public init(
    _ units: Int, activation: Activation? = .tanh, recurrentActivation: Activation? = .sigmoid, useBias: Bool = true,
    kernelInitializer: Initializer = .glorotUniform, recurrentInitializer: Initializer = .orthogonal,
    biasInitializer: Initializer = .zeros, unitForgetBias: Bool = true, kernelRegularizer: Regularizer? = nil,
    recurrentRegularizer: Regularizer? = nil, biasRegularizer: Regularizer? = nil, kernelConstraint: Constraint? = nil,
    recurrentConstraint: Constraint? = nil, biasConstraint: Constraint? = nil, dropout: Double = 0,
    recurrentDropout: Double = 0, implementation: Int = 2
  ) {
    precondition(units > 0, "LSTM needs at least one unit, not \(units)")
    self.units = units
    self.activation = activation ?? .linear
    self.recurrentActivation = recurrentActivation ?? .linear
    self.useBias = useBias
    kernel = Parameter(kernelInitializer, regularizer: kernelRegularizer, constraint: kernelConstraint)
    recurrentKernel = Parameter(
      recurrentInitializer, regularizer: recurrentRegularizer, constraint: recurrentConstraint)
    bias = Parameter(
      unitForgetBias ? .unitForgetBias(biasInitializer) : biasInitializer, regularizer: biasRegularizer,
      constraint: biasConstraint)
    (inputProduct, recurrentProduct) = GateProducts.pair(
      gates: 4, dropout: dropout, recurrentDropout: recurrentDropout, implementation: implementation)
  }

  /// Zeros.
  public func initialState(batchSize: Int) -> State { .zeros(batchSize: batchSize, units: units) }

  /// One step: `x [batch, features]`.
  public func callAsFunction(_ x: Tensor, _ state: State) -> (output: Tensor, state: State) {
    var z = inputProduct(x, kernel([x.shape.last, 4 * units]))
    if useBias { z = z + bias([4 * units]) }
    z = z + recurrentProduct(state.hidden, recurrentKernel([units, 4 * units]))
    let (zi, zf, zc, zo) = z.split(into: 4)
    let (i, f, o) = (recurrentActivation(zi), recurrentActivation(zf), recurrentActivation(zo))
    let cell = f * state.cell + i * activation(zc)
    let hidden = o * activation(cell)
    return (hidden, State(hidden: hidden, cell: cell))
  }
}

extension Initializer {
  /// That of a bias of four gates in the order i, f, c, o, with 1 for f.
  static func unitForgetBias(_ initializer: Initializer) -> Initializer {
    Initializer { shape in
      let units = shape.last / 4
      return concatenated([initializer([units]), .ones([units]), initializer([2 * units])])
    }
  }
}

/// The long short-term memory layer; see ``LSTMCell`` and ``RNN``.
public typealias LSTM = RNN<LSTMCell>

extension RNN where Cell == LSTMCell {
  /// The layer with Keras's arguments and defaults; see ``LSTMCell`` and ``RNN`` for what they mean.
  public init(
    _ units: Int, activation: Activation? = .tanh, recurrentActivation: Activation? = .sigmoid, useBias: Bool = true,
    kernelInitializer: Initializer = .glorotUniform, recurrentInitializer: Initializer = .orthogonal,
    biasInitializer: Initializer = .zeros, unitForgetBias: Bool = true, kernelRegularizer: Regularizer? = nil,
    recurrentRegularizer: Regularizer? = nil, biasRegularizer: Regularizer? = nil,
    activityRegularizer: Regularizer? = nil, kernelConstraint: Constraint? = nil,
    recurrentConstraint: Constraint? = nil, biasConstraint: Constraint? = nil, dropout: Double = 0,
    recurrentDropout: Double = 0, implementation: Int = 2, returnSequences: Bool = false, returnState: Bool = false,
    goBackwards: Bool = false, stateful: Bool = false, unroll: Unroll = .never, checkpointEvery: Int? = nil,
    memory: LoopMemory = .unlimited, zeroOutputForMask: Bool = false,
    trainableInitialState: Bool = false
  ) {
    self.init(
      LSTMCell(
        units, activation: activation, recurrentActivation: recurrentActivation, useBias: useBias,
        kernelInitializer: kernelInitializer, recurrentInitializer: recurrentInitializer,
        biasInitializer: biasInitializer, unitForgetBias: unitForgetBias, kernelRegularizer: kernelRegularizer,
        recurrentRegularizer: recurrentRegularizer, biasRegularizer: biasRegularizer,
        kernelConstraint: kernelConstraint,
        recurrentConstraint: recurrentConstraint, biasConstraint: biasConstraint, dropout: dropout,
        recurrentDropout: recurrentDropout, implementation: implementation),
      returnSequences: returnSequences, returnState: returnState, goBackwards: goBackwards, stateful: stateful,
      unroll: unroll, checkpointEvery: checkpointEvery, memory: memory, zeroOutputForMask: zeroOutputForMask,
      activityRegularizer: activityRegularizer,
      trainableInitialState: trainableInitialState)
  }
}
