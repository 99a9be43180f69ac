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

  /// A cell with Keras's arguments and defaults.
  public init(
    _ units: Int, activation: Activation = .tanh, useBias: Bool = true,
    kernelInitializer: Initializer = .glorotUniform, recurrentInitializer: Initializer = .orthogonal,
    biasInitializer: Initializer = .zeros
  ) {
    precondition(units > 0, "SimpleRNN needs at least one unit, not \(units)")
    self.units = units
    self.activation = activation
    self.useBias = useBias
    kernel = Parameter(kernelInitializer)
    recurrentKernel = Parameter(recurrentInitializer)
    bias = Parameter(biasInitializer)
  }

  /// Zeros, `[batch, units]`.
  public func initialState(batchSize: Int) -> Tensor { .zeros([batchSize, units]) }

  /// One step: `x [batch, features]`, `h [batch, units]`.
  public func callAsFunction(_ x: Tensor, _ h: Tensor) -> (output: Tensor, state: Tensor) {
    var z = x.matmul(kernel([x.shape.last, units]))
    if useBias { z = z + bias([units]) }
    let next = activation(z + h.matmul(recurrentKernel([units, units])))
    return (next, next)
  }
}

/// The fully connected recurrent layer; see ``SimpleRNNCell`` and ``RNN``.
public typealias SimpleRNN = RNN<SimpleRNNCell>

extension RNN where Cell == SimpleRNNCell {
  /// The layer with Keras's arguments and defaults.
  public init(
    _ units: Int, activation: Activation = .tanh, useBias: Bool = true,
    kernelInitializer: Initializer = .glorotUniform, recurrentInitializer: Initializer = .orthogonal,
    biasInitializer: Initializer = .zeros, returnSequences: Bool = false, returnState: Bool = false,
    goBackwards: Bool = false, unroll: Unroll = .never
  ) {
    self.init(
      SimpleRNNCell(
        units, activation: activation, useBias: useBias, kernelInitializer: kernelInitializer,
        recurrentInitializer: recurrentInitializer, biasInitializer: biasInitializer),
      returnSequences: returnSequences, returnState: returnState, goBackwards: goBackwards, unroll: unroll)
  }
}
