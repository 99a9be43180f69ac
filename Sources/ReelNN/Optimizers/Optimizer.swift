import Reel

/// Changes parameters along gradients, by one formula for each parameter.
///
/// A formula is all that an optimizer has of its own; what is common to all is done around it, in Keras's order:
///
/// 1. Gradients are summed up over the steps of an update, and clipped.
/// 2. Weights decay: `w ← w - w·λ·α`.
/// 3. ``step(_:)``, the formula.
/// 4. The moving average of the weights, which overwrites them now and then.
/// 5. The constraints of the parameters.
///
/// An optimizer of one's own:
///
///     struct SignDescent: Optimizer {
///       let state = OptimizerState(learningRate: 0.01)
///
///       func step(_ update: inout ParameterUpdate) {
///         update.weight -= update.learningRate * sign(update.gradient)
///       }
///     }
///
/// All that changes is a variable, so that an update inside `compiled { }` becomes part of the graph. Copies of an optimizer
/// share their state, as copies of a layer share its parameters.
public protocol Optimizer {
  /// The learning rate, what is done around the formula, and the variables.
  var state: OptimizerState { get }

  /// The variables that the formula keeps for each parameter; none unless an optimizer says otherwise.
  var slots: [OptimizerSlot] { get }

  /// The formula: gives `update.weight` and the slots their values after the update.
  func step(_ update: inout ParameterUpdate)
}

extension Optimizer {
  /// None.
  public var slots: [OptimizerSlot] { [] }

  /// The step size α. One that is a number can be changed between steps, and a compiled step follows without being
  /// recorded again; assigning where there is a schedule is a programming error. With a schedule, it is that of the next
  /// step.
  public var learningRate: Double {
    get { state.learningRate }
    nonmutating set { state.learningRate = newValue }
  }

  /// The variables that belong to a model, for checkpoints: the learning rate if it is a number, the count of steps, then
  /// those of each trainable parameter in the order of the model, named `lstm.kernel.momentum`. They exist before the first
  /// update, so that a checkpoint can be restored into a new optimizer by assigning their values: build the model first, for
  /// a parameter without a value has none.
  ///
  /// Names depend on the model and the settings of the optimizer only. (Parameters that were first updated as parts of
  /// another model count their own steps, under the path of the first of them.)
  public func variables(of model: some Module) -> [(name: String, variable: Variable)] {
    state.variables(of: model, slots)
  }

  /// Ends a training: gives the parameters of a model their moving averages. Does nothing without ``MovingAverage``. Keras's
  /// `finalize_variable_values`.
  public func finalizeParameters(of model: some Module) {
    for (_, parameter) in model.parameters {
      if let average = state.variable(OptimizerSlot.average.name, of: parameter) { parameter.value = average.value }
    }
  }
}
