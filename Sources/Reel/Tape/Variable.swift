import Foundation
import Synchronization

/// A tensor that can be replaced: the only mutable state in Reel.
///
/// Parameters, moments of optimizers, states that outlive a call, random keys and step counters are variables. Code that
/// reads and assigns them needs no rewriting to be staged: inside `compiled { }`, a variable that is read becomes an
/// input of the graph and one that is assigned an output. Under a gradient, reading gives a tensor that can be
/// differentiated. In the body of a loop a variable can be read, and assigning it is an error: carry it instead.
public final class Variable: Sendable {
  /// The value, or nil while a program has it to write the next one over it.
  private let storage: Mutex<Tensor?>

  /// The name in printed graphs and errors.
  public let name: String

  /// A variable with a first value, which has elements.
  public init(_ value: Tensor, name: String = "") {
    storage = Mutex(Recording.suspended { value.detached })
    self.name = name
  }

  /// The current value.
  public var value: Tensor {
    get { Recording.tape?.read(self) ?? concrete }
    set {
      guard let tape = Recording.tape else {
        concrete = newValue.detached
        return
      }
      tape.assign(self, newValue)
    }
  }

  /// The current value, read without becoming something that open gradients are taken by.
  package var undifferentiatedValue: Tensor { Recording.tape?.readOutsideScopes(self) ?? concrete }

  /// The elements, whatever tape is open.
  package var concrete: Tensor {
    get { storage.withLock { $0 } ?? Lending.wait { storage.withLock { $0 } } }
    set { storage.withLock { $0 = newValue } }
  }
}

// MARK: - Writing over the value

extension Variable {
  /// Takes the value out, for a program that gives the next one by ``giveBack(_:)``; whoever reads the variable in between
  /// waits. If nobody else holds the elements, the taker is then the only one.
  ///
  /// Who takes several takes them in one order, so that two programs cannot wait for each other.
  func take() -> Tensor {
    func take() -> Tensor? {
      storage.withLock { value in
        let taken = value
        value = nil
        return taken
      }
    }
    return take() ?? Lending.wait(until: take)
  }

  /// Ends what ``take()`` began, with the next value.
  func giveBack(_ value: Tensor) {
    storage.withLock { $0 = value }
    Lending.announce()
  }
}

/// Where threads wait for the value of a variable that a program has taken.
private enum Lending {
  private static let monitor = NSCondition()
  private static let waiting = Atomic(0)

  /// What `read` gives as soon as it gives something.
  static func wait(until read: () -> Tensor?) -> Tensor {
    waiting.add(1, ordering: .sequentiallyConsistent)
    defer { waiting.subtract(1, ordering: .sequentiallyConsistent) }
    monitor.lock()
    defer { monitor.unlock() }
    while true {
      if let tensor = read() { return tensor }
      monitor.wait()
    }
  }

  /// Wakes those who wait, after a value has come back.
  static func announce() {
    guard waiting.load(ordering: .sequentiallyConsistent) > 0 else { return }
    monitor.lock()
    monitor.broadcast()
    monitor.unlock()
  }
}

/// What a tape knows of a variable that was used while it was open.
struct VariableBinding {
  let variable: Variable
  /// The value on entry, an input of a staged tape; nil if the variable was assigned before it was read.
  var input: Tensor?
  /// The value by now.
  var current: Tensor
  var isAssigned = false
}

/// The variables that an open gradient has seen.
struct VariableScope {
  struct Seen {
    let variable: Variable
    /// The value on entry, to differentiate with respect to; nil if the variable was assigned before it was read.
    var leaf: Tensor?
    /// The value by now.
    var current: Tensor
  }

  var seen: [ObjectIdentifier: Seen] = [:]
}

extension Tape {
  /// The value of a variable, as a tensor of this tape or of one around it.
  func read(_ variable: Variable) -> Tensor { read(variable, scope: state.withLock { $0.scopes.count }) }

  /// Each open gradient sees the variable through a leaf of its own, so that nested gradients do not mix.
  private func read(_ variable: Variable, scope: Int) -> Tensor {
    guard scope > 0 else { return readOutsideScopes(variable) }
    let key = ObjectIdentifier(variable)
    if let known = state.withLock({ $0.scopes[scope - 1].seen[key]?.current }) { return known }
    let outer = read(variable, scope: scope - 1)
    guard outer.elementType.isFloatingPoint else { return outer }
    let leaf = leaf(outer)
    state.withLock { $0.scopes[scope - 1].seen[key] = .init(variable: variable, leaf: leaf, current: leaf) }
    return leaf
  }

  func readOutsideScopes(_ variable: Variable) -> Tensor {
    switch kind {
    case .body: return assigned(variable) ?? parent?.read(variable) ?? variable.concrete
    case .eager: return variable.concrete
    case .staged:
      if let known = assigned(variable) { return known }
      let input = input(variable.concrete.type, name: variable.name)
      state.withLock { $0.variables.append(VariableBinding(variable: variable, input: input, current: input)) }
      return input
    }
  }

  /// The value that a variable has by now, if the tape knows of one.
  private func assigned(_ variable: Variable) -> Tensor? {
    state.withLock { $0.variables.first { $0.variable === variable }?.current }
  }

  /// A tensor of this tape with the value of another, to differentiate with respect to.
  func leaf(_ tensor: Tensor) -> Tensor {
    tensor.tape == nil && kind == .eager
      ? input(tensor.type, storage: tensor.storage)
      : record(Identity(), [tensor], [tensor.type])[0]
  }

  func assign(_ variable: Variable, _ value: Tensor) {
    switch kind {
    case .body where !takesAssignments:
      TensorError(
        operation: "assign",
        problem: "variable '\(variable.name)' is assigned in the body of a loop or a vectorized function",
        expected: "the value to be carried or returned, and the assignment after it"
      ).report()
    case .eager:
      variable.concrete = value.detached
      shadow(variable, with: value)
    case .staged, .body:
      state.withLock { state in
        if let index = state.variables.firstIndex(where: { $0.variable === variable }) {
          state.variables[index].current = value
          state.variables[index].isAssigned = true
        } else {
          state.variables.append(VariableBinding(variable: variable, input: nil, current: value, isAssigned: true))
        }
      }
      shadow(variable, with: value)
    }
  }

  /// From now on the open gradients read the assigned value.
  private func shadow(_ variable: Variable, with value: Tensor) {
    let key = ObjectIdentifier(variable)
    state.withLock { state in
      for index in state.scopes.indices {
        let leaf = state.scopes[index].seen[key]?.leaf
        state.scopes[index].seen[key] = .init(variable: variable, leaf: leaf, current: value)
      }
    }
  }
}
