import Reel

/// The gated recurrent unit of Cho et al. (2014), in the two forms that are in use:
///
///     z = σ(x·K_z + b_z + h·R_z (+ b'_z))         σ = recurrentActivation
///     r = σ(x·K_r + b_r + h·R_r (+ b'_r))
///     resetAfter:      h̃ = activation(x·K_h + b_h + r * (h·R_h + b'_h))
///     not resetAfter:  h̃ = activation(x·K_h + b_h + (r * h)·R_h)
///     h' = z * h + (1 - z) * h̃
///
/// Parameters: `kernel K [features, 3·units]`, `recurrentKernel R [units, 3·units]`, and `bias`: `[2, 3·units]` (rows b and
/// b') with `resetAfter`, else `[3·units]`; gates in the order z, r, h. Keras's `GRUCell`; PyTorch's GRU is the `resetAfter`
/// form with the gates in the order r, z, n.
public struct GRUCell: RecurrentCell {
  /// The size of the state.
  public let units: Int
  /// Applied to the candidate; the hyperbolic tangent by default.
  public let activation: Activation
  /// Applied to the gates; the logistic function by default.
  public let recurrentActivation: Activation
  /// Whether there is a bias.
  public let useBias: Bool
  /// Whether the reset gate acts after the recurrent product.
  public let resetAfter: Bool
  /// `[features, 3·units]`.
  public let kernel: Parameter
  /// `[units, 3·units]`.
  public let recurrentKernel: Parameter
  /// `[2, 3·units]` with `resetAfter`, else `[3·units]`.
  public let bias: Parameter
  private let inputProduct, recurrentProduct: GateProducts

  /// A cell with Keras's arguments and defaults; those that all cells share are described at the initializer of
  /// ``SimpleRNNCell``.
  ///
  /// - Parameters:
  ///   - recurrentActivation: Applied to the gates; ``Activation/sigmoid`` by default, none if nil.
  ///   - implementation: 2 for one product for all gates, 1 for one for each; dropout then has a mask for each gate.
  ///     2 by default; recurrent dropout implies 1.
  ///   - resetAfter: Whether the reset gate acts after the recurrent product; true by default.
  public init(
    _ units: Int, activation: Activation? = .tanh, recurrentActivation: Activation? = .sigmoid, useBias: Bool = true,
    kernelInitializer: Initializer = .glorotUniform, recurrentInitializer: Initializer = .orthogonal,
    biasInitializer: Initializer = .zeros, kernelRegularizer: Regularizer? = nil,
    recurrentRegularizer: Regularizer? = nil, biasRegularizer: Regularizer? = nil, kernelConstraint: Constraint? = nil,
    recurrentConstraint: Constraint? = nil, biasConstraint: Constraint? = nil, dropout: Double = 0,
    recurrentDropout: Double = 0, implementation: Int = 2, resetAfter: Bool = true
  ) {
    precondition(units > 0, "GRU needs at least one unit, not \(units)")
    self.units = units
    self.activation = activation ?? .linear
    self.recurrentActivation = recurrentActivation ?? .linear
    self.useBias = useBias
    self.resetAfter = resetAfter
    kernel = Parameter(kernelInitializer, regularizer: kernelRegularizer, constraint: kernelConstraint)
    recurrentKernel = Parameter(
      recurrentInitializer, regularizer: recurrentRegularizer, constraint: recurrentConstraint)
    bias = Parameter(biasInitializer, regularizer: biasRegularizer, constraint: biasConstraint)
    (inputProduct, recurrentProduct) = GateProducts.pair(
      gates: 3, dropout: dropout, recurrentDropout: recurrentDropout, implementation: implementation)
  }

  /// Zeros, `[batch, units]`.
  public func initialState(batchSize: Int) -> Tensor { .zeros([batchSize, units]) }

