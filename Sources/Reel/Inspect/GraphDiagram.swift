/// What is shown of a graph, whatever it is drawn with: a box for each operation, argument and result, bodies in their loops.
struct GraphDiagram {
  /// What a box stands for, which is its colour.
  enum Role: String {
    /// An argument, a constant, a result.
    case given
    /// An operation of the program as it was written.
    case forward
    /// An operation that a reverse sweep recorded.
    case reverse
  }

  struct Box {
    let role: Role
    /// The operation.
    let name: String
    /// Attributes, shortened.
    let detail: String
    /// The types of the results.
    let type: String
    /// All of it in words: the whole attributes and the layers.
    let hint: String
    /// The bodies of a loop.
    let bodies: [GraphDiagram]
    /// Whether the box belongs right above what uses it.
    let isSource: Bool
  }

  private(set) var boxes: [Box] = []
  /// From box to box, the first with the smaller index; each pair once.
  private(set) var edges: [(from: Int, to: Int)] = []
  /// The boxes of the inputs and of the outputs, in order.
  private(set) var inputs: [Int] = []
  private(set) var outputs: [Int] = []

  /// - Parameters:
  ///   - graph: The graph.
  ///   - names: What its inputs are called, where they have no name of their own.
  ///   - results: What its outputs are called.
  init(_ graph: Graph, names: [String]? = nil, results: [String]? = nil) {
    var places: [Int32: Int] = [:]
    for (index, input) in graph.inputs.enumerated() {
      let label = graph.nodes[Int(input.node)].operation.attributes
      places[input.node] = boxes.count
      inputs.append(boxes.count)
      append(.given, label.isEmpty ? names?[index] ?? "input \(index)" : label, graph.type(of: input))
    }
    for (index, node) in graph.nodes.enumerated() where !(node.operation is Input) {
      places[Int32(index)] = boxes.count
      boxes.append(Self.box(node))
      connect(node.operands.compactMap { places[$0.node] }, to: boxes.count - 1)
    }
    for (index, output) in graph.outputs.enumerated() {
      append(.given, results?[index] ?? "output \(index)", graph.type(of: output))
      outputs.append(boxes.count - 1)
      connect([places[output.node]!], to: boxes.count - 1)
    }
  }

  private mutating func append(_ role: Role, _ name: String, _ type: TensorType) {
    boxes.append(
      Box(
        role: role, name: name, detail: "", type: type.description, hint: "\(name): \(type)", bodies: [],
        isSource: true))
  }

  private mutating func connect(_ sources: [Int], to target: Int) {
    var known: Set<Int> = []
    for source in sources where known.insert(source).inserted { edges.append((source, target)) }
  }

  private static func box(_ node: Node) -> Box {
    let operation = node.operation
    let attributes = operation.attributes
    let types = node.results.map(\.description)
    var hint = "\(operation.name): \(types.joined(separator: ", "))"
    if !attributes.isEmpty { hint += "\n\(attributes.prefix(400))" }
    if !node.path.isEmpty { hint += "\nin \(node.path.joined(separator: "."))" }
    let isConstant = operation.constant != nil
    let shown = types.prefix(3).joined(separator: " ") + (types.count > 3 ? " and \(types.count - 3) more" : "")
    return Box(
      role: isConstant ? .given : node.isReverse ? .reverse : .forward, name: operation.name, detail: attributes,
      type: shown, hint: hint, bodies: bodies(of: operation), isSource: isConstant)
  }

  private static func bodies(of operation: any Operation) -> [GraphDiagram] {
    if let scan = operation as? Scan {
      let names =
        scan.captures.map { "captured \($0)" } + scan.carries.map { "carry \($0 - scan.captureCount)" }
        + scan.sequences.map { "element \($0 - scan.sequences.lowerBound)" }
      let results = scan.body.graph.outputs.indices.map {
        $0 < scan.carryCount ? "carry \($0)" : "slice \($0 - scan.carryCount)"
      }
      return [GraphDiagram(scan.body.graph, names: names, results: results)]
    }
    return ((operation as? any OperationWithBodies)?.bodies ?? []).map { GraphDiagram($0) }
  }
}

extension Node {
  /// Whether a reverse sweep recorded the operation.
  package var isReverse: Bool {
    path.contains(Recording.reverseMark) || (operation as? Scan)?.isAdjoint == true
      || operation.isEqual(to: Elementwise.accumulate)
  }
}
