/// What a reverse loop keeps of the forward one: the cheapest set of values, in bytes, from which the reverse body can
/// compute the rest without repeating expensive work.
///
/// The forward part of the joint body is a flow network: every value is an edge of its bytes, and dependence carries the
/// flow. What may not be computed twice (carries that enter, products, reductions, transcendental functions, loops) is
/// fed by the source, what the reverse body reads flows to the sink, and a minimum cut is the set of residuals. Captured
/// values, elements of the sequences and constants are there in reverse anyway; they carry no flow.
struct ResidualCut {
  /// The values to stack, in the order of the tape.
  let residuals: [Value]

  init(_ joint: JointBody) {
    let nodes = joint.nodes
    let isReverse = nodes.dependents(on: joint.carryCotangents + joint.stackCotangents + joint.sums)
    let isNeeded = nodes.ancestors(of: joint.reverseOutputs)
    let isFree = Self.freeNodes(joint, isReverse)
    let kept = Set(joint.outputs[joint.scan.carryCount...])

    var network = FlowNetwork()
    let source = network.addVertex()
    let sink = network.addVertex()
    var vertices: [Value: (in: Int, out: Int)] = [:]
    for (index, node) in nodes.enumerated() where !isReverse[index] && !isFree[index] {
      let mustNotRepeat = node.operation is Input || !node.operation.isCheap
      for result in node.results.indices {
        let value = Value(index, result)
        let vertex = (in: network.addVertex(), out: network.addVertex())
        vertices[value] = vertex
        network.connect(vertex.in, vertex.out, capacity: kept.contains(value) ? 0 : node.results[result].byteCount)
        if mustNotRepeat { network.connect(source, vertex.in, capacity: .max) }
        for operand in node.operands {
          if let from = vertices[operand] { network.connect(from.out, vertex.in, capacity: .max) }
        }
      }
    }
    var read = Set(joint.reverseOutputs)
    for (index, node) in nodes.enumerated() where isReverse[index] && isNeeded[index] { read.formUnion(node.operands) }
    for value in read {
      if let vertex = vertices[value] { network.connect(vertex.out, sink, capacity: .max) }
    }

    let reachesSink = network.verticesReachingSink(from: source, to: sink)
    residuals = vertices.filter { !reachesSink[$0.value.in] && reachesSink[$0.value.out] }.map(\.key)
      .sorted { ($0.node, $0.result) < ($1.node, $1.result) }
  }

  /// What the reverse body has without a residual: inputs that are no carries, and what depends on captured values and
  /// constants alone.
  private static func freeNodes(_ joint: JointBody, _ isReverse: [Bool]) -> [Bool] {
    let captured = Set(joint.inputs[joint.scan.captures].map(\.node))
    let elements = Set(joint.inputs[joint.scan.sequences].map(\.node))
    var isInvariant = [Bool](repeating: false, count: joint.nodes.count)
    for (index, node) in joint.nodes.enumerated() where !isReverse[index] {
      isInvariant[index] =
        node.operation is Input
        ? captured.contains(Int32(index)) : node.operands.allSatisfy { isInvariant[Int($0.node)] }
    }
    return joint.nodes.indices.map { isInvariant[$0] || elements.contains(Int32($0)) }
  }
}