  /// One step: `x [batch, features]`, `h [batch, units]`.
  public func callAsFunction(_ x: Tensor, _ h: Tensor) -> (output: Tensor, state: Tensor) {
    let input = inputProduct(x, kernel([x.shape.last, 3 * units]))
    let (z, candidate) = resetAfter ? resettingAfter(input, h) : resettingBefore(input, h)
    let next = z * h + (1 - z) * candidate
    return (next, next)
  }

  private func resettingAfter(_ input: Tensor, _ h: Tensor) -> (z: Tensor, candidate: Tensor) {
    var (input, recurrent) = (input, recurrentProduct(h, recurrentKernel([units, 3 * units])))
    if useBias {
      let biases = bias([2, 3 * units])
      input = input + biases[0]
      recurrent = recurrent + biases[1]
    }
    let (xz, xr, xh) = input.split(into: 3)
    let (hz, hr, hh) = recurrent.split(into: 3)
    let r = recurrentActivation(xr + hr)
    return (recurrentActivation(xz + hz), activation(xh + r * hh))
  }

  private func resettingBefore(_ input: Tensor, _ h: Tensor) -> (z: Tensor, candidate: Tensor) {
    let (xz, xr, xh) = (useBias ? input + bias([3 * units]) : input).split(into: 3)
    let (rz, rr, rh) = recurrentKernel([units, 3 * units]).split(into: 3)
    let drop = recurrentProduct.dropout
    let r = recurrentActivation(xr + drop(h, mask: 1).matmul(rr))
    let candidate = activation(xh + (r * drop(h, mask: 2)).matmul(rh))
    return (recurrentActivation(xz + drop(h, mask: 0).matmul(rz)), candidate)
  }
}

/// The gated recurrent layer; see ``GRUCell`` and ``RNN``.
public typealias GRU = RNN<GRUCell>

extension RNN where Cell == GRUCell {
  /// The layer with Keras's arguments and defaults; see ``GRUCell`` and ``RNN`` for what they mean.
  public init(
    _ units: Int, activation: Activation? = .tanh, recurrentActivation: Activation? = .sigmoid, useBias: Bool = true,
    kernelInitializer: Initializer = .glorotUniform, recurrentInitializer: Initializer = .orthogonal,
    biasInitializer: Initializer = .zeros, kernelRegularizer: Regularizer? = nil,
    recurrentRegularizer: Regularizer? = nil, biasRegularizer: Regularizer? = nil,
    activityRegularizer: Regularizer? = nil, kernelConstraint: Constraint? = nil,
    recurrentConstraint: Constraint? = nil, biasConstraint: Constraint? = nil, dropout: Double = 0,
    recurrentDropout: Double = 0, implementation: Int = 2, resetAfter: Bool = true, returnSequences: Bool = false,
    returnState: Bool = false,
    goBackwards: Bool = false, stateful: Bool = false, unroll: Unroll = .never, checkpointEvery: Int? = nil,
    memory: LoopMemory = .unlimited, zeroOutputForMask: Bool = false,
    trainableInitialState: Bool = false
  ) {
    self.init(
      GRUCell(
        units, activation: activation, recurrentActivation: recurrentActivation, useBias: useBias,
        kernelInitializer: kernelInitializer, recurrentInitializer: recurrentInitializer,
        biasInitializer: biasInitializer, kernelRegularizer: kernelRegularizer,
        recurrentRegularizer: recurrentRegularizer, biasRegularizer: biasRegularizer,
        kernelConstraint: kernelConstraint,
        recurrentConstraint: recurrentConstraint, biasConstraint: biasConstraint, dropout: dropout,
        recurrentDropout: recurrentDropout, implementation: implementation, resetAfter: resetAfter),
      returnSequences: returnSequences, returnState: returnState, goBackwards: goBackwards, stateful: stateful,
      unroll: unroll, checkpointEvery: checkpointEvery, memory: memory, zeroOutputForMask: zeroOutputForMask,
      activityRegularizer: activityRegularizer,
      trainableInitialState: trainableInitialState)
  }
}
