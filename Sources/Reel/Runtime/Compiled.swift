import Synchronization

/// Stages a function: records it once for each combination of argument types, optimises the graph and replays it.
///
/// The function is called again only for arguments of new types. Variables that it reads become inputs of the graph, and
/// variables that it assigns outputs, so that a whole training step with its update is one graph. Whatever else it reads
/// or prints happens when it is recorded. Called where a tape is open, it is recorded as if it were not compiled.
///
///     let step = compiled { (x: Tensor) in tanh(x) * 2 }
///     let y = try step([0.5, 1])
///
/// - Parameter function: A function of tensors or structures of tensors.
/// - Returns: A callable with the same arguments, which throws the ``TensorError`` of an operation whose operands do not
///   fit before anything is computed or assigned.
public func compiled<each Input: TensorStructure, Output: TensorStructure>(
  _ function: @escaping (repeat each Input) -> Output
) -> Compiled<Output, repeat each Input> {
  Compiled(function)
}

/// A staged function; see ``compiled(_:)``.
public final class Compiled<Output: TensorStructure, each Input: TensorStructure> {
  private struct Signature: Hashable {
    let types: [TensorType]
    let paths: [String]
    let defaultElementType: ElementType
  }

  private struct Program {
    let graph: Graph
    let executable: Executable
    let reads: [Variable]
    let assigns: [Variable]
    let output: Output
  }

  private let function: (repeat each Input) -> Output
  private var programs: [Signature: Program] = [:]

  init(_ function: @escaping (repeat each Input) -> Output) {
    self.function = function
  }

  /// Runs the staged function.
  ///
  /// - Parameter arguments: The arguments of the function.
  /// - Returns: Its result.
  /// - Throws: ``TensorError`` if operands in it do not fit; nothing is computed or assigned then.
  public func callAsFunction(_ arguments: repeat each Input) throws -> Output {
    guard Recording.tape == nil else {
      return try Recording.throwingErrors { function(repeat each arguments) }
    }
    var tensors: [Tensor] = []
    var paths: [String] = []
    for argument in repeat each arguments {
      tensors += argument.tensors.map(\.detached)
      paths += argument.tensorPaths
    }
    let program = try program(for: tensors, paths, repeat each arguments)
    let results = program.executable.run(
      tensors.map { $0.storage! } + program.reads.map { $0.concrete.storage! }
    ).map(Tensor.init)
    let outputs = Array(results.dropLast(program.assigns.count))
    for (variable, value) in zip(program.assigns, results.dropFirst(outputs.count)) { variable.concrete = value }
    return program.output.replacingTensors(outputs)
  }

  /// The optimised graph that runs for some arguments.
  ///
  /// - Throws: ``TensorError`` if operands in the function do not fit.
  public func graph(for arguments: repeat each Input) throws -> Graph {
    var tensors: [Tensor] = []
    var paths: [String] = []
    for argument in repeat each arguments {
      tensors += argument.tensors.map(\.detached)
      paths += argument.tensorPaths
    }
    return try program(for: tensors, paths, repeat each arguments).graph
  }

  private func program(
    for tensors: [Tensor], _ paths: [String], _ arguments: repeat each Input
  ) throws -> Program {
    let signature = Signature(types: tensors.map(\.type), paths: paths, defaultElementType: .default)
    if let program = programs[signature],
      zip(program.reads, program.graph.inputTypes.suffix(program.reads.count))
        .allSatisfy({ $0.concrete.type == $1 })
    {
      return program
    }
    let program = try record(tensors.map(\.type), repeat each arguments)
    programs[signature] = program
    return program
  }

  private func record(_ types: [TensorType], _ arguments: repeat each Input) throws -> Program {
    let tape = Tape(.staged)
    defer { tape.close() }
    let inputs = types.map { tape.input($0) }
    let output = try Recording.throwingErrors {
      Recording.$tape.withValue(tape) {
        var rest = inputs[...]
        return function(repeat (each arguments).replacingTensors(from: &rest))
      }
    }
    let bindings = tape.state.withLock { $0.variables }
    let reads = bindings.filter { $0.input != nil }
    let assigns = bindings.filter(\.isAssigned)
    let graph = tape.graph(
      inputs: (inputs + reads.map { $0.input! }).map(tape.value(of:)),
      outputs: (output.tensors + assigns.map(\.current)).map(tape.value(of:))
    ).applying(Pass.pipeline)
    return Program(
      graph: graph, executable: Executable(graph), reads: reads.map(\.variable), assigns: assigns.map(\.variable),
      output: output.mapTensors { Tensor.zeros([0], elementType: $0.elementType) })
  }
}
