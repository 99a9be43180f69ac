import Reel

/// A fully connected layer: activation(x · kernel + bias), applied along the last axis.
///
/// `[..., features]` → `[..., units]`. Parameters: `kernel [features, units]`, `bias [units]`. Keras's `Dense`.
public struct Dense: Layer {
  /// The extent of the last axis of the output.
  public let units: Int
  /// Applied to the output; none if nil.
  public let activation: Activation?
  /// Whether there is a bias.
  public let useBias: Bool
  /// A penalty on the output, divided by the batch size.
  public let activityRegularizer: Regularizer?
  /// `[features, units]`.
  public let kernel: Parameter
  /// `[units]`.
  public let bias: Parameter

  /// - Parameters:
  ///   - units: The extent of the last axis of the output.
  ///   - activation: Applied to the output; none by default.
  ///   - useBias: Whether to add a bias; true by default.
  ///   - kernelInitializer: Glorot uniform by default.
  ///   - biasInitializer: Zeros by default.
  ///   - kernelRegularizer: The penalty on the kernel; none by default.
  ///   - biasRegularizer: The penalty on the bias; none by default.
  ///   - activityRegularizer: A penalty on the output, divided by the batch size; none by default.
  ///   - kernelConstraint: What an optimizer makes of the kernel after each update; nothing by default.
  ///   - biasConstraint: What an optimizer makes of the bias after each update; nothing by default.
  public init(
    _ units: Int, activation: Activation? = nil, useBias: Bool = true,
    kernelInitializer: Initializer = .glorotUniform, biasInitializer: Initializer = .zeros,
    kernelRegularizer: Regularizer? = nil, biasRegularizer: Regularizer? = nil,
    activityRegularizer: Regularizer? = nil, kernelConstraint: Constraint? = nil, biasConstraint: Constraint? = nil
  ) {
    precondition(units > 0, "Dense needs at least one unit, not \(units)")
    self.units = units
    self.activation = activation
    self.useBias = useBias
    self.activityRegularizer = activityRegularizer
    kernel = Parameter(kernelInitializer, regularizer: kernelRegularizer, constraint: kernelConstraint)
    bias = Parameter(biasInitializer, regularizer: biasRegularizer, constraint: biasConstraint)
  }

  /// Applies the layer to `[..., features]`.
  public func callAsFunction(_ x: Tensor) -> Tensor { inOwnScope(passingMaskOf: x) { applied(to: x) } }

  private func applied(to x: Tensor) -> Tensor {
    guard x.rank >= 2 else {
      TensorError(
        operation: "dense", problem: "input of shape \(x.shape)", expected: "[batch, ..., features]"
      ).report()
      return .zeros([units])
    }
    // The leading axes are the rows of one product.
    let rows = x.reshaped(to: [x.shape.extents.dropLast().reduce(1, *), x.shape.last])
    var y = rows.matmul(kernel([x.shape.last, units]))
    if useBias { y = y + bias([units]) }
    y = y.reshaped(to: Shape(x.shape.extents.dropLast() + [units]))
    let output = activation?(y) ?? y
    ActivityPenalties.add(activityRegularizer, on: output)
    return output
  }
}
