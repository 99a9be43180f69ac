/// Carries a state along a sequence: the one loop of fixed length.
///
/// `step` is called once for each step if the loop is unrolled, and once in all if it is not: then its operations become
/// the body of a single loop operation, and values from outside that it uses are captured. Either way the results are
/// the same, bit for bit, and can be differentiated.
///
///     let (sum, partial) = scan(over: x, from: Tensor(0)) { sum, x in (sum + x, sum) }
///
/// - Parameters:
///   - elements: A tensor `[time, ...]`, or a structure of tensors with one leading extent.
///   - initial: The first state, a tensor or a structure of tensors.
///   - reverse: Whether to go from the last element to the first. Outputs lie where their elements do.
///   - unroll: How the loop is laid out; ``Unroll/never`` by default.
///   - checkpointEvery: How many steps lie between the states that are kept for the reverse sweep, at least 1; all that
///     lies between is computed once more. Nil, the default, keeps what every step needs. The least memory is used at
///     about the square root of the length.
///   - memory: What the loop may keep for the reverse sweep; ``LoopMemory/unlimited`` by default. Not asked where
///     `checkpointEvery` says which states are kept.
///   - step: From the state and one element, without the time axis, to the next state, of the same types, and an output.
/// - Returns: The last state, and the outputs stacked along a leading time axis.
public func scan<Element: TensorStructure, Carry: TensorStructure, Output: TensorStructure>(
  over elements: Element, from initial: Carry, reverse: Bool = false, unroll: Unroll = .never,
  checkpointEvery: Int? = nil, memory: LoopMemory = .unlimited,
  _ step: (_ state: Carry, _ element: Element) -> (Carry, Output)
) -> (state: Carry, outputs: Output) {
  let kept = LoopMemory(checkpointEvery: checkpointEvery, memory)
  return scan(over: elements, from: initial, reverse: reverse, unroll: unroll, kept, keepsLastOnly: false, step)
}

/// As ``scan(over:from:reverse:unroll:checkpointEvery:memory:_:)``, but gives the output of the last step alone, which costs no stack.
package func scanToLast<Element: TensorStructure, Carry: TensorStructure, Output: TensorStructure>(
  over elements: Element, from initial: Carry, reverse: Bool = false, unroll: Unroll = .never,
  checkpointEvery: Int? = nil, memory: LoopMemory = .unlimited,
  _ step: (_ state: Carry, _ element: Element) -> (Carry, Output)
) -> (state: Carry, output: Output) {
  let kept = LoopMemory(checkpointEvery: checkpointEvery, memory)
  let (state, output) = scan(
    over: elements, from: initial, reverse: reverse, unroll: unroll, kept, keepsLastOnly: true, step)
  return (state, output)
}

private func scan<Element: TensorStructure, Carry: TensorStructure, Output: TensorStructure>(
  over elements: Element, from initial: Carry, reverse: Bool, unroll: Unroll, _ memory: LoopMemory,
  keepsLastOnly: Bool,
  _ step: (_ state: Carry, _ element: Element) -> (Carry, Output)
) -> (state: Carry, outputs: Output) {
  guard let length = Loop.length(of: elements) else {
    return (initial, step(initial, elements).1)
  }
  return withoutActuallyEscaping(step) { step in
    var output: Output?
    let loop = Loop(
      carryPaths: initial.tensorPaths, isReversed: reverse, memory: memory, keepsLastOnly: keepsLastOnly
    ) { state, element in
      let (next, current) = step(initial.replacingTensors(state), elements.replacingTensors(element))
      output = current
      return (next.tensors, current.tensors)
    }
    let carry = initial.tensors.map { $0.adopting($0.elementType) }
    let (last, stacks) = loop.run(elements.tensors, from: carry, length: length, unroll)
    return (initial.replacingTensors(last), output!.replacingTensors(stacks))
  }
}
