import Reel

/// The long short-term memory with convolutions in the place of products: Shi et al., "Convolutional LSTM network" (2015),
/// without peepholes.
///
///     z = K ∗ x + R ∗ h + b          zᵢ, z_f, z_c, zₒ = the quarters of z
///     i = σ(zᵢ)   f = σ(z_f)   o = σ(zₒ)          σ = recurrentActivation
///     c' = f * c + i * activation(z_c)
///     h' = o * activation(c')
///
/// The input of a step is `[batch, positions, channels]`; output and states are `[batch, windows, filters]`. The convolution
/// of the state keeps its extents: one step wide, padded on both sides. Parameters: `kernel K [kernelSize, channels,
/// 4·filters]`, `recurrentKernel R [kernelSize, filters, 4·filters]`, `bias b [4·filters]`, gates in the order i, f, c, o.
/// Keras's `ConvLSTM1D`.
public struct ConvLSTM1DCell: RecurrentCell {
  /// The extent of the last axis of output and states.
  public let filters: Int
  /// Applied to the candidate and to the cell state; the hyperbolic tangent by default.
  public let activation: Activation
  /// Applied to the gates; the logistic function by default.
  public let recurrentActivation: Activation
  /// Whether there is a bias.
  public let useBias: Bool
  /// `[kernelSize, channels, 4·filters]`.
  public let kernel: Parameter
  /// `[kernelSize, filters, 4·filters]`.
  public let recurrentKernel: Parameter
  /// `[4·filters]`.
  public let bias: Parameter
  private let windows, stateWindows: SequenceWindows
  private let inputProduct, recurrentProduct: GateProducts

  /// A cell with Keras's arguments and defaults; those that all cells share are described at the initializer of
  /// ``SimpleRNNCell``, those of the convolution at the initializer of ``Conv1D``. Dropout has a mask for each gate.
  ///
  /// - Parameter unitForgetBias: Whether the bias of the forget gate starts at 1; true by default.
  public init(
    _ filters: Int, kernelSize: Int, strides: Int = 1, padding: WindowPadding = .valid, dilationRate: Int = 1,
    activation: Activation? = .tanh, recurrentActivation: Activation? = .sigmoid, useBias: Bool = true,
    kernelInitializer: Initializer = .glorotUniform, recurrentInitializer: Initializer = .orthogonal,
    biasInitializer: Initializer = .zeros, unitForgetBias: Bool = true, kernelRegularizer: Regularizer? = nil,
    recurrentRegularizer: Regularizer? = nil, biasRegularizer: Regularizer? = nil, kernelConstraint: Constraint? = nil,
    recurrentConstraint: Constraint? = nil, biasConstraint: Constraint? = nil, dropout: Double = 0,
    recurrentDropout: Double = 0
  ) {
    precondition(filters > 0, "ConvLSTM1D needs at least one filter, not \(filters)")
    self.filters = filters
    self.activation = activation ?? .linear
    self.recurrentActivation = recurrentActivation ?? .linear
    self.useBias = useBias
    kernel = Parameter(kernelInitializer, regularizer: kernelRegularizer, constraint: kernelConstraint)
    recurrentKernel = Parameter(
      recurrentInitializer, regularizer: recurrentRegularizer, constraint: recurrentConstraint)
    bias = Parameter(
      unitForgetBias ? .unitForgetBias(biasInitializer) : biasInitializer, regularizer: biasRegularizer,
      constraint: biasConstraint)
    windows = SequenceWindows(
      size: kernelSize, stride: strides, dilation: dilationRate, padding: padding, of: "ConvLSTM1D")
    stateWindows = SequenceWindows(size: kernelSize, stride: 1, padding: .same, of: "ConvLSTM1D")
    (inputProduct, recurrentProduct) = GateProducts.pair(
      gates: 4, dropout: dropout, recurrentDropout: recurrentDropout,
      implementation: dropout > 0 || recurrentDropout > 0 ? 1 : 2)
  }

  /// Zeros for one position. A layer asks for those of its input: ``initialState(inputShape:)``.
  public func initialState(batchSize: Int) -> LSTMCell.State { zeros(batchSize, 1) }

