/// What a staged function was recorded for: its graph serves calls with an equal signature.
struct StagedSignature: Hashable {
  var types: [TensorType] = []
  var paths: [String] = []
  /// Which of the tensors carry a mask: the masks follow them, as inputs of their own.
  var isMasked: [Bool] = []
  var defaultElementType = ElementType.default
  var isTraining = false
}

/// The tensors of the arguments of a call, masks included. Its arrays are filled again for every call.
struct StagedArguments {
  private(set) var signature = StagedSignature()
  private(set) var tensors: [Tensor] = []

  mutating func read<each Input: TensorStructure>(_ arguments: repeat each Input) {
    signature.types.removeAll(keepingCapacity: true)
    signature.paths.removeAll(keepingCapacity: true)
    signature.isMasked.removeAll(keepingCapacity: true)
    tensors.removeAll(keepingCapacity: true)
    signature.defaultElementType = .default
    signature.isTraining = Recording.isTraining
    for argument in repeat each arguments {
      var argument = argument
      argument.visitTensors { path, tensor in
        signature.paths.append(path)
        signature.isMasked.append(tensor.stepMask != nil)
        tensors.append(tensor)
      }
    }
    for index in signature.isMasked.indices where signature.isMasked[index] { tensors.append(tensors[index].mask!) }
    for index in tensors.indices {
      tensors[index] = tensors[index].detached
      signature.types.append(tensors[index].type)
    }
  }

  /// Lets go of the tensors, but not of the memory of the list.
  mutating func clear() { tensors.removeAll(keepingCapacity: true) }
}

/// A recorded function, ready to run.
final class StagedProgram {
  let signature: StagedSignature
  let graph: Graph
  private let executable: Executable
  private let reads: [Read]
  private let assigns: [Assignment]
  /// The number of outputs that are no variables.
  private let outputCount: Int
  /// Kept between runs for their memory only.
  private var arguments: [Storage] = []
  private var results: [Storage] = []
  private let placeholder = Storage(TensorType([0]))

  /// A variable that is read, and the input that it is.
  private struct Read {
    let variable: Variable
    let input: Int
    let type: TensorType
    /// Whether it is assigned too, so that its value can be written over.
    let isTaken: Bool
  }

  /// A variable that is assigned.
  private struct Assignment {
    let variable: Variable
    let isTaken: Bool
  }

  /// - Parameters:
  ///   - signature: What it was recorded for.
  ///   - graph: The optimised graph. Its last inputs are the variables that are read, its last outputs those that are
  ///     assigned.
  ///   - reads: The variables that are read.
  ///   - assigns: The variables that are assigned.
  init(_ signature: StagedSignature, _ graph: Graph, reads: [Variable], assigns: [Variable]) {
    self.signature = signature
    self.graph = graph
    let firstRead = graph.inputs.count - reads.count
    let firstAssigned = graph.outputs.count - assigns.count
    outputCount = firstAssigned
    let inputs = Dictionary(uniqueKeysWithValues: reads.enumerated().map { (ObjectIdentifier($1), firstRead + $0) })
    var successors: [Int: Int] = [:]
    for (index, variable) in assigns.enumerated() {
      successors[firstAssigned + index] = inputs[ObjectIdentifier(variable)]
    }
    executable = Executable(graph, successors: successors)
    let taken = Set(successors.values)
    let unordered = reads.enumerated().map { index, variable in
      let input = firstRead + index
      return Read(
        variable: variable, input: input, type: graph.type(of: graph.inputs[input]), isTaken: taken.contains(input))
    }
    // All programs go through variables in one order, so that no two wait for each other.
    self.reads = unordered.sorted { ObjectIdentifier($0.variable) < ObjectIdentifier($1.variable) }
    self.assigns = assigns.map { Assignment(variable: $0, isTaken: inputs[ObjectIdentifier($0)] != nil) }
  }

  /// Whether the variables still have the types that were recorded.
  var hasFittingVariables: Bool { reads.allSatisfy { $0.variable.concrete.type == $0.type } }

  /// Runs the program and assigns the variables.
  ///
  /// - Parameters:
  ///   - tensors: The arguments of the function, with their masks.
  ///   - output: A result of the function, whose tensors are exchanged for those of this run.
  func run<Output: TensorStructure>(_ tensors: [Tensor], into output: inout Output) {
    for tensor in tensors { arguments.append(tensor.storage!) }
    for _ in reads.indices { arguments.append(placeholder) }
    for read in reads {
      arguments[read.input] = (read.isTaken ? read.variable.take() : read.variable.concrete).storage!
    }
    executable.run(&arguments, into: &results)
    arguments.removeAll(keepingCapacity: true)
    for index in assigns.indices {
      let value = Tensor(results[outputCount + index])
      let variable = assigns[index].variable
      if assigns[index].isTaken { variable.giveBack(value) } else { variable.concrete = value }
    }
    var next = 0
    output.visitTensors { _, tensor in
      tensor = Tensor(results[next])
      next += 1
    }
    results.removeAll(keepingCapacity: true)
  }
}
