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
  private var variables: [ObjectIdentifier: [Variable]] = [:]

  /// So many variables of the parameter's type.
  mutating func callAsFunction(_ parameter: Parameter, _ value: Tensor, count: Int) -> [Variable] {
    let key = ObjectIdentifier(parameter)
    if let known = variables[key] { return known }
    let made = (0..<count).map { _ in
      Variable(Recording.suspended { .zeros(value.shape, elementType: value.elementType) }, name: "slot")
    }
    variables[key] = made
    return made
  }
}

/// A hyperparameter that may change between steps of a staged update.
struct Hyperparameter {
  let variable: Variable

  init(_ value: Double, name: String) { variable = Variable(Tensor(Float(value)), name: name) }

  /// The value in the element type of a parameter.
  func callAsFunction(_ elementType: ElementType) -> Tensor { variable.value.converted(to: elementType) }

  var value: Double {
    get { variable.concrete.item }
    nonmutating set { variable.concrete = Tensor(Float(newValue)) }
  }
}
