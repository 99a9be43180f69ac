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
///   - step: From the state and one element, without the time axis, to the next state, of the same types, and an output.
/// - Returns: The last state, and the outputs stacked along a leading time axis.
public func scan<Element: TensorStructure, Carry: TensorStructure, Output: TensorStructure>(
  over elements: Element, from initial: Carry, reverse: Bool = false, unroll: Unroll = .never,
  _ step: (_ state: Carry, _ element: Element) -> (Carry, Output)
) -> (state: Carry, outputs: Output) {
  scan(over: elements, from: initial, reverse: reverse, unroll: unroll, keepsLastOnly: false, step)
}

/// As ``scan(over:from:reverse:unroll:_:)``, but gives the output of the last step alone, which costs no stack.
package func scanToLast<Element: TensorStructure, Carry: TensorStructure, Output: TensorStructure>(
  over elements: Element, from initial: Carry, reverse: Bool = false, unroll: Unroll = .never,
  _ step: (_ state: Carry, _ element: Element) -> (Carry, Output)
) -> (state: Carry, output: Output) {
  let (state, output) = scan(
    over: elements, from: initial, reverse: reverse, unroll: unroll, keepsLastOnly: true, step)
  return (state, output)
}

private func scan<Element: TensorStructure, Carry: TensorStructure, Output: TensorStructure>(
  over elements: Element, from initial: Carry, reverse: Bool, unroll: Unroll, keepsLastOnly: Bool,
  _ step: (_ state: Carry, _ element: Element) -> (Carry, Output)
) -> (state: Carry, outputs: Output) {
  guard let length = Loop.length(of: elements) else {
    return (initial, step(initial, elements).1)
  }
  return withoutActuallyEscaping(step) { step in
    var output: Output?
    let loop = Loop(
      carryPaths: initial.tensorPaths, isReversed: reverse, keepsLastOnly: keepsLastOnly
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

/// The loop behind ``scan(over:from:reverse:unroll:_:)``, on lists of tensors.
private struct Loop {
  typealias Step = (_ state: [Tensor], _ element: [Tensor]) -> (state: [Tensor], output: [Tensor])

  let carryPaths: [String]
  let isReversed: Bool
  /// Whether only the outputs of the last step are given, and not the stacks of all.
  let keepsLastOnly: Bool
  let step: Step

  /// The leading extent that all sequences have; reports if there is none.
  static func length(of elements: some TensorStructure) -> Int? {
    let types = elements.tensors.map(\.type)
    guard let first = types.first, types.allSatisfy({ $0.shape.rank > 0 && $0.shape[0] == first.shape[0] }) else {
      TensorError(
        operation: "scan", operands: types,
        problem: types.isEmpty ? "no sequence to go along" : "sequences without one leading extent",
        expected: "[time, ...] with the same time everywhere; Tensor.iota(count) where only the count matters"
      ).report()
      return nil
    }
    return first.shape[0]
  }

  func run(
    _ elements: [Tensor], from carry: [Tensor], length: Int, _ unroll: Unroll
  ) -> (carry: [Tensor], stacks: [Tensor]) {
    let block = unroll.blockLength(of: length)
    // The types of the outputs of an empty loop are only known from its body.
    if block == 1 && unroll != .full || length == 0 { return symbolic(elements, from: carry, length, step) }
    return block == length ? unrolled(elements, from: carry, length) : blocked(elements, from: carry, length, block)
  }

  /// The order in which the steps of a sequence are taken.
  private func times(_ length: Int) -> [Int] { isReversed ? (0..<length).reversed() : Array(0..<length) }

  private func unrolled(_ elements: [Tensor], from carry: [Tensor], _ length: Int) -> ([Tensor], [Tensor]) {
    var carry = carry
    var slices = [[Tensor]](repeating: [], count: length)
    for time in times(length) {
      let (next, output) = step(carry, elements.map { $0[time] })
      guard keepsTypes(carry, next) else { return (carry, output) }
      (carry, slices[time]) = (next, output)
    }
    if keepsLastOnly { return (carry, slices[isReversed ? 0 : length - 1]) }
    return (carry, slices[0].indices.map { index in stacked(slices.map { $0[index] }) })
  }

  /// A symbolic loop over whole blocks, then the steps that are left over.
  private func blocked(
    _ elements: [Tensor], from carry: [Tensor], _ length: Int, _ block: Int
  ) -> ([Tensor], [Tensor]) {
    let count = length / block
    let rest = length - count * block
    let blocksStart = isReversed ? rest : 0
    let restStart = isReversed ? 0 : count * block
    let blocks = elements.map { element in
      element[blocksStart..<blocksStart + count * block]
        .reshaped(to: element.shape.replacing(0, with: block).inserting(count, at: 0))
    }
    let (middle, stacks) = symbolic(blocks, from: carry, count) { unrolled($1, from: $0, block) }
    if keepsLastOnly {
      return rest == 0
        ? (middle, stacks) : unrolled(elements.map { $0[restStart..<restStart + rest] }, from: middle, rest)
    }
    let joined = stacks.map { $0.reshaped(to: $0.shape.removing(0).replacing(0, with: count * block)) }
    if rest == 0 { return (middle, joined) }
    let (last, ends) = unrolled(elements.map { $0[restStart..<restStart + rest] }, from: middle, rest)
    return (last, zip(joined, ends).map { concatenated(isReversed ? [$1, $0] : [$0, $1]) })
  }

  private func symbolic(
    _ elements: [Tensor], from carry: [Tensor], _ length: Int, _ step: Step
  ) -> ([Tensor], [Tensor]) {
    let elementTypes = elements.map { TensorType($0.shape.removing(0), $0.elementType) }
    var hasFailed = false
    var outputCount = 0
    let (body, captured) = Tape.loopBody(carry.map(\.type) + elementTypes) { inputs in
      let (next, output) = step(Array(inputs[..<carry.count]), Array(inputs[carry.count...]))
      outputCount = output.count
      hasFailed = !keepsTypes(carry, next)
      return next + output
    }
    if hasFailed || Recording.boundary?.hasFailed == true {
      return (carry, Array(repeating: .placeholder(like: carry.first), count: outputCount))
    }
    if keepsLastOnly { return carryingOutputs(body, captured, carry, elements, length) }
    let scan = Scan(
      body: LoopBody(body), captureCount: captured.count, carryCount: carry.count, length: length,
      isReversed: isReversed, isAdjoint: false)
    let results = scan.apply(captured + carry + elements)
    return (Array(results[..<carry.count]), Array(results[carry.count..<carry.count + outputCount]))
  }

  /// A loop whose outputs are carried instead of stacked. An output that is a part of the state is that part; any other
  /// becomes a carry that no step reads.
  private func carryingOutputs(
    _ body: Graph, _ captured: [Tensor], _ carry: [Tensor], _ elements: [Tensor], _ length: Int
  ) -> ([Tensor], [Tensor]) {
    let states = Array(body.outputs[..<carry.count])
    var added: [Value] = []
    let places = body.outputs[carry.count...].map { output in
      if let place = (states + added).firstIndex(of: output) { return place }
      added.append(output)
      return carry.count + added.count - 1
    }
    var nodes = body.nodes
    let entering = added.map { output in
      nodes.append(
        Node(
          operation: Input(type: body.type(of: output), name: ""), operands: [], results: [body.type(of: output)],
          path: []))
      return Value(nodes.count - 1)
    }
    var inputs = body.inputs
    inputs.insert(contentsOf: entering, at: captured.count + carry.count)
    let scan = Scan(
      body: LoopBody(Graph(nodes: nodes, inputs: inputs, outputs: states + added)), captureCount: captured.count,
      carryCount: carry.count + added.count, length: length, isReversed: isReversed, isAdjoint: false)
    let zeros = added.map { Tensor.zeros(body.type(of: $0).shape, elementType: body.type(of: $0).elementType) }
    let results = scan.apply(captured + carry + zeros + elements)
    return (Array(results[..<carry.count]), places.map { results[$0] })
  }

  /// Whether the state leaves the step as it entered; reports every part that does not.
  private func keepsTypes(_ carry: [Tensor], _ next: [Tensor]) -> Bool {
    let changes = zip(carryPaths, zip(carry, next)).compactMap { path, types in
      types.0.type == types.1.type
        ? nil : "\(path.isEmpty ? "the state" : "'\(path)'") enters as \(types.0.type) and leaves as \(types.1.type)"
    }
    if changes.isEmpty && carry.count == next.count { return true }
    TensorError(
      operation: "scan",
      problem: changes.isEmpty
        ? "a state of \(carry.count) tensors leaves as one of \(next.count)" : changes.joined(separator: ", "),
      expected: "a state of the types that it starts with"
    ).report()
    return false
  }
}
