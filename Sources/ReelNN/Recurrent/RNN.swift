import Reel

/// Any recurrent cell along a sequence: all that there is about time.
///
/// `[batch, time, features]` → `[batch, units]`, the output of the last step, or `[batch, time, units]` with
/// `returnSequences`. The semantics are Keras's `RNN`.
///
/// A step that the mask of the sequence leaves out keeps the state and repeats the output before it, zeros if there is
/// none; with `zeroOutputForMask` its output is zeros.
public struct RNN<Cell: RecurrentCell>: Layer {
  /// The cell.
  public let cell: Cell
  /// Whether the output of every step is given.
  public internal(set) var returnSequences: Bool
  /// Whether ``outputs(of:initialState:)`` ends with the last state.
  public let returnState: Bool
  /// Whether the sequence is taken from its end. Outputs are in the order of processing, as in Keras.
  public internal(set) var goBackwards: Bool
  /// How the loop is laid out; the values do not depend on it.
  public let unroll: Unroll
  /// What the loop keeps for the reverse sweep; the values do not depend on it.
  public let memory: LoopMemory
  /// Whether the output of a step that is left out is zeros.
  public internal(set) var zeroOutputForMask: Bool
  /// A penalty on the output.
  public let activityRegularizer: Regularizer?
  let carried: CarriedState?
  private let initialParameters: [(name: String, parameter: Parameter)]

  /// - Parameters:
  ///   - cell: The cell.
  ///   - returnSequences: Whether the output of every step is given, not only that of the last; false by default.
  ///   - returnState: Whether ``outputs(of:initialState:)`` ends with the last state; false by default.
  ///   - goBackwards: Whether the sequence is taken from its end; false by default.
  ///   - stateful: Whether a call starts from the state after the call before; false by default. See ``resetState()``.
  ///   - unroll: How the loop is laid out; ``Reel/Unroll/never`` by default.
  ///   - checkpointEvery: How many steps lie between the states that are kept for the reverse sweep, which takes the others
  ///     once more; everything it needs is kept if nil, the default.
  ///   - memory: What the loop may keep for the reverse sweep; ``Reel/LoopMemory/unlimited`` by default. Not asked where
  ///     `checkpointEvery` is given.
  ///   - zeroOutputForMask: Whether the output of a step that the mask leaves out is zeros, not the one before; false by
  ///     default.
  ///   - activityRegularizer: A penalty on the output, divided by the batch size; none by default.
  ///   - trainableInitialState: Whether the state before the first step is learned, the same for the whole batch; false by
  ///     default. Its parameters are called `initialState`, and start as the cell's own first state.
  public init(
    _ cell: Cell, returnSequences: Bool = false, returnState: Bool = false, goBackwards: Bool = false,
    stateful: Bool = false, unroll: Unroll = .never, checkpointEvery: Int? = nil, memory: LoopMemory = .unlimited,
    zeroOutputForMask: Bool = false, activityRegularizer: Regularizer? = nil, trainableInitialState: Bool = false
  ) {
    precondition(
      !(stateful && trainableInitialState), "a recurrent layer is stateful or learns its initial state, not both")
    self.cell = cell
    self.returnSequences = returnSequences
    self.returnState = returnState
    self.goBackwards = goBackwards
    self.unroll = unroll
    self.memory = LoopMemory(checkpointEvery: checkpointEvery, memory)
    self.zeroOutputForMask = zeroOutputForMask
    self.activityRegularizer = activityRegularizer
    carried = stateful ? CarriedState() : nil
    initialParameters = trainableInitialState ? Self.parameters(for: cell.initialState(batchSize: 1)) : []
  }

  private static func parameters(for state: Cell.State) -> [(name: String, parameter: Parameter)] {
    zip(state.tensorPaths, state.tensors).map { path, tensor in
      let name = path.isEmpty ? "initialState" : "initialState.\(path)"
      return (name, Parameter(Initializer { tensor.broadcasted(to: $0).converted(to: .default) }))
    }
  }

  /// Whether a call starts from the state after the call before.
  public var isStateful: Bool { carried != nil }

