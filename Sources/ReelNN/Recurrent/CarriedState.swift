import Reel
import Synchronization

/// The state that a stateful recurrent layer keeps from call to call.
///
/// It is made of variables, so that a staged call reads and assigns it; they are no parameters: nothing trains or
/// counts them, and only a ``Checkpoint`` saves them. No gradient flows from one call into another.
final class CarriedState: Sendable {
  private struct Contents {
    var variables: [Variable] = []
    /// What a reset goes back to.
    var initial: [Tensor] = []
    /// Whether the next call may come with a batch of another size.
    var isReset = true
  }

  private let contents = Mutex(Contents())

  /// The state to start a call from; nil if it does not fit a call of these types.
  ///
  /// - Parameter initial: Where the first call, and one of another batch size after a reset, starts.
  func load(initial: [Tensor]) -> [Tensor]? {
    let initial = initial.map(\.detached)
    let variables = contents.withLock { contents -> [Variable]? in
      let fits = contents.variables.map(\.concrete.type) == initial.map(\.type)
      guard fits || contents.isReset else { return nil }
      if contents.variables.isEmpty {
        contents.variables = initial.map { Variable($0, name: "state") }
      } else if !fits {
        // The same variables: staged programs know them.
        for (variable, value) in zip(contents.variables, initial) { variable.concrete = value }
      }
      contents.initial = initial
      contents.isReset = false
      return contents.variables
    }
    return variables.map { $0.map { stopGradient($0.undifferentiatedValue) } }
  }

  /// Keeps the state after a call.
  func store(_ state: [Tensor]) {
    for (variable, value) in zip(contents.withLock(\.variables), state) { variable.value = stopGradient(value) }
  }

  /// Makes the next call start from given tensors.
  func set(_ state: [Tensor]) {
    let isMade = contents.withLock { contents -> Bool in
      contents.isReset = false
      guard contents.variables.isEmpty else { return true }
      contents.variables = state.map { Variable($0, name: "state") }
      return false
    }
    if isMade { store(state) }
  }

  /// Makes the next call start anew, perhaps with a batch of another size.
  func reset() {
    let initial = contents.withLock { contents in
      contents.isReset = true
      // What was set before any call has nothing to go back to.
      if contents.initial.isEmpty { contents.variables = [] }
      return contents.initial
    }
    store(initial)
  }

  /// What the next call starts from; nil if it starts anew.
  var kept: [Tensor]? { contents.withLock { $0.isReset ? nil : $0.variables }?.map(\.concrete) }

  /// The batch size of the calls so far.
  var batchSize: Int? { contents.withLock { $0.variables.first?.concrete.shape[0] } }

  /// Takes note of the state.
  ///
  /// - Returns: What puts it back.
  func snapshot() -> () -> Void {
    let (variables, wasReset) = contents.withLock { ($0.variables, $0.isReset) }
    let values = variables.map(\.undifferentiatedValue)
    return {
      if variables.isEmpty { self.reset() }
      for (variable, value) in zip(variables, values) { variable.value = value }
      self.contents.withLock { $0.isReset = wasReset }
    }
  }
}

extension Module {
  /// Makes every stateful recurrent layer of the model start anew at its next call. Keras's `reset_states`.
  public func resetState() {
    for (_, state) in members(of: CarriedState.self) { state.reset() }
  }

  /// Runs `body`, and afterwards has what calls change as it was: the state of recurrent layers, and parameters that are
  /// not trained. What the first call makes stays made; a staged `body` should not be that call.
  package func restoringState<Result>(_ body: () throws -> Result) rethrows -> Result {
    let parameters = parameters.map(\.parameter).filter { !$0.isTrainable && $0.value != nil }
    let values = parameters.map(\.value)
    let restorers = members(of: CarriedState.self).map { $0.member.snapshot() }
    defer {
      for (parameter, value) in zip(parameters, values) { parameter.value = value }
      for restore in restorers { restore() }
    }
    return try body()
  }
}
