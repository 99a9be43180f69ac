import Synchronization
internal import ReelKernels

/// A graph made ready to run: a flat list of instructions with every buffer planned ahead.
///
/// After the first run a run allocates nothing: its own values lie in a workspace that is kept, and results are written
/// into storages of earlier runs that nobody holds any more, or over the arguments whose successors they are.
package final class Executable: Sendable {
  private let instructions: [Instruction]
  private let origins: [RunLog.Origin]
  private let memory: MemoryPlan.Assignment
  private let scratchByteCount: Int
  /// The memory of the program's own values.
  var workspaceByteCount: Int { memory.byteCount }
  private let inputBases: [Int]
  private let outputs: [Output]
  private let workspaces = Mutex<[Workspace]>([])
  private let keepsWorkspace: Bool

  /// Where an output comes from.
  private enum Output: Sendable {
    /// Written by the program at a base of its own: over the elements of an argument if there is one that nobody else holds.
    case written(base: Int, TensorType, over: Int?)
    /// An argument as it is.
    case argument(Int)
    /// A constant.
    case constant(Storage)
  }

  /// - Parameters:
  ///   - graph: The graph.
  ///   - successors: By the index of an output, the input whose next value it is, if the caller has no more use for this
  ///     one: its elements may be written over.
  ///   - keepsWorkspace: Whether the memory of a run is kept for the next one; true by default.
  ///   - inspect: Is shown how the graph was lowered.
  package init(
    _ graph: Graph, successors: [Int: Int] = [:], keepsWorkspace: Bool = true, inspect: ((Lowering) -> Void)? = nil
  ) {
    self.keepsWorkspace = keepsWorkspace
    var lowering = Lowering()
    let inputs = graph.inputTypes.map { lowering.external($0) }
    var wanted: [Value: View] = [:]
    for output in Set(graph.outputs) where lowering.canPlace(output, graph) {
      wanted[output] = lowering.external(graph.type(of: output))
    }
    let found = lowering.lower(graph, inputs: inputs, wanted: wanted)
    var written: Set<Value> = []
    let places: [(output: Output?, view: View)] = zip(graph.outputs, found).map { value, view in
      if let place = wanted[value], place == view, written.insert(value).inserted { return (nil, view) }
      if let argument = inputs.firstIndex(of: view) { return (.argument(argument), view) }
      if let constant = graph.nodes[Int(value.node)].operation.constant { return (.constant(constant), view) }
      let place = lowering.external(view.type)
      lowering.copy(view, into: place)
      return (nil, place)
    }
    let given = Set(places.compactMap { if case .argument(let argument) = $0.output { argument } else { nil } })
    let uses = BaseUses(lowering.instructions)
    outputs = places.enumerated().map { index, place in
      if let output = place.output { return output }
      let previous = successors[index].flatMap { input in
        !given.contains(input) && inputs[input].type == place.view.type
          && uses.canWrite(place.view.base, over: inputs[input].base) ? input : nil
      }
      return .written(base: place.view.base, place.view.type, over: previous)
    }
    inputBases = inputs.map(\.base)
    instructions = lowering.instructions
    origins = lowering.origins.padded(to: instructions.count, for: "result")
    memory = lowering.memory.assigned()
    scratchByteCount = (lowering.scratchByteCount + 63) / 64 * 64
    inspect?(lowering)
  }

  /// Runs the program.
  ///
  /// - Parameter arguments: The elements of each input.
  /// - Returns: The elements of each output.
  package func run(_ arguments: [Storage]) -> [Storage] {
    var (arguments, results) = (arguments, [Storage]())
    run(&arguments, into: &results)
    return results
  }

  /// Runs the program.
  ///
  /// - Parameters:
  ///   - arguments: The elements of each input. Those of an input with a successor are written over if nobody else holds them.
  ///   - results: Takes the elements of each output, behind what it holds.
  package func run(_ arguments: inout [Storage], into results: inout [Storage]) {
    let workspace =
      workspaces.withLock { $0.popLast() }
      ?? Workspace(memory, scratchByteCount: scratchByteCount, outputCount: outputs.count)
    defer { if keepsWorkspace { workspaces.withLock { $0.append(workspace) } } }
    for index in inputBases.indices { workspace.bases[inputBases[index]] = arguments[index].base }
    for index in outputs.indices {
      switch outputs[index] {
      case .argument(let argument): results.append(arguments[argument])
      case .constant(let storage): results.append(storage)
      case .written(let base, let type, let previous):
        if let previous, arguments[previous].isHeldOnce() {
          results.append(arguments[previous])
        } else {
          // What may be written over the next time must be held by its owner alone.
          results.append(previous == nil ? workspace.storage(for: index, type) : Storage(type))
        }
        workspace.bases[base] = results[results.count - 1].base
      }
    }
    workspace.executor.run(instructions, of: origins)
  }
}

/// The memory that one run of a program works in.
private final class Workspace: @unchecked Sendable {
  private let arena: Buffer
  private let scratch: [Buffer]
  private let tables: [UnsafeMutableBufferPointer<UnsafeMutableRawPointer>]
  private let team: Executor.Team
  /// Storages given out for each output, to be used again once nobody else holds them.
  private var given: [[Buffer]]
  let bases: Bases

  init(_ memory: MemoryPlan.Assignment, scratchByteCount: Int, outputCount: Int) {
    let arena = Buffer(byteCount: memory.byteCount)
    self.arena = arena
    let threads = Threads.shared.count
    scratch = (0..<threads).map { _ in Buffer(byteCount: scratchByteCount) }
    let baseCount = memory.offsets.count
    tables = (0..<threads).map { _ in
      let table = UnsafeMutableBufferPointer<UnsafeMutableRawPointer>.allocate(capacity: baseCount)
      table.initialize(repeating: arena.base)
      return table
    }
    given = Array(repeating: [], count: outputCount)
    for (base, offset) in memory.offsets.enumerated() {
      if let offset { tables[0][base] = arena.base + offset }
    }
    for (base, storage) in memory.constants { tables[0][base] = storage.base }
    bases = tables[0].baseAddress!
    team = Executor.Team(
      scratch: scratch.map(\.base), bases: tables.map { $0.baseAddress! }, baseCount: baseCount)
  }

  deinit {
    for table in tables { table.deallocate() }
  }

  var executor: Executor { Executor(bases: bases, scratch: scratch[0].base, rows: nil, team: team, log: RunLog.active) }

  /// A storage for an output: one of an earlier run that is free, or a new one.
  func storage(for output: Int, _ type: TensorType) -> Storage {
    for index in given[output].indices where isKnownUniquelyReferenced(&given[output][index]) {
      return Storage(type, in: given[output][index])
    }
    let storage = Storage(type)
    // More than a few are held by somebody who collects results, and would only be kept alive.
    if given[output].count < 3 { given[output].append(storage.buffer) }
    return storage
  }
}
