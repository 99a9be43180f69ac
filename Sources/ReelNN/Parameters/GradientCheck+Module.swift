import Reel

/// Checks the gradients of a layer or model by numeric differentiation: by its input and by every parameter.
///
///     try checkGradients(of: model, at: Tensor.random([2, 5, 3]))
///
/// Everything runs in `float64`. Parameters that have a value are converted for the time of the check and get it back,
/// bit for bit; parameters that have none yet are made for the check alone, so that the model can still take input of
/// another size. Layers behave as in training, with the same random numbers (dropout masks) and the same state of recurrent
/// layers each time the model is called. How derivatives are compared is said at ``Reel/checkGradients(of:at:order:mode:tolerance:)``.
///
/// - Parameters:
///   - model: The layer or model.
///   - input: Where to check, converted to `float64`; a random tensor of a small batch and a few steps does.
///   - order: 1 for the gradient; 2 for the gradient of the gradient too, and so on. 1 by default.
///   - mode: Which derivatives are looked at; ``Reel/GradientCheckMode/automatic`` by default.
///   - tolerance: The relative difference that is no error; 1e-6 by default.
/// - Returns: What was checked, and how well it agrees.
/// - Throws: ``Reel/GradientCheckError``, or ``Reel/TensorError`` if operands in the model do not fit.
@discardableResult
public func checkGradients<Model: Layer>(
  of model: Model, at input: Model.Input, order: Int = 1, mode: GradientCheckMode = .automatic, tolerance: Double = 1e-6
) throws -> GradientReport where Model.Input: TensorStructure, Model.Output: TensorStructure {
  try GradientCheck(order: order, mode: mode, tolerance: tolerance)
    .run(model) {
      (
        NamedTensor.list(input, as: "input"),
        { NamedTensor.list(model(input.replacingValues($0)), as: "output") }
      )
    }
}

/// Checks the gradients of a recurrent layer: by its input, its initial state and every parameter, of the output and of
/// the last state. The initial state is the cell's own with fixed random numbers added: at zeros a derivative may vanish,
/// whatever the pullback says.
///
/// As ``checkGradients(of:at:order:mode:tolerance:)``; the parameters and what is thrown are described there.
@discardableResult
public func checkGradients<Cell: RecurrentCell>(
  of model: RNN<Cell>, at input: Tensor, order: Int = 1, mode: GradientCheckMode = .automatic, tolerance: Double = 1e-6
) throws -> GradientReport {
  try checkGradients(
    of: model, at: input, initialState: nil, order: order, mode: mode, tolerance: tolerance)
}

/// Checks the gradients of a recurrent layer from a state: by its input, the state and every parameter, of the output and
/// of the last state.
///
/// As ``checkGradients(of:at:order:mode:tolerance:)``; the other parameters and what is thrown are described there.
///
/// - Parameters:
///   - model: The layer.
///   - input: `[batch, time, features]`.
///   - initialState: The state before the first step; the cell's own with fixed random numbers added if nil.
@discardableResult
public func checkGradients<Cell: RecurrentCell>(
  of model: RNN<Cell>, at input: Tensor, initialState: Cell.State?, order: Int = 1,
  mode: GradientCheckMode = .automatic, tolerance: Double = 1e-6
) throws -> GradientReport {
  try GradientCheck(order: order, mode: mode, tolerance: tolerance)
    .run(
      model, at: input, initialState ?? model.cell.sampleState(for: input.rank > 1 ? input.shape.removing(1) : .scalar),
      named: "initialState"
    ) { model($0, initialState: $1) }
}

/// Checks the gradients of one step of a recurrent cell: by its input, its state and every parameter, of the output and
/// of the next state.
///
/// As ``checkGradients(of:at:order:mode:tolerance:)``; the other parameters and what is thrown are described there.
///
/// - Parameters:
///   - cell: The cell.
///   - input: `[batch, features]`.
///   - state: The state before the step; the cell's own with fixed random numbers added if nil.
@discardableResult
public func checkGradients<Cell: RecurrentCell>(
  of cell: Cell, at input: Tensor, state: Cell.State? = nil, order: Int = 1, mode: GradientCheckMode = .automatic,
  tolerance: Double = 1e-6
) throws -> GradientReport {
  try GradientCheck(order: order, mode: mode, tolerance: tolerance)
    .run(cell, at: input, state ?? cell.sampleState(for: input.shape), named: "state") { cell($0, $1) }
}

/// Checks the gradients of a computation, such as a loss, by every parameter of a model that it uses.
///
///     try checkGradients(of: model) { softmaxCrossEntropy(logits: model(images), labels: labels) }
///
/// The computation runs in `float64`: tensors of `float32` that it captures do not fit and have to be converted. As
/// ``checkGradients(of:at:order:mode:tolerance:)``; the other parameters and what is thrown are described there.
///
/// - Parameters:
///   - model: The model.
///   - computation: What is differentiated; it is called many times.
@discardableResult
public func checkGradients<Output: TensorStructure>(
  of model: some Module, order: Int = 1, mode: GradientCheckMode = .automatic, tolerance: Double = 1e-6,
  _ computation: @escaping () -> Output
) throws -> GradientReport {
  try GradientCheck(order: order, mode: mode, tolerance: tolerance)
    .run(model) { ([], { _ in NamedTensor.list(computation(), as: "output") }) }
}

extension GradientCheck {
  fileprivate typealias Program = (arguments: [NamedTensor], function: ([Tensor]) -> [NamedTensor])

  /// Checks a function by its arguments and the parameters of a model, and leaves the model as it was.
  fileprivate func run(_ model: some Module, _ program: () -> Program) throws -> GradientReport {
    let parameters = model.parameters
    let made = parameters.map { $0.parameter.variable }
    defer {
      for (entry, variable) in zip(parameters, made) where variable == nil { entry.parameter.value = nil }
    }
    let (arguments, function) = program()
    return try run(
      at: arguments, known: made.compactMap { $0 },
      variableNames: { parameters.compactMap { name, parameter in parameter.variable.map { (name, $0) } } }
    ) { arguments in
      model.restoringState { withTraining { withRandomSeed(0) { function(arguments) } } }
    }
  }

  /// Checks a function of an input and a state.
  fileprivate func run<State: TensorStructure, Output: TensorStructure>(
    _ model: some Module, at input: Tensor, _ state: @autoclosure () -> State, named name: String,
    _ function: @escaping (Tensor, State) -> (output: Output, state: State)
  ) throws -> GradientReport {
    try run(model) {
      let state = state()
      return (
        NamedTensor.list(input, as: "input") + NamedTensor.list(state, as: name),
        { tensors in
          let (output, next) = function(
            input.replacingValues([tensors[0]]), state.replacingTensors(Array(tensors[1...])))
          return NamedTensor.list(output, as: "output") + NamedTensor.list(next, as: "nextState")
        }
      )
    }
  }
}

extension RecurrentCell {
  /// A state around the initial one for steps of a shape, or for a batch of one if the shape is none of a step.
  fileprivate func sampleState(for steps: Shape) -> State {
    let initial = ElementType.withDefault(.float64) {
      steps.rank > 1 ? initialState(inputShape: steps) : initialState(batchSize: 1)
    }
    var seed: UInt64 = 0
    return initial.mapTensors { tensor in
      guard tensor.elementType.isFloatingPoint else { return tensor }
      seed += 1
      return tensor
        + .randomNormal(
          tensor.shape, key: RandomKey(seed: seed), standardDeviation: 0.5, elementType: tensor.elementType)
    }
  }
}
