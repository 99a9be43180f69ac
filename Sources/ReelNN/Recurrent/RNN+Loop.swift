import Reel

extension RNN {
  /// The cell along the time axis of `x [batch, time, ...]`: what comes out, batch first, and the last state.
  func loop(_ x: Tensor, from initial: Cell.State) -> (output: Tensor, state: Cell.State) {
    let steps = x.timeFirst
    guard let mask = x.mask else { return finished(run(over: steps, from: initial) { cell($1, $0) }) }
    let elements = Pair(steps, mask.transposed())
    let carry = Pair(initial, zeroOutputForMask ? nil : firstOutput(for: steps, from: initial))
    let (output, last) = run(over: elements, from: carry) { carry, element in
      let (output, next) = cell(element.first, carry.first)
      let isReal = element.second
      let shown = isReal.selecting(output, carry.second ?? .zeros(output.shape, elementType: output.elementType))
      let state = carry.first.replacingTensors(zip(next.tensors, carry.first.tensors).map(isReal.selecting))
      return (shown, Pair(state, carry.second.map { _ in shown }))
    }
    return finished((output, last.first))
  }

  private func run<Element: TensorStructure, Carry: TensorStructure>(
    over elements: Element, from initial: Carry, _ step: (Carry, Element) -> (output: Tensor, state: Carry)
  ) -> (output: Tensor, state: Carry) {
    let step = { (carry: Carry, element: Element) in
      let (output, next) = step(carry, element)
      return (next, output)
    }
    guard returnSequences else {
      let (state, output) = scanToLast(
        over: elements, from: initial, reverse: goBackwards, unroll: unroll, memory: memory, step)
      return (output, state)
    }
    let (state, stack) = scan(over: elements, from: initial, reverse: goBackwards, unroll: unroll, memory: memory, step)
    // The scan puts outputs where their inputs are; the order of processing is the other way round if it goes backwards.
    return (goBackwards ? stack.reversed(along: 0) : stack, state)
  }

  /// A stack of outputs with the batch first.
  private func finished(_ result: (output: Tensor, state: Cell.State)) -> (output: Tensor, state: Cell.State) {
    (returnSequences ? result.output.timeFirst : result.output, result.state)
  }

  /// What a step shows that is left out before any that counts: zeros, of the type of the cell's output.
  private func firstOutput(for steps: Tensor, from initial: Cell.State) -> Tensor {
    let operands = [TensorType(steps.shape.removing(0), steps.elementType)] + initial.tensors.map(\.type)
    let types = stagedTypes(operands) { operands in
      [cell(operands[0], initial.replacingTensors(Array(operands[1...]))).output]
    }
    return .zeros(types[0].shape, elementType: types[0].elementType)
  }

  /// Whether the mask, if there is one, has a truth value for each step of each sequence; reports it if not.
  func hasFittingMask(_ x: Tensor) -> Bool {
    guard let mask = x.mask, mask.shape != x.shape[..<2] || mask.elementType != .bool else { return true }
    TensorError(
      operation: layerName, problem: "a mask of type \(mask.elementType)\(mask.shape) for input of shape \(x.shape)",
      expected: "[batch, time] = bool\(x.shape[..<2])"
    ).report()
    return false
  }
}

extension Tensor {
  /// `[time, batch, ...]` from `[batch, time, ...]`, and back.
  var timeFirst: Tensor { transposed([1, 0] + Array(2..<rank)) }

  /// For each row of the batch the first tensor where this mask `[batch]` is true, else the second.
  func selecting(_ a: Tensor, _ b: Tensor) -> Tensor {
    select(reshaped(to: Shape([count] + [Int](repeating: 1, count: a.rank - 1))), a, b)
  }

  /// The same sequences `[batch, time, ...]` with a mask for padding at their ends.
  ///
  /// - Parameter lengths: How many steps of each sequence count, `int32 [batch]`.
  public func withMask(lengths: Tensor) -> Tensor {
    guard rank >= 2, lengths.shape == shape[..<1], lengths.elementType == .int32 else {
      TensorError(
        operation: "withMask",
        problem: "lengths of type \(lengths.elementType)\(lengths.shape) for sequences of shape \(shape)",
        expected: "i32[batch] for [batch, time, ...]"
      ).report()
      return self
    }
    return withMask(Tensor.iota(shape[1]).reshaped(to: [1, shape[1]]) .< lengths.expanded(at: 1))
  }
}
