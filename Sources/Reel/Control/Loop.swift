/// The loop behind ``scan(over:from:reverse:unroll:checkpointEvery:memory:_:)``, on lists of tensors.
struct Loop {
  typealias Step = (_ state: [Tensor], _ element: [Tensor]) -> (state: [Tensor], output: [Tensor])

  let carryPaths: [String]
  let isReversed: Bool
  let memory: LoopMemory
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
    // The types of the outputs of an empty loop are only known from its body.
    if length == 0 { return symbolic(elements, from: carry, length, step) }
    return memory == .unlimited
      ? laidOut(elements, from: carry, length, unroll) : checkpointed(elements, from: carry, length, unroll)
  }

  /// The loop as it is laid out, with everything kept.
  func laidOut(
    _ elements: [Tensor], from carry: [Tensor], _ length: Int, _ unroll: Unroll
  ) -> ([Tensor], [Tensor]) {
    let block = unroll.blockLength(of: length)
    if block == 1 && unroll != .full { return symbolic(elements, from: carry, length, step) }
    if block == length { return unrolled(elements, from: carry, length, step) }
    return blocked(elements, from: carry, length, block, isUnrolled: false) { carry, elements, length, _ in
      unrolled(elements, from: carry, length, step)
    }
  }

  /// The order in which the steps of a sequence are taken.
  private func times(_ length: Int) -> [Int] { isReversed ? (0..<length).reversed() : Array(0..<length) }

  private func unrolled(
    _ elements: [Tensor], from carry: [Tensor], _ length: Int, _ step: Step
  ) -> ([Tensor], [Tensor]) {
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

  /// A loop over whole blocks of steps, then the steps that are left over.
  ///
  /// - Parameters:
  ///   - isUnrolled: Whether the loop over the blocks is unrolled.
  ///   - part: Takes so many steps; `isRest` says that they are those left over.
  func blocked(
    _ elements: [Tensor], from carry: [Tensor], _ length: Int, _ block: Int, isUnrolled: Bool,
    _ part: (_ carry: [Tensor], _ elements: [Tensor], _ length: Int, _ isRest: Bool) -> ([Tensor], [Tensor])
  ) -> ([Tensor], [Tensor]) {
    let count = length / block
    let rest = length - count * block
    let blocksStart = isReversed ? rest : 0
    let restStart = isReversed ? 0 : count * block
    let blocks = elements.map { element in
      element[blocksStart..<blocksStart + count * block]
        .reshaped(to: element.shape.replacing(0, with: block).inserting(count, at: 0))
    }
    let step: Step = { part($0, $1, block, false) }
    let (middle, stacks) =
      isUnrolled ? unrolled(blocks, from: carry, count, step) : symbolic(blocks, from: carry, count, step)
    if rest == 0 && keepsLastOnly { return (middle, stacks) }
    let ends = rest == 0 ? nil : part(middle, elements.map { $0[restStart..<restStart + rest] }, rest, true)
    if keepsLastOnly { return ends! }
    let joined = stacks.map { $0.reshaped(to: $0.shape.removing(0).replacing(0, with: count * block)) }
    guard let ends else { return (middle, joined) }
    return (ends.0, zip(joined, ends.1).map { concatenated(isReversed ? [$1, $0] : [$0, $1]) })
  }

  private func symbolic(
    _ elements: [Tensor], from carry: [Tensor], _ length: Int, _ step: Step
  ) -> ([Tensor], [Tensor]) {
    let (body, captured, outputCount, hasFailed) = recorded(elements, from: carry, step)
    if hasFailed { return (carry, Array(repeating: .placeholder(like: carry.first), count: outputCount)) }
    if keepsLastOnly { return carryingOutputs(body, captured, carry, elements, length) }
    let results = scan(body, captured, carry, length).apply(captured + carry + elements)
    return (Array(results[..<carry.count]), Array(results[carry.count..<carry.count + outputCount]))
  }

  /// The program of a step.
  func recorded(
    _ elements: [Tensor], from carry: [Tensor], _ step: Step
  ) -> (body: Graph, captured: [Tensor], outputCount: Int, hasFailed: Bool) {
    let elementTypes = elements.map { TensorType($0.shape.removing(0), $0.elementType) }
    var hasFailed = false
    var outputCount = 0
    let (body, captured) = Tape.loopBody(carry.map(\.type) + elementTypes) { inputs in
      let (next, output) = step(Array(inputs[..<carry.count]), Array(inputs[carry.count...]))
      outputCount = output.count
      hasFailed = !keepsTypes(carry, next)
      return next + output
    }
    return (body, captured, outputCount, hasFailed || Recording.boundary?.hasFailed == true)
  }

  /// The operation of a loop.
  func scan(_ body: Graph, _ captured: [Tensor], _ carry: [Tensor], _ length: Int) -> Scan {
    Scan(
      body: LoopBody(body), captureCount: captured.count, carryCount: carry.count, length: length,
      isReversed: isReversed, isAdjoint: false)
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
    CarryTypes(operation: "scan", paths: carryPaths).areKept(carry, next)
  }
}
