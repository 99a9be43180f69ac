import Reel
import Synchronization

/// Changes parameters along gradients.
///
/// The state of an optimizer (moments, the count of steps, the learning rate) is made of variables, so that an update
/// inside `compiled { }` becomes part of the graph.
public protocol Optimizer: AnyObject {
  /// The step size; it can be changed between steps.
  var learningRate: Double { get set }

  /// Changes the parameters of a model along their gradients.
  func update(_ model: some Module, along gradients: Gradients)
}

/// The variables that an optimizer keeps for each parameter, made with zeros at its first update.
struct Slots {
  /// The parameter is kept, so that no later one can take its place in memory and its variables with it.
  private var entries: [ObjectIdentifier: (parameter: Parameter, variables: [Variable])] = [:]

  /// So many variables of the parameter's type.
  mutating func callAsFunction(_ parameter: Parameter, _ value: Tensor, count: Int) -> [Variable] {
    let key = ObjectIdentifier(parameter)
    if let known = entries[key] { return known.variables }
    let made = (0..<count).map { _ in
      Variable(Recording.suspended { .zeros(value.shape, elementType: value.elementType) }, name: "slot")
    }
    entries[key] = (parameter, made)
    return made
  }
}

/// How often each parameter was updated. Parameters that are first updated together share one count, so that a model has
/// one, and a second model starts at the beginning.
struct StepCounts {
  private var entries: [ObjectIdentifier: (parameter: Parameter, count: Variable)] = [:]

  /// Counts an update of some parameters.
  ///
  /// - Returns: The count of each, this update included.
  mutating func advance(_ parameters: [Parameter]) -> [ObjectIdentifier: Tensor] {
    let new = Variable(Tensor(Double(0)), name: "step")
    var advanced: [ObjectIdentifier: Tensor] = [:]
    var counts: [ObjectIdentifier: Tensor] = [:]
    for parameter in parameters {
      let key = ObjectIdentifier(parameter)
      let count = entries[key]?.count ?? new
      entries[key] = (parameter, count)
      if advanced[ObjectIdentifier(count)] == nil {
        let next = count.value + 1
        count.value = next
        advanced[ObjectIdentifier(count)] = next
      }
      counts[key] = advanced[ObjectIdentifier(count)]
    }
    return counts
  }
}

/// A hyperparameter that may change between steps of a staged update.
struct Hyperparameter {
  let variable: Variable

  init(_ value: Double, name: String) { variable = Variable(Tensor(value), name: name) }

  /// The value in the element type of a parameter.
  func callAsFunction(_ elementType: ElementType) -> Tensor { variable.value.converted(to: elementType) }

  var value: Double {
    get { variable.concrete.item }
    nonmutating set { variable.concrete = Tensor(newValue) }
  }
}