  /// Zeros, `[batch, windows, filters]`.
  ///
  /// - Parameter inputShape: `[batch, positions, channels]`.
  public func initialState(inputShape: Shape) -> LSTMCell.State {
    guard inputShape.rank == 3, windows.count(inputShape[1]) > 0 else {
      TensorError(
        operation: "convLSTM1D", problem: "steps of shape \(inputShape)",
        expected: "a sequence [batch, time, positions, channels] with at least \(windows.reach) positions"
      ).report()
      return zeros(inputShape[0], 1)
    }
    return zeros(inputShape[0], windows.count(inputShape[1]))
  }

  private func zeros(_ batch: Int, _ positions: Int) -> LSTMCell.State {
    LSTMCell.State(hidden: .zeros([batch, positions, filters]), cell: .zeros([batch, positions, filters]))
  }

  /// One step: `x [batch, positions, channels]`.
  public func callAsFunction(_ x: Tensor, _ state: LSTMCell.State) -> (output: Tensor, state: LSTMCell.State) {
    var z = inputProduct(x, kernel([windows.size, x.shape.last, 4 * filters]), windows.convolved)
    if useBias { z = z + bias([4 * filters]) }
    let recurrentKernel = recurrentKernel([windows.size, filters, 4 * filters])
    z = z + recurrentProduct(state.hidden, recurrentKernel, stateWindows.convolved)
    let (zi, zf, zc, zo) = z.split(into: 4)
    let (i, f, o) = (recurrentActivation(zi), recurrentActivation(zf), recurrentActivation(zo))
    let cell = f * state.cell + i * activation(zc)
    let hidden = o * activation(cell)
    return (hidden, LSTMCell.State(hidden: hidden, cell: cell))
  }
}

/// The convolutional long short-term memory layer; see ``ConvLSTM1DCell`` and ``RNN``.
public typealias ConvLSTM1D = RNN<ConvLSTM1DCell>

extension RNN where Cell == ConvLSTM1DCell {
  /// The layer with Keras's arguments and defaults; see ``ConvLSTM1DCell`` and ``RNN`` for what they mean.
  ///
  /// `[batch, time, positions, channels]` → `[batch, windows, filters]`, or `[batch, time, windows, filters]` with
  /// `returnSequences`.
  public init(
    _ filters: Int, kernelSize: Int, strides: Int = 1, padding: WindowPadding = .valid, dilationRate: Int = 1,
    activation: Activation? = .tanh, recurrentActivation: Activation? = .sigmoid, useBias: Bool = true,
    kernelInitializer: Initializer = .glorotUniform, recurrentInitializer: Initializer = .orthogonal,
    biasInitializer: Initializer = .zeros, unitForgetBias: Bool = true, kernelRegularizer: Regularizer? = nil,
    recurrentRegularizer: Regularizer? = nil, biasRegularizer: Regularizer? = nil,
    activityRegularizer: Regularizer? = nil, kernelConstraint: Constraint? = nil,
    recurrentConstraint: Constraint? = nil, biasConstraint: Constraint? = nil, dropout: Double = 0,
    recurrentDropout: Double = 0, returnSequences: Bool = false, returnState: Bool = false, goBackwards: Bool = false,
    stateful: Bool = false, unroll: Unroll = .never, checkpointEvery: Int? = nil, memory: LoopMemory = .unlimited
  ) {
    self.init(
      ConvLSTM1DCell(
        filters, kernelSize: kernelSize, strides: strides, padding: padding, dilationRate: dilationRate,
        activation: activation, recurrentActivation: recurrentActivation, useBias: useBias,
        kernelInitializer: kernelInitializer, recurrentInitializer: recurrentInitializer,
        biasInitializer: biasInitializer, unitForgetBias: unitForgetBias, kernelRegularizer: kernelRegularizer,
        recurrentRegularizer: recurrentRegularizer, biasRegularizer: biasRegularizer,
        kernelConstraint: kernelConstraint, recurrentConstraint: recurrentConstraint, biasConstraint: biasConstraint,
        dropout: dropout, recurrentDropout: recurrentDropout),
      returnSequences: returnSequences, returnState: returnState, goBackwards: goBackwards, stateful: stateful,
      unroll: unroll, checkpointEvery: checkpointEvery, memory: memory, activityRegularizer: activityRegularizer)
  }
}
