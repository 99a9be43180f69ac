import Synchronization

/// A result on a tape: which node, and which of its results.
package struct Value: Hashable, Sendable {
  package let node: Int32
  package let result: Int32

  package init(_ node: Int, _ result: Int = 0) {
    self.node = Int32(node)
    self.result = Int32(result)
  }
}

/// One recorded operation. Its operands are older than its results.
package struct Node: Sendable {
  package var operation: any Operation
  package var operands: [Value]
  package var results: [TensorType]
  /// The layers that were running, for reports and errors.
  package var path: [String]
}

/// The only record of the system: an append-only array of operations.
///
/// Because operands are older than results, a tape is always in topological order, and recording, sweeping and releasing
/// it are loops, never recursion.
package final class Tape: Sendable {
  /// What a tape is for.
  package enum Kind: Sendable {
    /// Opened by a gradient: operations have run, nodes keep their values.
    case eager
    /// Opened by `compiled` or `Graph(tracing:)`: nodes have types but no values.
    case staged
    /// The body of a loop: staged, and open to values of the tapes around it, which it captures.
    case body
  }

  struct State {
    var nodes: [Node] = []
    /// On an eager tape the elements of the nodes' results one after another, nil where no pullback reads them, and where
    /// those of each node begin.
    var kept: [Tensor.Elements?] = []
    var firstKept: [Int] = []
    var captures: [Capture] = []
    var captured: [CaptureKey: Value] = [:]
    var variables: [VariableBinding] = []
    var scopes: [VariableScope] = []

    /// Holds the elements of a value from now on.
    mutating func keep(_ elements: Tensor.Elements, of value: Value) {
      let place = firstKept[Int(value.node)] + Int(value.result)
      if kept[place] == nil { kept[place] = elements }
    }
  }

  /// A value of an outer tape, or a concrete one, that a body uses; on the body's tape it is an input.
  struct Capture {
    let outer: Tensor
    let inner: Value
  }

  enum CaptureKey: Hashable {
    case recorded(ObjectIdentifier, Value)
    case concrete(ObjectIdentifier, Int, TensorType)
  }

  package let kind: Kind
  /// How many tapes this one is nested in.
  let level: Int
  /// The tape around a body.
  let parent: Tape?
  /// Whether the code of a body may assign variables, because what they are assigned leaves the body.
  let takesAssignments: Bool
  /// Whether the body is a piece of a program that is recorded as a whole: what its code does with values from outside
  /// stays in it.
  let isPiece: Bool
  /// Whether an eager tape keeps also the values that no pullback reads, for somebody who looks at all of them.
  let keepsAllValues: Bool
  let state = Mutex(State())
  private let isClosed = Atomic(false)

  init(
    _ kind: Kind, parent: Tape? = nil, takesAssignments: Bool = false, isPiece: Bool = false,
    keepsAllValues: Bool = false
  ) {
    self.kind = kind
    self.keepsAllValues = keepsAllValues
    self.parent = parent
    self.takesAssignments = takesAssignments
    self.isPiece = isPiece
    level = parent.map { $0.level + 1 } ?? 0
  }

  /// Whether operations may still be recorded.
  var isOpen: Bool { !isClosed.load(ordering: .acquiring) }

  /// Ends recording and lets go of the nodes. Tensors that still name the tape keep the values they hold themselves.
  func close() {
    isClosed.store(true, ordering: .releasing)
    let old = state.withLock { state in
      let old = state
      state = State()
      return old
    }
    _ = old
  }

  func node(_ index: Int) -> Node { state.withLock { $0.nodes[index] } }
}

// MARK: - Recording

extension Tape {
  /// The innermost open tape that any of the operands belongs to.
  static func innermost(of operands: [Tensor]) -> Tape? {
    var innermost: Tape?
    for operand in operands {
      guard let tape = operand.tape, tape !== innermost else { continue }
      guard let current = innermost else {
        innermost = tape
        continue
      }
      precondition(
        tape.level != current.level,
        "one operation combines tensors of two recordings that are not nested in each other")
      if tape.level > current.level { innermost = tape }
    }
    return innermost
  }

  /// The innermost open tape that any of the operands belongs to, or the piece that is being recorded, if it lies further
  /// in.
  static func recording(_ operands: [Tensor]) -> Tape? {
    guard let innermost = innermost(of: operands) else { return nil }
    var open = Recording.tape
    while let tape = open, tape.level > innermost.level {
      if tape.isPiece { return tape }
      open = tape.parent
    }
    return innermost
  }

  /// Appends an operation whose operands passed its type rule, and runs it if the tape keeps values.
  func record(_ operation: some Operation, _ operands: [Tensor], _ types: [TensorType]) -> [Tensor] {
    guard kind == .eager else {
      return append(operation, operands.map(value(of:)), types).map { Tensor(self, $0, types[Int($0.result)]) }
    }
    guard let widened = operation.keepingResiduals(for: operands) else { return execute(operation, operands, types) }
    return execute(widened, operands, widened.resultTypesOfWidened(operands.map(\.type)))
  }

