/// A rule of algebra: what may stand in the place of an operation, given what made its operands.
struct RewriteRule: Sendable {
  /// The type of the operations that the rule looks at, or the row of the elementwise table.
  let subject: ObjectIdentifier
  let rewrite: @Sendable (any Operation, RewriteSite) -> [Value]?

  /// A rule for one type of operation with one result; it answers nil where it has nothing to say.
  init<Subject: Operation>(_: Subject.Type, _ rewrite: @escaping @Sendable (Subject, RewriteSite) -> Value?) {
    subject = ObjectIdentifier(Subject.self)
    self.rewrite = { operation, site in rewrite(operation as! Subject, site).map { [$0] } }
  }

  /// A rule for one row of the elementwise table.
  init(_ operation: Elementwise, _ rewrite: @escaping @Sendable (RewriteSite) -> Value?) {
    subject = ObjectIdentifier(operation.row)
    self.rewrite = { _, site in rewrite(site).map { [$0] } }
  }

  /// A rule for operations of one type with any number of results.
  init<Subject: Operation>(
    all _: Subject.Type, _ rewrite: @escaping @Sendable (Subject, RewriteSite) -> [Value]?
  ) {
    subject = ObjectIdentifier(Subject.self)
    self.rewrite = { operation, site in rewrite(operation as! Subject, site) }
  }
}

/// Replays a graph operation by operation, and puts what the rules say in the place of each.
///
/// What a rule emits goes through the rules as well, so that one sweep comes to an end of all of them that look at
/// operands. Every rule gives something smaller, or something that no rule turns back.
final class Rewriter {
  private(set) var nodes: [Node] = []
  /// The type of each node's operation.
  private var kinds: [ObjectIdentifier] = []
  /// At most so often the results of a node are used, by what was replayed and by what is still to come.
  private var uses: [Int] = []
  /// Whether a node is a sum of the reverse sweep whose only user is another one.
  private var isInnerSum: [Bool] = []
  /// Constants whose elements have the same bits.
  private var constants: [ConstantKey: Value] = [:]
  private var uniforms: [Int32: Value?] = [:]
  private var offsets: [Int32: [Int]] = [:]
  private let rules: [ObjectIdentifier: [RewriteRule]]
  /// The layers of the operation that is being replayed.
  private var path: [String] = []
  /// Whether the operation that is being replayed is a sum of the reverse sweep with another one as its only user.
  private(set) var replaysInnerSum = false
  /// Whether anything was replaced.
  private(set) var hasChanged = false

  private struct ConstantKey: Hashable {
    let type: TensorType
    let bits: UInt64
  }

  init(_ rules: [ObjectIdentifier: [RewriteRule]]) { self.rules = rules }

  static func table(_ rules: [RewriteRule]) -> [ObjectIdentifier: [RewriteRule]] {
    Dictionary(grouping: rules, by: \.subject)
  }

  /// Replays a graph.
  ///
  /// - Parameter replacing: What to put in the place of an operation before the rules look at it; nil for itself.
  func replay(_ graph: Graph, replacing: (any Operation) -> (any Operation)? = { _ in nil }) -> Graph {
    let users = Users(graph)
    var names: [[Value]] = []
    names.reserveCapacity(graph.nodes.count)
    func rename(_ value: Value) -> Value { names[Int(value.node)][Int(value.result)] }

    for (index, node) in graph.nodes.enumerated() {
      path = node.path
      replaysInnerSum = users.isInnerSum[index]
      var operation = node.operation
      if let replacement = replacing(operation) {
        operation = replacement
        hasChanged = true
      }
      let operands = node.operands.map(rename)
      if let known = replacement(for: operation, operands, node.results) {
        hasChanged = true
        for value in known { uses[Int(value.node)] += users.count[index] }
        names.append(known)
      } else {
        names.append(append(operation, operands, node.results, uses: users.count[index]))
      }
    }
    return Graph(
      extracting: graph.outputs.map(rename), from: graph.inputs.map(rename), of: nodes)
  }

  /// Applies an operation, or what the rules put in its place.
  func emit(_ operation: any Operation, _ operands: [Value]) -> [Value] {
    let types = operation.resultTypesOfWidened(operands.map(type(of:)))
    if let known = replacement(for: operation, operands, types) { return known }
    for operand in operands { uses[Int(operand.node)] += 1 }
    return append(operation, operands, types, uses: 0)
  }

