import Reel

/// The fully connected recurrent cell of Elman, "Finding structure in time" (1990):
///
///     h' = activation(x·K + h·R + b)
///
/// Parameters: `kernel K [features, units]`, `recurrentKernel R [units, units]`, `bias b [units]`. Keras's `SimpleRNNCell`.
public struct SimpleRNNCell: RecurrentCell {
  /// The size of the state.
  public let units: Int
  /// Applied to the sum; the hyperbolic tangent by default.
  public let activation: Activation
  /// Whether there is a bias.
  public let useBias: Bool
  /// `[features, units]`.
  public let kernel: Parameter
  /// `[units, units]`.
  public let recurrentKernel: Parameter
  /// `[units]`.
  public let bias: Parameter
  private let inputDropout, recurrentDropout: VariationalDropout

  /// A cell with Keras's arguments and defaults.
  ///
  /// - Parameters:
  ///   - units: The size of the state.
  ///   - activation: Applied to the sum; ``Activation/tanh`` by default, none if nil.
  ///   - useBias: Whether there is a bias; true by default.
  ///   - kernelInitializer: Of the weights of the input; Glorot uniform by default.
  ///   - recurrentInitializer: Of the weights of the state; orthogonal by default.
  ///   - biasInitializer: Zeros by default.
  ///   - kernelRegularizer: A penalty on the weights of the input; none by default.
  ///   - recurrentRegularizer: A penalty on the weights of the state; none by default.
  ///   - biasRegularizer: A penalty on the bias; none by default.
  ///   - kernelConstraint: What the weights of the input are projected to after an update; none by default.
  ///   - recurrentConstraint: The same for the weights of the state.
  ///   - biasConstraint: The same for the bias.
  ///   - dropout: The part of the inputs to drop, with one mask for all steps of a call; 0 by default.
  ///   - recurrentDropout: The same for the state that enters the product.
  public init(
    _ units: Int, activation: Activation? = .tanh, useBias: Bool = true,
    kernelInitializer: Initializer = .glorotUniform, recurrentInitializer: Initializer = .orthogonal,
    biasInitializer: Initializer = .zeros, kernelRegularizer: Regularizer? = nil,
    recurrentRegularizer: Regularizer? = nil, biasRegularizer: Regularizer? = nil, kernelConstraint: Constraint? = nil,
    recurrentConstraint: Constraint? = nil, biasConstraint: Constraint? = nil, dropout: Double = 0,
    recurrentDropout: Double = 0
  ) {
    precondition(units > 0, "SimpleRNN needs at least one unit, not \(units)")
    self.units = units
    self.activation = activation ?? .linear
    self.useBias = useBias
    kernel = Parameter(kernelInitializer, regularizer: kernelRegularizer, constraint: kernelConstraint)
    recurrentKernel = Parameter(
      recurrentInitializer, regularizer: recurrentRegularizer, constraint: recurrentConstraint)
    bias = Parameter(biasInitializer, regularizer: biasRegularizer, constraint: biasConstraint)
    inputDropout = VariationalDropout(dropout)
    self.recurrentDropout = VariationalDropout(recurrentDropout)
  }

  /// Zeros, `[batch, units]`.
  public func initialState(batchSize: Int) -> Tensor { .zeros([batchSize, units]) }

  /// One step: `x [batch, features]`, `h [batch, units]`.
  public func callAsFunction(_ x: Tensor, _ h: Tensor) -> (output: Tensor, state: Tensor) {
    var z = inputDropout(x).matmul(kernel([x.shape.last, units]))
    if useBias { z = z + bias([units]) }
    let next = activation(z + recurrentDropout(h).matmul(recurrentKernel([units, units])))
    return (next, next)
  }
}

/// The fully connected recurrent layer; see ``SimpleRNNCell`` and ``RNN``.
public typealias SimpleRNN = RNN<SimpleRNNCell>

extension RNN where Cell == SimpleRNNCell {
  /// The layer with Keras's arguments and defaults; see ``SimpleRNNCell`` and ``RNN`` for what they mean.
  public init(
    _ units: Int, activation: Activation? = .tanh, useBias: Bool = true,
    kernelInitializer: Initializer = .glorotUniform, recurrentInitializer: Initializer = .orthogonal,
    biasInitializer: Initializer = .zeros, kernelRegularizer: Regularizer? = nil,
    recurrentRegularizer: Regularizer? = nil, biasRegularizer: Regularizer? = nil,
    activityRegularizer: Regularizer? = nil, kernelConstraint: Constraint? = nil,
    recurrentConstraint: Constraint? = nil, biasConstraint: Constraint? = nil, dropout: Double = 0,
    recurrentDropout: Double = 0, returnSequences: Bool = false, returnState: Bool = false,
    goBackwards: Bool = false, stateful: Bool = false, unroll: Unroll = .never, checkpointEvery: Int? = nil,
    memory: LoopMemory = .unlimited, zeroOutputForMask: Bool = false,
    trainableInitialState: Bool = false
  ) {
    self.init(
      SimpleRNNCell(
        units, activation: activation, useBias: useBias,
        kernelInitializer: kernelInitializer, recurrentInitializer: recurrentInitializer,
        biasInitializer: biasInitializer, kernelRegularizer: kernelRegularizer,
        recurrentRegularizer: recurrentRegularizer, biasRegularizer: biasRegularizer,
        kernelConstraint: kernelConstraint,
        recurrentConstraint: recurrentConstraint, biasConstraint: biasConstraint, dropout: dropout,
        recurrentDropout: recurrentDropout),
      returnSequences: returnSequences, returnState: returnState, goBackwards: goBackwards, stateful: stateful,
      unroll: unroll, checkpointEvery: checkpointEvery, memory: memory, zeroOutputForMask: zeroOutputForMask,
      activityRegularizer: activityRegularizer,
      trainableInitialState: trainableInitialState)
  }
}
