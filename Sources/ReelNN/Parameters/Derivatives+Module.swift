import Reel

extension Gradients: TensorStructure {
  /// Visits the gradients by the paths of their parameters, so that gradients go through loops, `vectorize` and staged
  /// functions.
  public mutating func visitTensors(_ visit: (String, inout Tensor) -> Void) {
    var visited: [ObjectIdentifier: Tensor] = [:]
    for (name, parameter) in parameters {
      var value = self[parameter]!
      visit(name, &value)
      visited[ObjectIdentifier(parameter)] = value
    }
    self = Gradients(parameters, visited)
  }

  /// The direction of a variable that holds a parameter; nil for any other.
  fileprivate func direction(of variable: Variable) -> Tensor? {
    parameters.first { $0.parameter.variable === variable }.flatMap { self[$0.parameter] }
  }
}

/// The value of a computation and its derivative along a direction in the space of a model's parameters, by forward mode;
/// see ``Reel/valueWithDerivative(at:along:of:)``.
///
/// - Parameters:
///   - model: A layer, cell or model.
///   - direction: One tensor for each parameter that moves, of its shape: gradients, or what was made of them.
///   - computation: A computation with a tensor or a structure of tensors as its result. It is called once.
/// - Returns: The value, and the derivative as a structure of the same kind.
public func valueWithDerivative<Output: TensorStructure>(
  of model: some Module, along direction: Gradients, _ computation: () -> Output
) -> (value: Output, derivative: Output) {
  _ = model.parameters
  return valueWithVariableDerivative(along: direction.direction, computation)
}

/// The value of a computation and its Jacobian by the trainable parameters of a model, by reverse mode; see
/// ``Reel/valueWithJacobian(at:mode:of:)``.
///
/// - Parameters:
///   - model: A layer, cell or model.
///   - computation: A computation with a floating-point tensor of shape `[m...]` as its result. It is called once.
/// - Returns: The value, and for each parameter of shape `[n...]` the derivatives, of shape `[m..., n...]`.
public func valueWithJacobian(
  of model: some Module, _ computation: () -> Tensor
) -> (value: Tensor, jacobian: Gradients) {
  let trainable = model.parameters.filter(\.parameter.isTrainable)
  let (value, found) = valueWithVariableJacobian(computation)
  return (value, Gradients(trainable, byVariable: found))
}

/// The product of the Hessian of a computation by the trainable parameters of a model with a vector; see
/// ``Reel/hessianVectorProduct(at:along:of:)``. The Hessian is that of the value of ``valueWithGradient(of:training:_:)``,
/// penalties included.
///
/// - Parameters:
///   - model: A layer, cell or model.
///   - vector: One tensor for each parameter that moves, of its shape.
///   - training: Whether layers behave as in training; true by default.
///   - computation: A computation with a floating-point scalar as its result, such as a loss. It is called once.
public func hessianVectorProduct(
  of model: some Module, along vector: Gradients, training: Bool = true, _ computation: () -> Tensor
) -> Gradients {
  valueWithDerivative(of: model, along: vector) {
    valueWithGradient(of: model, training: training, computation).gradients
  }.derivative
}

/// The product of the Gauss–Newton matrix of a loss by the trainable parameters of a model with a vector; see
/// ``Reel/gaussNewtonVectorProduct(at:along:of:loss:)``. Penalties of the model take no part.
///
/// - Parameters:
///   - model: A layer, cell or model.
///   - vector: One tensor for each parameter that moves, of its shape.
///   - training: Whether layers behave as in training; true by default.
///   - outputs: What the loss is a function of, such as logits. It is called once.
///   - loss: From the outputs to a floating-point scalar.
public func gaussNewtonVectorProduct(
  of model: some Module, along vector: Gradients, training: Bool = true, outputs: () -> Tensor,
  loss: (Tensor) -> Tensor
) -> Gradients {
  let trainable = model.parameters.filter(\.parameter.isTrainable)
  let product = withTraining(training) {
    gaussNewtonVectorProduct(along: vector.direction, outputs: outputs, loss: loss)
  }
  return Gradients(trainable, byVariable: product)
}
