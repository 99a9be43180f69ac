import Reel

/// One step of a recurrent layer, written as plain tensor operations.
///
/// Backpropagation through time comes out of the graph: a cell has no gradient code. See ``SimpleRNNCell`` for the
/// smallest one.
public protocol RecurrentCell: Module {
  /// What is carried from step to step: a tensor, or a structure of tensors.
  associatedtype State: TensorStructure

  /// The state before the first step.
  func initialState(batchSize: Int) -> State

  /// The state before the first step, for a cell whose state depends on more of its input than the batch.
  ///
  /// - Parameter inputShape: The shape of the input of a step, `[batch, ...]`.
  func initialState(inputShape: Shape) -> State

  /// One step.
  ///
  /// - Parameters:
  ///   - x: The input of the step, `[batch, features]`.
  ///   - state: The state after the step before.
  /// - Returns: The output, `[batch, units]`, and the next state, of the types it had.
  func callAsFunction(_ x: Tensor, _ state: State) -> (output: Tensor, state: State)
}

extension RecurrentCell {
  /// The state for the batch of the input.
  public func initialState(inputShape: Shape) -> State { initialState(batchSize: inputShape[0]) }
}
