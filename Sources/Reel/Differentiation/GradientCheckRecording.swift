/// What a program did at a point, operation by operation.
struct RecordedProgram {
  let nodes: [Node]
  /// The values of the results of each node.
  let values: [[Tensor]]
  /// Whether each node depends on the point.
  let isReached: [Bool]
  /// The floating-point results of the program.
  let outputs: [Value]

  private init(_ nodes: [Node], _ values: [[Tensor]], from inputs: [Value], to outputs: [Value]) {
    (self.nodes, self.values) = (nodes, values)
    self.outputs = outputs.filter { nodes[Int($0.node)].results[Int($0.result)].elementType.isFloatingPoint }
    isReached = nodes.dependents(on: inputs)
  }

  /// Runs a program on a tape of its own.
  init(_ program: CheckedProgram) throws {
    let differentiation = Differentiation(keepsAllValues: true)
    defer { differentiation.finish() }
    let tape = differentiation.tape
    let leaves = program.point.map(tape.leaf)
    let results = try Recording.throwingErrors { differentiation.run { program.function(leaves).map(\.tensor) } }
    let outputs = results.filter { $0.tape === tape }.map(tape.value(of:))
    let nodes = tape.state.withLock { $0.nodes }
    let values = nodes.enumerated().map { index, node in
      node.results.indices.map { tape.tensor(Value(index, $0)).detached }
    }
    self.init(nodes, values, from: leaves.map(tape.value(of:)), to: outputs)
  }

  /// Runs a graph.
  init(_ graph: Graph, _ arguments: [Tensor]) {
    var interpreter = Interpreter(graph)
    _ = interpreter.run(arguments)
    let values = graph.nodes.enumerated().map { index, node in
      node.results.indices.map { interpreter[Value(index, $0)] }
    }
    self.init(graph.nodes, values, from: graph.inputs, to: graph.outputs)
  }

  /// The operands of a node.
  func operands(of node: Node) -> [Tensor] { node.operands.map { values[Int($0.node)][Int($0.result)] } }

  /// The first operation with a result that is not finite.
  var firstNotFinite: CheckedOperation? {
    let index = nodes.indices.first { index in
      !(nodes[index].operation is Input)
        && values[index].contains { $0.elementType.isFloatingPoint && $0.firstNotFinite != nil }
    }
    return index.map { CheckedOperation(nodes[$0]) }
  }

  /// What rounding makes of the outputs, as the root of the sum of their squared changes: the operations are done once
  /// more with every result a unit in the last place larger or smaller (in the spirit of Vignes, "A stochastic arithmetic
  /// for reliable scientific computation", 1993).
  var roundOff: Double {
    var changed = values
    for (index, node) in nodes.enumerated() where isReached[index] && !(node.operation is Input) {
      let results = node.operation.apply(node.operands.map { changed[Int($0.node)][Int($0.result)] })
      // The signs have to be mixed, or differences would hide what they lose.
      let sign = Double((index &* 0x9E37_79B9) >> 16 & 1) * 2 - 1
      changed[index] = results.map { tensor in
        guard tensor.elementType.isFloatingPoint else { return tensor }
        let unit = tensor.elementType == .float64 ? 0x1p-52 : 0x1p-23
        return tensor * Tensor(1 + sign * unit).converted(to: tensor.elementType)
      }
    }
    let squares = outputs.map { output in
      let (node, result) = (Int(output.node), Int(output.result))
      let change = (changed[node][result] - values[node][result]).converted(to: .float64)
      return (change * change).sum().item
    }
    return squares.reduce(0, +).squareRoot()
  }

  /// Whether the outputs change with the result of a node: the shift that a softmax takes its logits by, for one, makes
  /// no difference, and needs no gradient.
  func outputsChange(with index: Int) throws -> Bool {
    let depends = nodes.dependents(on: [Value(index)])
    let directions = values[index].enumerated().map { result, tensor in
      tensor.elementType.isFloatingPoint ? fixedNormal(tensor, seed: UInt64(result)) : nil
    }
    func value(_ distance: Double) -> Double {
      var moved = values
      moved[index] = zip(values[index], directions).map { tensor, direction in
        direction.map { tensor + $0 * Tensor(distance).converted(to: tensor.elementType) } ?? tensor
      }
      for (later, node) in nodes.enumerated().dropFirst(index + 1) where depends[later] {
        moved[later] = node.operation.apply(node.operands.map { moved[Int($0.node)][Int($0.result)] })
      }
      return weightedOutputs(moved).reduce(0, +)
    }
    let size = weightedOutputs(values).reduce(0) { max($0, abs($1)) }
    var estimate = SlopeEstimate(of: value, center: value(0), noise: size * 0x1p-49, claim: 0, tolerance: 1e-6)
    return try estimate.run(firstStep: 0x1p-10)?.verdict == .wrong
  }

  private func weightedOutputs(_ values: [[Tensor]]) -> [Double] {
    outputs.enumerated().map { index, output in
      let tensor = values[Int(output.node)][Int(output.result)]
      return (tensor * fixedNormal(tensor, seed: UInt64(index) + 2000)).sum().item
    }
  }

  private func fixedNormal(_ tensor: Tensor, seed: UInt64) -> Tensor {
    .randomNormal(tensor.shape, key: RandomKey(seed: seed), elementType: tensor.elementType)
  }
}
