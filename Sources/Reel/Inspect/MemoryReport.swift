extension Graph {
  /// Where the bytes are when the graph runs: what it is given and gives, the memory that its own values share, and what
  /// the forward part keeps for the reverse sweep.
  ///
  /// Ask the graph that runs: `try step.graph(for: x, y).memoryReport()`.
  public func memoryReport() -> MemoryReport { MemoryReport(self) }
}

/// Where the bytes of a graph are; see ``Graph/memoryReport()``.
public struct MemoryReport: Hashable, Sendable {
  /// Memory of one operation in one layer.
  public struct Entry: Hashable, Sendable {
    /// The operation that writes it, as in the text of the graph.
    public let operation: String
    /// The layers that the operation was recorded in, outermost first.
    public let path: [String]
    /// How many values there are.
    public var count: Int
    /// Their bytes.
    public var byteCount: Int
  }

  /// The bytes of the arguments and of the variables that are read.
  public let inputByteCount: Int
  /// The bytes of the results and of the variables that are assigned.
  public let outputByteCount: Int
  /// The bytes of elements that were known when the graph was recorded.
  public let constantByteCount: Int
  /// The bytes of the memory that all other values share: the arena.
  public let arenaByteCount: Int
  /// What the arena would take if values shared no bytes.
  public let unsharedByteCount: Int
  /// What is alive in the arena at the moment when most of it is, the largest first.
  public let peak: [Entry]
  /// What the forward part keeps for the reverse sweep, the largest first. A stack of a loop is named by the operation in
  /// the loop's body that gives its steps, `state` if that is what the step began with.
  public let residuals: [Entry]

  /// The bytes that a run needs at most, with arguments and results.
  public var peakByteCount: Int { inputByteCount + outputByteCount + constantByteCount + arenaByteCount }

  /// The bytes that are kept for the reverse sweep.
  public var residualByteCount: Int { residuals.reduce(0) { $0 + $1.byteCount } }

  init(_ graph: Graph) {
    var lowering = Lowering()
    _ = Executable(graph, keepsWorkspace: false) { lowering = $0 }
    let owned = lowering.memory.owned
    let assigned = lowering.memory.assigned()
    inputByteCount = graph.inputTypes.reduce(0) { $0 + $1.byteCount }
    outputByteCount = graph.outputTypes.reduce(0) { $0 + $1.byteCount }
    constantByteCount = assigned.constants.reduce(0) { $0 + $1.storage.type.byteCount }
    arenaByteCount = assigned.byteCount
    unsharedByteCount = owned.reduce(0) { $0 + $1.byteCount }
    let moment = Self.fullestMoment(owned.map { ($0.first, $0.last, $0.byteCount) })
    peak = Self.merged(
      owned.filter { $0.first <= moment && moment <= $0.last }.map { life in
        let owner = lowering.owners[life.base]
        return Entry(
          operation: owner?.name ?? "states and copies of loops", path: owner?.path ?? [], count: 1,
          byteCount: life.byteCount)
      })
    residuals = Self.merged(Self.residuals(of: graph))
  }

  /// The instruction at which most bytes are alive.
  private static func fullestMoment(_ lives: [(first: Int, last: Int, byteCount: Int)]) -> Int {
    let changes = lives.flatMap { [($0.first, $0.byteCount), ($0.last + 1, -$0.byteCount)] }
    var (alive, most, moment) = (0, 0, 0)
    for (time, change) in changes.sorted(by: { ($0.0, $0.1) < ($1.0, $1.1) }) {
      alive += change
      if alive > most { (most, moment) = (alive, time) }
    }
    return moment
  }

  private static func merged(_ entries: [Entry]) -> [Entry] {
    var found: [[String]: Entry] = [:]
    for entry in entries {
      let key = [entry.operation] + entry.path
      let known = found[key]
      found[key] = Entry(
        operation: entry.operation, path: entry.path, count: entry.count + (known?.count ?? 0),
        byteCount: entry.byteCount + (known?.byteCount ?? 0))
    }
    return found.values.sorted {
      ($1.byteCount, $0.operation, $0.path.joined()) < ($0.byteCount, $1.operation, $1.path.joined())
    }
  }

  /// The values that operations of the forward part compute and operations of the reverse sweep read.
  private static func residuals(of graph: Graph) -> [Entry] {
    var kept: Set<Value> = []
    for node in graph.nodes where node.isReverse {
      for operand in node.operands { kept.formUnion(graph.roots(of: operand)) }
    }
    return kept.compactMap { value in
      let node = graph.nodes[Int(value.node)]
      if node.isReverse || node.operation is Input || node.operation.constant != nil { return nil }
      var source = node
      if let scan = node.operation as? Scan {
        let body = scan.body.graph
        source = body.nodes[Int(body.outputs[Int(value.result)].node)]
      }
      return Entry(
        operation: source.operation is Input ? "state" : source.operation.name,
        path: source.path.isEmpty ? node.path : source.path, count: 1,
        byteCount: graph.type(of: value).byteCount)
    }
  }
}

extension Graph {
  /// The values whose elements a value consists of: itself, or what it is another layout of.
  fileprivate func roots(of value: Value) -> [Value] {
    var found: [Value] = []
    var rest = [value]
    while let value = rest.popLast() {
      let node = nodes[Int(value.node)]
      if node.operation.isLayout || node.operation is Shift || node.operation is Concatenate, !node.isReverse {
        rest += node.operands
      } else {
        found.append(value)
      }
    }
    return found
  }
}

extension MemoryReport: CustomStringConvertible {
  /// The sums, then what is alive when most is, and what is kept for the reverse sweep.
  public var description: String {
    var sums = TextTable(["memory", "bytes"], numbersFrom: 1)
    for (name, count) in [
      ("arguments and variables read", inputByteCount), ("results and variables assigned", outputByteCount),
      ("constants", constantByteCount), ("arena", arenaByteCount), ("arena, if nothing were shared", unsharedByteCount),
      ("kept for the reverse sweep", residualByteCount), ("at most at once, with arguments and results", peakByteCount),
    ] { sums.add([name, TextTable.bytes(count)]) }
    let parts = [("alive in the arena when it is fullest", peak), ("kept for the reverse sweep", residuals)]
    return
      ([sums.text]
      + parts.filter { !$0.1.isEmpty }.map { title, entries in
        var table = TextTable([title, "layer", "values", "bytes"], numbersFrom: 2)
        for entry in entries {
          table.add([
            entry.operation, entry.path.joined(separator: "."), "\(entry.count)", TextTable.bytes(entry.byteCount),
          ])
        }
        return table.text
      }).joined(separator: "\n\n")
  }
}
