import Reel

/// The derivatives of a value by the parameters of a model.
public struct Gradients {
  /// The parameters that the value depends on, with their paths in the model, in its order.
  public let parameters: [(name: String, parameter: Parameter)]
  private let values: [ObjectIdentifier: Tensor]

  init(_ parameters: [(name: String, parameter: Parameter)], _ values: [ObjectIdentifier: Tensor]) {
    self.parameters = parameters.filter { values[ObjectIdentifier($0.parameter)] != nil }
    self.values = values
  }

  /// What was found by the variables that hold the parameters.
  init(_ parameters: [(name: String, parameter: Parameter)], byVariable found: [ObjectIdentifier: Tensor]) {
    let values = parameters.compactMap { entry in
      entry.parameter.variable.flatMap { found[ObjectIdentifier($0)] }.map { (ObjectIdentifier(entry.parameter), $0) }
    }
    self.init(parameters, Dictionary(values) { first, _ in first })
  }

  /// The gradient by a parameter, of its shape; nil if the computation did not use it.
  public subscript(parameter: Parameter) -> Tensor? { values[ObjectIdentifier(parameter)] }

  /// The gradient by the parameter with a path such as `lstm.recurrentKernel`; nil if the computation did not use it.
  public subscript(name: String) -> Tensor? {
    parameters.first { $0.name == name }.flatMap { self[$0.parameter] }
  }

  /// The same gradients, each replaced.
  public func mapValues(_ transform: (Tensor) -> Tensor) -> Gradients {
    Gradients(parameters, values.mapValues(transform))
  }
}

/// The value of a computation and its gradients by the trainable parameters of a model.
///
/// Eagerly, the operations compute at once and are recorded on a tape that is then played backwards; inside `compiled { }`
/// both directions become part of the graph.
///
/// - Parameters:
///   - model: A layer, cell or model. Parameters may be made in the computation.
///   - training: Whether layers behave as in training; true by default.
///   - computation: A computation with a floating-point scalar as its result, such as a loss. It is called once.
/// - Returns: The value, with the penalties of the model's regularizers added to it, and its gradients.
public func valueWithGradient(
  of model: some Module, training: Bool = true, _ computation: () -> Tensor
) -> (value: Tensor, gradients: Gradients) {
  // Listed first, so that parameters made in the computation know their names, in errors and in graphs.
  let trainable = model.parameters.filter(\.parameter.isTrainable)
  let (value, found) = withTraining(training) {
    valueWithVariableGradients {
      let value = ActivityPenalties.added(to: computation)
      return trainable.penalty.map { value + $0 } ?? value
    }
  }
  return (value, Gradients(trainable, byVariable: found))
}
