import Reel

/// Any recurrent cell along a sequence: all that there is about time.
///
/// `[batch, time, features]` → `[batch, units]`, the output of the last step, or `[batch, time, units]` with
/// `returnSequences`. The semantics are Keras's `RNN`.
public struct RNN<Cell: RecurrentCell>: Layer {
  /// The cell.
  public let cell: Cell
  /// Whether the output of every step is given.
  public let returnSequences: Bool
  /// Whether ``outputs(of:initialState:)`` ends with the last state.
  public let returnState: Bool
  /// Whether the sequence is taken from its end. Outputs are in the order of processing, as in Keras.
  public let goBackwards: Bool
  /// How the loop is laid out; the values do not depend on it.
  public let unroll: Unroll

  /// - Parameters:
  ///   - cell: The cell.
  ///   - returnSequences: Whether the output of every step is given, not only that of the last; false by default.
  ///   - returnState: Whether ``outputs(of:initialState:)`` ends with the last state; false by default.
  ///   - goBackwards: Whether the sequence is taken from its end; false by default.
  ///   - unroll: How the loop is laid out; ``Reel/Unroll/never`` by default.
  public init(
    _ cell: Cell, returnSequences: Bool = false, returnState: Bool = false, goBackwards: Bool = false,
    unroll: Unroll = .never
  ) {
    self.cell = cell
    self.returnSequences = returnSequences
    self.returnState = returnState
    self.goBackwards = goBackwards
    self.unroll = unroll
  }

  /// What the cell has, without a level of its own: `lstm.kernel`.
  public var reflectedChildren: [(name: String, value: Any)] { [("", cell)] }

  /// Runs the cell along `[batch, time, features]`, from its initial state.
  public func callAsFunction(_ x: Tensor) -> Tensor { self(x, initialState: nil).output }

  /// Runs the cell along `[batch, time, features]`, and gives the last state too.
  ///
  /// - Parameters:
  ///   - x: The sequence.
  ///   - initialState: The state before the first step; the cell's own if nil.
  public func callAsFunction(_ x: Tensor, initialState: Cell.State?) -> (output: Tensor, state: Cell.State) {
    inOwnScope { applied(to: x, initialState: initialState) }
  }

  private func applied(to x: Tensor, initialState: Cell.State?) -> (output: Tensor, state: Cell.State) {
    guard isSequence(x) else {
      return (.zeros([1, 1]), initialState ?? cell.initialState(batchSize: 1))
    }
    let initial = self.initialState(initialState, for: x)
    let steps = x.transposed([1, 0] + Array(2..<x.rank))
    let step = { (state: Cell.State, x: Tensor) in
      let (output, next) = cell(x, state)
      return (next, output)
    }
    guard returnSequences else {
      let (state, output) = scanToLast(over: steps, from: initial, reverse: goBackwards, unroll: unroll, step)
      return (output, state)
    }
    let (state, stack) = scan(over: steps, from: initial, reverse: goBackwards, unroll: unroll, step)
    // The scan puts outputs where their inputs are; the order of processing is the other way round if it goes backwards.
    let inOrder = goBackwards ? stack.reversed(along: 0) : stack
    return (inOrder.transposed([1, 0] + Array(2..<inOrder.rank)), state)
  }

  /// The state before the first step: the one given, if it has the types of the cell's own.
  private func initialState(_ given: Cell.State?, for x: Tensor) -> Cell.State {
    let own = cell.initialState(batchSize: x.shape[0])
    guard let given else { return own }
    let (found, expected) = (given.tensors, own.tensors)
    guard found.count == expected.count else {
      TensorError(
        operation: layerName,
        problem: "an initial state of \(found.count) tensors for a cell that carries \(expected.count)"
      ).report()
      return own
    }
    for (path, (found, expected)) in zip(own.tensorPaths, zip(found, expected)) {
      let hasType = found.elementType == expected.elementType || found.elementType == x.elementType
      if found.shape == expected.shape && hasType { continue }
      let name = path.isEmpty ? "" : " '\(path)'"
      let axes = expected.rank == 2 ? "[batch, units] = " : ""
      TensorError(
        operation: layerName,
        problem: "an initial state\(name) of type \(found.elementType)\(found.shape) for input of type "
          + "\(x.elementType)\(x.shape)",
        expected: "\(axes)\(expected.elementType)\(expected.shape)"
      ).report()
      return own
    }
    return given
  }

  private func isSequence(_ x: Tensor) -> Bool {
    if x.rank >= 3 && x.shape[1] > 0 { return true }
    TensorError(
      operation: layerName,
      problem: x.rank >= 3 ? "a sequence without steps, of shape \(x.shape)" : "input of shape \(x.shape)",
      expected: "[batch, time, features]"
        + (x.rank >= 3 ? " with at least one step" : "")
        + (x.rank == 2 ? "; a recurrent layer in front of this one needs returnSequences: true" : "")
    ).report()
    return false
  }

  /// The outputs as Keras lists them: the output, and with `returnState` the tensors of the last state after it.
  ///
  /// - Parameters:
  ///   - x: The sequence, `[batch, time, features]`.
  ///   - initialState: The state before the first step; the cell's own if nil.
  public func outputs(of x: Tensor, initialState: Cell.State? = nil) -> [Tensor] {
    let (output, state) = self(x, initialState: initialState)
    return [output] + (returnState ? state.tensors : [])
  }
}

extension RNN: NamedLayer {
  /// The cell's name without `Cell`: `lstm`.
  package var layerName: String {
    let name = "\(Cell.self)".prefix { $0 != "<" }
    return lowerCamelCase(name.hasSuffix("Cell") && name.count > 4 ? String(name.dropLast(4)) : String(name))
  }
}
