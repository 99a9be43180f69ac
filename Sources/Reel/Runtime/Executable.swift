import Synchronization
internal import ReelKernels

/// A graph made ready to run: a flat list of instructions with every buffer planned ahead.
///
/// After the first run a run allocates no tensor memory: its own values lie in a workspace that is kept, and results are
/// written into storages of earlier runs that nobody holds any more.
package final class Executable: Sendable {
  private let instructions: [Instruction]
  private let memory: MemoryPlan.Assignment
  private let scratchByteCount: Int
  private let inputBases: [Int]
  private let outputs: [Output]
  private let workspaces = Mutex<[Workspace]>([])
  private let keepsWorkspace: Bool

  /// Where an output comes from.
  private enum Output: Sendable {
    /// Written by the program at a base of its own.
    case written(base: Int, TensorType)
    /// Copied after the run from where the program has it.
    case copied(View)
    /// An argument as it is.
    case argument(Int)
    /// A constant.
    case constant(Storage)
  }

  /// - Parameters:
  ///   - graph: The graph.
  ///   - keepsWorkspace: Whether the memory of a run is kept for the next one; true by default.
  package init(_ graph: Graph, keepsWorkspace: Bool = true) {
    self.keepsWorkspace = keepsWorkspace
    var lowering = Lowering()
    let inputs = graph.inputTypes.map { lowering.external($0) }
    var wanted: [Value: View] = [:]
    for output in Set(graph.outputs) where lowering.canPlace(output, graph) {
      wanted[output] = lowering.external(graph.type(of: output))
    }
    let found = lowering.lower(graph, inputs: inputs, wanted: wanted)
    var written: Set<Value> = []
    outputs = zip(graph.outputs, found).map { value, view in
      if let place = wanted[value], place == view, written.insert(value).inserted {
        return .written(base: view.base, view.type)
      }
      if let argument = inputs.firstIndex(of: view) { return .argument(argument) }
      if let constant = graph.nodes[Int(value.node)].operation.constant { return .constant(constant) }
      lowering.keep(view)
      return .copied(view)
    }
    inputBases = inputs.map(\.base)
    instructions = lowering.instructions
    memory = lowering.memory.assigned()
    scratchByteCount = (lowering.scratchByteCount + 63) / 64 * 64
  }

  /// Runs the program.
  ///
  /// - Parameter arguments: The elements of each input.
  /// - Returns: The elements of each output.
  package func run(_ arguments: [Storage]) -> [Storage] {
    let workspace =
      workspaces.withLock { $0.popLast() }
      ?? Workspace(memory, scratchByteCount: scratchByteCount, outputCount: outputs.count)
    defer { if keepsWorkspace { workspaces.withLock { $0.append(workspace) } } }
    for (base, argument) in zip(inputBases, arguments) { workspace.bases[base] = argument.base }
    var results: [Storage?] = outputs.enumerated().map { index, output in
      guard case .written(let base, let type) = output else { return nil }
      let result = workspace.storage(for: index, type)
      workspace.bases[base] = result.base
      return result
    }
    workspace.executor.run(instructions)
    for (index, output) in outputs.enumerated() {
      switch output {
      case .written: break
      case .argument(let argument): results[index] = arguments[argument]
      case .constant(let storage): results[index] = storage
      case .copied(let view):
        let result = workspace.storage(for: index, view.type)
        Kernels.copy(view, at: workspace.bases[view.base] + view.byteOffset, into: result)
        results[index] = result
      }
    }
    return results.map { $0! }
  }
}

/// The memory that one run of a program works in.
private final class Workspace: @unchecked Sendable {
  private let arena: Buffer
  private let scratch: [Buffer]
  private let tables: [UnsafeMutableBufferPointer<UnsafeMutableRawPointer>]
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
  }

  deinit {
    for table in tables { table.deallocate() }
  }

  var executor: Executor {
    Executor(
      bases: bases, scratch: scratch[0].base, rows: nil,
      team: Executor.Team(
        scratch: scratch.map(\.base), bases: tables.map { $0.baseAddress! }, baseCount: tables[0].count))
  }

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
