import Reel

/// A piece of a stream that a gradient goes back through.
public struct StreamWindow<State: TensorStructure> {
  /// `[batch, steps, ...]`: the steps of the window.
  public let x: Tensor
  /// The state before the first of them. No gradient goes back beyond it.
  public let state: State
  /// Where the window lies in the stream.
  public let steps: Range<Int>
  /// How many of its last steps no window before it ended with: what a loss over the stream should count.
  public let newSteps: Int
}

/// Truncated backpropagation through time along a stream of any length: every `steps` steps a gradient that goes back through
/// the last `backward` steps, the state carried on, the graph cut.
///
///     let last = truncated(steps: 20, backward: 40, over: stream, from: rnn.cell.initialState(batchSize: 32)) { window in
///       let (_, gradients) = valueWithGradient(of: rnn) { loss(rnn(window.x, initialState: window.state).output) }
///       adam.update(rnn, along: gradients)
///     } advance: { x, state in
///       rnn(x, initialState: state).state
///     }
///
/// BPTT(k₂; k₁) of Williams and Peng, "An efficient gradient-based algorithm for on-line training of recurrent network
/// trajectories" (1990), with k₁ = `steps` and k₂ = `backward`. Memory depends on `backward`, not on the stream.
///
/// - Parameters:
///   - steps: k₁, the steps from one gradient to the next.
///   - backward: k₂, the steps that each goes back through; at least `steps`, and so many if nil.
///   - x: The stream, `[batch, time, ...]`. Its last window may have fewer new steps.
///   - state: The state before the first step.
///   - body: What is done with a window, such as a step of training.
///   - advance: The state after some steps from a state. It runs on what leaves the window only, after `body`.
/// - Returns: The state after the last step.
public func truncated<State: TensorStructure>(
  steps: Int, backward: Int? = nil, over x: Tensor, from state: State,
  _ body: (StreamWindow<State>) throws -> Void, advance: (_ x: Tensor, _ state: State) throws -> State
) rethrows -> State {
  let backward = backward ?? steps
  precondition(
    steps > 0 && backward >= steps,
    "truncated backpropagation goes back through at least the steps from one gradient to the next, not \(backward) for \(steps)"
  )
  guard x.rank >= 2 else {
    TensorError(operation: "truncated", problem: "a stream of shape \(x.shape)", expected: "[batch, time, ...]")
      .report()
    return state
  }
  let time = x.shape[1]
  var (start, state) = (0, state.mapTensors(stopGradient))
  for end in stride(from: steps, to: time + steps, by: steps).map({ min($0, time) }) {
    let first = max(0, end - backward)
    // What the windows to come do not go back to is passed once.
    if first > start {
      state = try advance(x.sliced(start..<first, along: 1), state).mapTensors(stopGradient)
      start = first
    }
    let newSteps = end - (end - 1) / steps * steps
    try body(
      StreamWindow(x: x.sliced(first..<end, along: 1), state: state, steps: first..<end, newSteps: newSteps))
  }
  return start < time ? try advance(x.sliced(start..<time, along: 1), state).mapTensors(stopGradient) : state
}
