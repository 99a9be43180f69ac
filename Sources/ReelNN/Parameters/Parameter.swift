import Reel
import Synchronization

/// A trained tensor: a named member of a layer or cell, given its shape at its first use.
///
///     struct Scale: Layer {
///       let weight = Parameter(.ones)
///       func callAsFunction(_ x: Tensor) -> Tensor { x * weight([x.shape.last]) }
///     }
///
/// Parameters are found by reflection, so that the name in a summary, a checkpoint or an error is the one in the source.
public final class Parameter: Sendable {
  /// How the first value is made.
  public let initializer: Initializer

  /// Whether optimizers change it.
  public let isTrainable: Bool

  /// The penalty on the value; it counts while the parameter is trainable.
  public let regularizer: Regularizer?

  /// What an optimizer makes of the value after each update.
  public let constraint: Constraint?

  private struct State {
    var variable: Variable?
    var name = ""
  }

  private let state = Mutex(State())

  /// A parameter that takes its shape and first value when it is first used.
  ///
  /// - Parameters:
  ///   - initializer: How the first value is made.
  ///   - isTrainable: Whether optimizers change it; true by default.
  ///   - regularizer: The penalty on the value; none by default.
  ///   - constraint: What an optimizer makes of the value after each update; nothing by default.
  public init(
    _ initializer: Initializer, isTrainable: Bool = true, regularizer: Regularizer? = nil, constraint: Constraint? = nil
  ) {
    self.initializer = initializer
    self.isTrainable = isTrainable
    self.regularizer = regularizer
    self.constraint = constraint
  }

  /// The value as a tensor of a shape. The first call makes it, of element type ``Reel/ElementType/default``; a later call
  /// with another shape is a ``Reel/TensorError``.
  public func callAsFunction(_ shape: Shape) -> Tensor {
    guard let variable = variable(shape: shape) else { return Recording.suspended { .zeros(shape) } }
    let made = variable.concrete.shape
    guard made == shape else {
      let changes = zip(made.extents, shape.extents).enumerated().filter { $1.0 != $1.1 }
      var change = ""
      if changes.count == 1, made.rank == shape.rank {
        change = ": axis \(changes[0].offset) was \(changes[0].element.0) and is \(changes[0].element.1)"
      }
      TensorError(
        operation: name.isEmpty ? "parameter" : "parameter '\(name)'",
        problem: "made with shape \(made) at its first use, but needed with shape \(shape) now\(change)",
        expected: "input with as many features as at the first call; other features need another layer"
      ).report()
      return Recording.suspended { .zeros(shape) }
    }
    return variable.value
  }

  /// The variable, made if need be; nil where an error was reported, for what comes after it has placeholder shapes.
  private func variable(shape: Shape) -> Variable? {
    if let variable { return variable }
    if Recording.boundary?.hasFailed == true { return nil }
    let value = Recording.suspended { initializer(shape) }
    if Recording.boundary?.hasFailed == true { return nil }
    return state.withLock { state in
      if let made = state.variable { return made }
      let variable = Variable(value, name: state.name)
      state.variable = variable
      return variable
    }
  }

  /// The value, or nil before the first use. Assigning replaces it, or makes it.
  public var value: Tensor? {
    get { variable?.value }
    set {
      guard let newValue else { return state.withLock { $0.variable = nil } }
      if let variable {
        variable.value = newValue
      } else {
        state.withLock { $0.variable = Variable(newValue, name: $0.name) }
      }
    }
  }

  /// The variable that holds the value, once there is one.
  package var variable: Variable? { state.withLock { $0.variable } }

  /// The path in the model that last listed its parameters.
  package var name: String {
    get { state.withLock { $0.name } }
    set { state.withLock { $0.name = newValue } }
  }
}