  private func replacement(for operation: any Operation, _ operands: [Value], _ types: [TensorType]) -> [Value]? {
    if operands.isEmpty { return known(operation, types) }
    let site = RewriteSite(rewriter: self, operands: operands, types: types)
    if let folded = site.folded(operation) { return folded }
    let kind = ObjectIdentifier(Swift.type(of: operation))
    for rule in rules[kind] ?? [] {
      if let values = rule.rewrite(operation, site) { return values }
    }
    guard kind == Self.elementwise, let row = (operation as? Elementwise)?.row else { return nil }
    for rule in rules[ObjectIdentifier(row)] ?? [] {
      if let values = rule.rewrite(operation, site) { return values }
    }
    return nil
  }

  private static let elementwise = ObjectIdentifier(Elementwise.self)

  /// What stands for an operation without operands: constants that repeat the same bits are one, and `fill` is a scalar
  /// that is broadcast.
  private func known(_ operation: any Operation, _ types: [TensorType]) -> [Value]? {
    if let fill = operation as? Fill {
      return [RewriteSite(rewriter: self, operands: [], types: types).filled(fill.value)]
    }
    return key(operation).flatMap { constants[$0] }.map { [$0] }
  }

  private func key(_ operation: any Operation) -> ConstantKey? {
    operation.constant?.repeatedElement.map { ConstantKey(type: operation.constant!.type, bits: $0.firstBits) }
  }

  private func append(
    _ operation: any Operation, _ operands: [Value], _ types: [TensorType], uses count: Int
  ) -> [Value] {
    let index = nodes.count
    if operands.isEmpty, let key = key(operation) { constants[key] = Value(index) }
    nodes.append(Node(operation: operation, operands: operands, results: types, path: path))
    kinds.append(ObjectIdentifier(Swift.type(of: operation)))
    uses.append(count)
    isInnerSum.append(replaysInnerSum)
    return types.indices.map { Value(index, $0) }
  }
}

// MARK: - What rules ask

extension Rewriter {
  func type(of value: Value) -> TensorType { nodes[Int(value.node)].results[Int(value.result)] }

  /// The operation that made a value, if it is of a type, and its operands.
  func producer<Kind: Operation>(of value: Value, _: Kind.Type) -> (operation: Kind, operands: [Value])? {
    guard kinds[Int(value.node)] == ObjectIdentifier(Kind.self) else { return nil }
    let node = nodes[Int(value.node)]
    return (node.operation as! Kind, node.operands)
  }

  func isUsedOnce(_ value: Value) -> Bool { uses[Int(value.node)] <= 1 }

  /// Whether a value is a part of a larger sum of the reverse sweep, and of nothing else.
  func isPartOfSum(_ value: Value) -> Bool { isInnerSum[Int(value.node)] && isUsedOnce(value) }

  /// Elements known at compile time, as an operand.
  func constant(_ storage: Storage) -> Value { emit(Constant(storage), [])[0] }

  /// The scalar constant that a larger constant repeats, if all its elements have the same bits.
  func scalar(repeatedBy value: Value) -> Value? {
    guard let (constant, _) = producer(of: value, Constant.self) else { return nil }
    if constant.storage.type.shape == .scalar { return value }
    if let known = uniforms[value.node] { return known }
    let found = constant.storage.repeatedElement.map { self.constant($0) }
    uniforms[value.node] = .some(found)
    return found
  }

  /// Where each operand of a concatenation starts along its axis, and where the last one ends.
  func offsets(of value: Value, _ concatenate: Concatenate) -> [Int] {
    if let known = offsets[value.node] { return known }
    var found = [0]
    for operand in nodes[Int(value.node)].operands {
      found.append(found[found.count - 1] + type(of: operand).shape[concatenate.axis])
    }
    offsets[value.node] = found
    return found
  }
}

/// How often the results of each node are used, by operations and as outputs.
private struct Users {
  private(set) var count: [Int]
  /// Whether a node is a sum of the reverse sweep whose only user is another one of the same type.
  private(set) var isInnerSum: [Bool]

  init(_ graph: Graph) {
    count = [Int](repeating: 0, count: graph.nodes.count)
    isInnerSum = [Bool](repeating: false, count: graph.nodes.count)
    for output in graph.outputs { count[Int(output.node)] += 1 }
    for node in graph.nodes {
      for operand in node.operands { count[Int(operand.node)] += 1 }
    }
    var isSum = [Bool](repeating: false, count: graph.nodes.count)
    for (index, node) in graph.nodes.enumerated() {
      guard let elementwise = node.operation as? Elementwise, elementwise == .accumulate else { continue }
      isSum[index] = true
      for operand in node.operands.map({ Int($0.node) }) where isSum[operand] && count[operand] == 1 {
        isInnerSum[operand] = graph.nodes[operand].results == node.results
      }
    }
    for output in graph.outputs { isInnerSum[Int(output.node)] = false }
  }
}
