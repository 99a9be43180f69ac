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
    /// Which of the tensors carry a mask: the masks follow them, as inputs of their own.
    let isMasked: [Bool]
    let defaultElementType: ElementType
    let isTraining: Bool
  }

  /// The tensors of the arguments, masks included.
  private struct Arguments {
    let signature: Signature
    let tensors: [Tensor]

    init(_ arguments: repeat each Input) {
      var tensors: [Tensor] = []
      var paths: [String] = []
      for argument in repeat each arguments {
        tensors += argument.tensors
        paths += argument.tensorPaths
      }
      let masks = tensors.map(\.mask)
      self.tensors = (tensors + masks.compactMap(\.self)).map(\.detached)
      signature = Signature(
        types: self.tensors.map(\.type), paths: paths, isMasked: masks.map { $0 != nil }, defaultElementType: .default,
        isTraining: Recording.isTraining)
    }
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
    let flat = Arguments(repeat each arguments)
    let program = try program(for: flat.signature, repeat each arguments)
    let results = program.executable.run(
      flat.tensors.map { $0.storage! } + program.reads.map { $0.concrete.storage! }
    ).map(Tensor.init)
    let outputs = Array(results.dropLast(program.assigns.count))
    for (variable, value) in zip(program.assigns, results.dropFirst(outputs.count)) { variable.concrete = value }
    return program.output.replacingTensors(outputs)
  }

  /// The optimised graph that runs for some arguments.
  ///
  /// - Throws: ``TensorError`` if operands in the function do not fit.
  public func graph(for arguments: repeat each Input) throws -> Graph {
    try program(for: Arguments(repeat each arguments).signature, repeat each arguments).graph
  }

  private func program(for signature: Signature, _ arguments: repeat each Input) throws -> Program {
    if let program = programs[signature],
      zip(program.reads, program.graph.inputTypes.suffix(program.reads.count))
        .allSatisfy({ $0.concrete.type == $1 })
    {
      return program
    }
    let program = try record(signature, repeat each arguments)
    programs[signature] = program
    return program
  }

  private func record(_ signature: Signature, _ arguments: repeat each Input) throws -> Program {
    let tape = Tape(.staged)
    defer { tape.close() }
    let inputs = signature.types.map { tape.input($0) }
    var masks = inputs[signature.isMasked.count...]
    let tensors = zip(inputs, signature.isMasked).map { $1 ? $0.withMask(masks.removeFirst()) : $0 }
    let output = try Recording.throwingErrors {
      Recording.$tape.withValue(tape) {
        var rest = tensors[...]
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
