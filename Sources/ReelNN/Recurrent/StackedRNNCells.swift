import Reel

/// Cells of any kinds one on top of another, as one cell: each takes what the one below gives.
///
///     RNN(StackedRNNCells([LSTMCell(16), GRUCell(32)]))
///
/// The state is a list with the tensors of each cell's state; the output is that of the last cell. Keras's
/// `StackedRNNCells`.
public struct StackedRNNCells: RecurrentCell {
  /// The cells, the one that takes the input first.
  public let cells: [any RecurrentCell]

  /// A stack of one cell or more.
  public init(_ cells: [any RecurrentCell]) {
    precondition(!cells.isEmpty, "StackedRNNCells needs at least one cell")
    self.cells = cells
  }

  /// The first state of each cell.
  public func initialState(batchSize: Int) -> [[Tensor]] {
    cells.map { $0.initialState(batchSize: batchSize).tensors }
  }

  /// One step: the cells in turn.
  public func callAsFunction(_ x: Tensor, _ state: [[Tensor]]) -> (output: Tensor, state: [[Tensor]]) {
    var output = x
    let next = cells.indices.map { index in
      Recording.inScope("cells.\(index)") {
        let (upper, next) = cells[index].step(output, state[index])
        output = upper
        return next
      }
    }
    return (output, next)
  }
}

extension RecurrentCell {
  /// One step from a state whose structure is forgotten.
  fileprivate func step(_ x: Tensor, _ state: [Tensor]) -> (output: Tensor, state: [Tensor]) {
    let (output, next) = self(x, initialState(inputShape: x.shape).replacingTensors(state))
    return (output, next.tensors)
  }
}

extension RNN where Cell == StackedRNNCells {
  /// A layer of cells one on top of another.
  public init(
    _ cells: [any RecurrentCell], returnSequences: Bool = false, returnState: Bool = false, goBackwards: Bool = false,
    stateful: Bool = false, unroll: Unroll = .never, checkpointEvery: Int? = nil, memory: LoopMemory = .unlimited,
    zeroOutputForMask: Bool = false,
    activityRegularizer: Regularizer? = nil, trainableInitialState: Bool = false
  ) {
    self.init(
      StackedRNNCells(cells), returnSequences: returnSequences, returnState: returnState, goBackwards: goBackwards,
      stateful: stateful, unroll: unroll, checkpointEvery: checkpointEvery, memory: memory,
      zeroOutputForMask: zeroOutputForMask,
      activityRegularizer: activityRegularizer, trainableInitialState: trainableInitialState)
  }
}
