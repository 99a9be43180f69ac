/// A finished tape with named inputs and outputs: a program as a value.
///
/// A graph is closed, typed and immutable, and every operand comes before its use. It prints, runs, can be called on
/// tensors that are being recorded themselves, and is what compiler passes read and write.
public struct Graph: Sendable {
  package let nodes: [Node]
  /// The nodes that are inputs, in the order of the arguments.
  package let inputs: [Value]
  package let outputs: [Value]

  package init(nodes: [Node], inputs: [Value], outputs: [Value]) {
    self.nodes = nodes
    self.inputs = inputs
    self.outputs = outputs
  }

  /// The types of the inputs.
  public var inputTypes: [TensorType] { inputs.map(type(of:)) }

  /// The types of the outputs.
  public var outputTypes: [TensorType] { outputs.map(type(of:)) }

  package func type(of value: Value) -> TensorType { nodes[Int(value.node)].results[Int(value.result)] }

  /// Records what `body` does with tensors of the given types.
  ///
  /// - Parameters:
  ///   - types: The types of the arguments.
  ///   - body: The program; it is called once, with tensors that have types but no values.
  /// - Throws: ``TensorError`` if an operation in `body` has operands that do not fit.
  public init(tracing types: [TensorType], _ body: ([Tensor]) throws -> [Tensor]) throws {
    self = try Recording.throwingErrors {
      let tape = Tape(.staged)
      defer { tape.close() }
      let inputs = types.map { tape.input($0) }
      let outputs = try Recording.$tape.withValue(tape) { try body(inputs) }
      return tape.graph(inputs: inputs.map(tape.value(of:)), outputs: outputs.map(tape.value(of:)))
    }
  }

  /// Runs the graph: on tensors with values at once, on recorded ones by recording its operations.
  ///
  /// - Parameter arguments: One tensor for each input, of its type.
  /// - Returns: The outputs.
  public func callAsFunction(_ arguments: [Tensor]) -> [Tensor] {
    precondition(arguments.map(\.type) == inputTypes, "a graph is called with arguments of the types it was traced for")
    var interpreter = Interpreter(self)
    return interpreter.run(arguments)
  }
}

extension Graph: Hashable {
  /// Whether both are the same program, node for node.
  public static func == (left: Graph, right: Graph) -> Bool {
    left.inputs == right.inputs && left.outputs == right.outputs && left.nodes.count == right.nodes.count
      && zip(left.nodes, right.nodes).allSatisfy {
        $0.operands == $1.operands && $0.results == $1.results && $0.operation.isEqual(to: $1.operation)
      }
  }

  /// Hashes the shape of the program.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(inputs)
    hasher.combine(outputs)
    for node in nodes {
      hasher.combine(node.operation.name)
      hasher.combine(node.operands)
    }
  }
}

extension Tape {
  /// What has been recorded so far, as a graph without the nodes that its outputs do not need.
  func graph(inputs: [Value], outputs: [Value]) -> Graph {
    Graph(nodes: state.withLock { $0.nodes }, inputs: inputs, outputs: outputs).withoutDeadCode()
  }
}

/// Applies the operations of a graph one by one; the recording rule decides whether they run or are recorded.
struct Interpreter {
  private let graph: Graph
  private var values: [[Tensor]]

  init(_ graph: Graph) {
    self.graph = graph
    values = Array(repeating: [], count: graph.nodes.count)
  }

  /// The tensor that a value of the graph has become.
  subscript(value: Value) -> Tensor { values[Int(value.node)][Int(value.result)] }

  mutating func run(_ arguments: [Tensor]) -> [Tensor] {
    for (input, argument) in zip(graph.inputs, arguments) { values[Int(input.node)] = [argument] }
    for (index, node) in graph.nodes.enumerated() where !(node.operation is Input) {
      let operands = node.operands.map { self[$0] }
      values[index] =
        node.path.isEmpty
        ? node.operation.apply(operands) : Recording.$path.withValue(node.path) { node.operation.apply(operands) }
    }
    return graph.outputs.map { self[$0] }
  }
}
