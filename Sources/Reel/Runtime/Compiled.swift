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
  /// A program, and a result of the function that takes its tensors.
  private typealias Recorded = (program: StagedProgram, output: Output)

  private let function: (repeat each Input) -> Output
  private var programs: [StagedSignature: Recorded] = [:]
  /// The program of the last call: most calls are like the one before.
  private var last: Recorded?
  /// The arguments of the last call, kept for their memory.
  private var arguments = StagedArguments()

  init(_ function: @escaping (repeat each Input) -> Output) {
    self.function = function
  }

  /// Runs the staged function.
  ///
  /// Once a program is warm, a call allocates no memory as long as the caller has let go of earlier results. What the
  /// argument and result types themselves are made of is theirs: an array of tensors is a new array.
  ///
  /// - Parameter arguments: The arguments of the function.
  /// - Returns: Its result.
  /// - Throws: ``TensorError`` if operands in it do not fit; nothing is computed or assigned then.
  public func callAsFunction(_ arguments: repeat each Input) throws -> Output {
    guard Recording.tape == nil else {
      return try Recording.throwingErrors { function(repeat each arguments) }
    }
    var flat = StagedArguments()
    swap(&flat, &self.arguments)
    defer {
      flat.clear()
      self.arguments = flat
    }
    flat.read(repeat each arguments)
    var (program, output) = try program(for: flat.signature, repeat each arguments)
    program.run(flat.tensors, into: &output)
    return output
  }

  /// The optimised graph that runs for some arguments.
  ///
  /// - Throws: ``TensorError`` if operands in the function do not fit.
  public func graph(for arguments: repeat each Input) throws -> Graph {
    var flat = StagedArguments()
    flat.read(repeat each arguments)
    return try program(for: flat.signature, repeat each arguments).program.graph
  }

  private func program(
    for signature: StagedSignature, _ arguments: repeat each Input
  ) throws -> Recorded {
    if let last, last.program.signature == signature, last.program.hasFittingVariables { return last }
    if let known = programs[signature], known.program.hasFittingVariables {
      last = known
      return known
    }
    let program = try record(signature, repeat each arguments)
    programs[signature] = program
    last = program
    return program
  }

  private func record(_ signature: StagedSignature, _ arguments: repeat each Input) throws -> Recorded {
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
    let program = StagedProgram(signature, graph, reads: reads.map(\.variable), assigns: assigns.map(\.variable))
    return (program, output.mapTensors { Tensor.zeros([0], elementType: $0.elementType) })
  }
}