  /// What the cell has, without a level of its own: `lstm.kernel`.
  public var reflectedChildren: [(name: String, value: Any)] {
    [("", cell)] + initialParameters.map { ($0.name, $0.parameter) } + (carried.map { [("state", $0)] } ?? [])
  }

  /// Runs the cell along `[batch, time, features]`, from its initial state. The mask of the input says which steps count.
  public func callAsFunction(_ x: Tensor) -> Tensor { self(x, initialState: nil).output }

  /// Runs the cell along sequences of several lengths, padded at their ends.
  ///
  /// - Parameters:
  ///   - x: The sequences, `[batch, time, features]`.
  ///   - lengths: How many steps of each count, `int32 [batch]`.
  public func callAsFunction(_ x: Tensor, lengths: Tensor) -> Tensor {
    self(inOwnScope { x.withMask(lengths: lengths) })
  }

  /// Runs the cell along `[batch, time, features]`, and gives the last state too.
  ///
  /// - Parameters:
  ///   - x: The sequence. Its mask says which steps count.
  ///   - initialState: The state before the first step; if nil, the one kept if the layer is stateful, else the cell's own.
  public func callAsFunction(_ x: Tensor, initialState: Cell.State?) -> (output: Tensor, state: Cell.State) {
    inOwnScope { applied(to: x, initialState: initialState) }
  }

  private func applied(to x: Tensor, initialState given: Cell.State?) -> (output: Tensor, state: Cell.State) {
    guard isSequence(x), hasFittingMask(x) else {
      return (.zeros([1, 1]), given ?? cell.initialState(batchSize: 1))
    }
    let initial = initialState(given, for: x)
    let (output, last) = RecurrentCall.$current.withValue(RecurrentCall()) { loop(x, from: initial) }
    carried?.store(last.tensors)
    ActivityPenalties.add(activityRegularizer, on: output)
    return (returnSequences ? output.withMask(x.mask) : output, last)
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

  /// Makes the next call start from a state. The layer has to be stateful.
  public func setState(_ state: Cell.State) {
    precondition(isStateful, "\(layerName): a layer that is not stateful keeps no state to set")
    carried?.set(state.tensors)
  }
}

// MARK: - The state before the first step

extension RNN {
  private func initialState(_ given: Cell.State?, for x: Tensor) -> Cell.State {
    let own = cell.initialState(inputShape: x.shape.removing(1))
    let kept = carried.map { _ in loaded(own, for: x) }
    guard let given else { return kept ?? trained(own) ?? own }
    return fits(given, own, for: x) ? given : own
  }

  private func loaded(_ own: Cell.State, for x: Tensor) -> Cell.State {
    if let tensors = carried!.load(initial: own.tensors) { return own.replacingTensors(tensors) }
    TensorError(
      operation: layerName,
      problem: "a stateful layer whose batches had \(carried!.batchSize ?? 0) sequences is given \(x.shape[0]) of type "
        + "\(x.elementType)",
      expected: "batches of one size and type, or resetState() before another"
    ).report()
    return own
  }

  private func trained(_ own: Cell.State) -> Cell.State? {
    guard !initialParameters.isEmpty else { return nil }
    let tensors = zip(own.tensors, initialParameters).map { tensor, entry in
      entry.parameter(tensor.shape.replacing(0, with: 1)).broadcasted(to: tensor.shape)
    }
    return own.replacingTensors(tensors)
  }

  /// Whether a state has the types of the cell's own; reports it if not.
  private func fits(_ given: Cell.State, _ own: Cell.State, for x: Tensor) -> Bool {
    let (found, expected) = (given.tensors, own.tensors)
    guard found.count == expected.count else {
      TensorError(
        operation: layerName,
        problem: "an initial state of \(found.count) tensors for a cell that carries \(expected.count)"
      ).report()
      return false
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
      return false
    }
    return true
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
}

extension RNN: NamedLayer {
  /// The cell's name without `Cell`: `lstm`; `rnn` for a stack, as in Keras.
  package var layerName: String {
    if Cell.self == StackedRNNCells.self { return "rnn" }
    let name = "\(Cell.self)".prefix { $0 != "<" }
    return lowerCamelCase(name.hasSuffix("Cell") && name.count > 4 ? String(name.dropLast(4)) : String(name))
  }
}