  private func execute(_ operation: some Operation, _ operands: [Tensor], _ types: [TensorType]) -> [Tensor] {
    let storages = operands.map { $0.storage! }
    let results = operation.evaluateLogged(storages, types: types)
    let values = operands.map(value(of:))
    if keeps(.operands, of: operation) {
      state.withLock { state in
        for (value, storage) in zip(values, storages) { state.keep(Tensor.Elements(storage), of: value) }
      }
    }
    return append(operation, values, types, results).map {
      Tensor(self, $0, types[Int($0.result)], Tensor.Elements(results[Int($0.result)]))
    }
  }

  /// Appends a node and gives its results.
  @discardableResult
  func append(
    _ operation: some Operation, _ operands: [Value], _ types: [TensorType], _ storages: [Storage] = []
  ) -> [Value] {
    let path = Recording.path
    let keepsResults = keeps(.results, of: operation)
    let index = state.withLock { state in
      state.nodes.append(Node(operation: operation, operands: operands, results: types, path: path))
      if kind == .eager {
        state.firstKept.append(state.kept.count)
        for storage in storages { state.kept.append(keepsResults ? Tensor.Elements(storage) : nil) }
      }
      return state.nodes.count - 1
    }
    return types.indices.map { Value(index, $0) }
  }

  /// Whether the tape holds the elements of an operation's operands, or of its results, for the pullback.
  func keeps(_ what: PullbackReads, of operation: some Operation) -> Bool {
    keepsAllValues || !operation.pullbackReads.isDisjoint(with: what)
  }

  /// A new input of the tape, with its elements if the tape keeps values.
  func input(_ type: TensorType, name: String = "", storage: Storage? = nil) -> Tensor {
    let value = append(Input(type: type, name: name), [], [type], storage.map { [$0] } ?? [])[0]
    return Tensor(self, value, type, storage.map(Tensor.Elements.init))
  }

  /// The tensor as a value of this tape: its own, captured from outside, or a constant.
  func value(of tensor: Tensor) -> Value {
    if let tape = tensor.tape, case .recorded(_, let value, _) = tensor.content {
      return tape === self ? value : capture(tensor, .recorded(ObjectIdentifier(tape), value))
    }
    let storage = tensor.storage!
    if kind == .body && storage.type.shape.count > 1 {
      return capture(
        Tensor(storage), .concrete(ObjectIdentifier(storage.buffer), storage.byteOffset, storage.type))
    }
    return append(Constant(storage), [], [storage.type], [storage])[0]
  }

  private func capture(_ tensor: Tensor, _ key: CaptureKey) -> Value {
    precondition(
      kind == .body,
      """
      a tensor that is being recorded was used in a graph of its own; pass it to the graph as an argument \
      instead of capturing it
      """)
    if let known = state.withLock({ $0.captured[key] }) { return known }
    let inner = append(Input(type: tensor.type, name: ""), [], [tensor.type])[0]
    state.withLock { state in
      state.captured[key] = inner
      state.captures.append(Capture(outer: tensor, inner: inner))
    }
    return inner
  }

  /// A value of this tape as a tensor, with its elements if the tape keeps them.
  func tensor(_ value: Value) -> Tensor {
    state.withLock { state in
      let node = state.nodes[Int(value.node)]
      let elements = kind == .eager ? state.kept[state.firstKept[Int(value.node)] + Int(value.result)] : nil
      return Tensor(self, value, node.results[Int(value.result)], elements)
    }
  }

  /// Exchanges the operation of a node for one with the same results followed by more, and gives these.
  func widen(_ index: Int, to operation: any Operation) -> [Tensor] {
    let types = operation.resultTypesOfWidened(node(index).operands.map { tensor($0).type })
    let known = state.withLock { state in
      let known = state.nodes[index].results.count
      state.nodes[index].operation = operation
      state.nodes[index].results = types
      return known
    }
    return (known..<types.count).map { tensor(Value(index, $0)) }
  }
}

extension Operation {
  /// The result types of an operation that takes the place of a narrower one with the same operands.
  func resultTypesOfWidened(_ operands: [TensorType]) -> [TensorType] {
    do {
      return try resultTypes(of: operands)
    } catch {
      preconditionFailure("a widened operation takes the operands of the one it replaces: \(error)")
    }
  }
}

extension [Node] {
  /// Which nodes depend on some values, those of the values included.
  func dependents(on values: [Value]) -> [Bool] {
    var depends = [Bool](repeating: false, count: count)
    for value in values { depends[Int(value.node)] = true }
    for (index, node) in enumerated() where !depends[index] {
      depends[index] = node.operands.contains { depends[Int($0.node)] }
    }
    return depends
  }

  /// Which nodes some values are computed from, those of the values included.
  func ancestors(of values: [Value]) -> [Bool] {
    var isNeeded = [Bool](repeating: false, count: count)
    for value in values { isNeeded[Int(value.node)] = true }
    for index in indices.reversed() where isNeeded[index] {
      for operand in self[index].operands { isNeeded[Int(operand.node)] = true }
    }
    return isNeeded
  }
}
