/// A loop taken apart, in the form that the loop passes edit: the nodes of its body, what enters them, and what has
/// become of each of its results.
///
/// Inner values are results of `nodes`, outer ones of the tape around the loop. A pass appends nodes, says which values
/// they stand in for, and moves ports and outcomes; ``tidy()`` makes a body in topological order of it again.
struct OpenLoop {
  /// An input of the body, and where its value comes from: a captured value, or a sequence that it is an element of.
  struct Port {
    let inner: Value
    let outer: Value
  }

  /// An input of the body that is the value of `leaving` at the step before, and `initial` at the first one.
  struct Carry {
    let inner: Value
    let initial: Value
    var leaving: Value
  }

  /// What a result of the loop has become.
  enum Outcome {
    case unused
    /// The last value of the carry with this inner value.
    case final(Value)
    /// The values of all steps.
    case stack(Value)
    /// A value of the surroundings.
    case outside(Value)
    /// The outer value `initial` and the values of all steps, added up in the order of the steps.
    case sum(Value, initial: Value)
  }

  var nodes: [Node]
  /// The values that edits have put in the place of others.
  var replacements: [Value: Value] = [:]
  var captures: [Port]
  var carries: [Carry]
  var sequences: [Port]
  var outcomes: [Outcome]
  let length: Int
  let isReversed: Bool
  /// Whether a reverse sweep made the loop, so that its sums may be reassociated.
  let isAdjoint: Bool

  /// - Parameters:
  ///   - scan: The loop.
  ///   - operands: Its operands, as values of the tape around it.
  ///   - isUsed: Which of its results anything depends on.
  init(_ scan: Scan, _ operands: [Value], isUsed: [Bool]) {
    let graph = scan.body.graph
    nodes = graph.nodes
    captures = scan.captures.map { Port(inner: graph.inputs[$0], outer: operands[$0]) }
    carries = (0..<scan.carryCount).map {
      Carry(
        inner: graph.inputs[scan.captureCount + $0], initial: operands[scan.captureCount + $0],
        leaving: graph.outputs[$0])
    }
    sequences = scan.sequences.map { Port(inner: graph.inputs[$0], outer: operands[$0]) }
    outcomes = graph.outputs.indices.map { index in
      if !isUsed[index] { return .unused }
      return index < scan.carryCount ? .final(graph.inputs[scan.captureCount + index]) : .stack(graph.outputs[index])
    }
    (length, isReversed, isAdjoint) = (scan.length, scan.isReversed, scan.isAdjoint)
  }

  func node(_ value: Value) -> Node { nodes[Int(value.node)] }

  func type(of value: Value) -> TensorType { nodes[Int(value.node)].results[Int(value.result)] }

  func isInput(_ value: Value) -> Bool { node(value).operation is Input }
}

// MARK: - Editing

extension OpenLoop {
  /// Appends an operation with one result, recorded for the layers of `origin`.
  mutating func append(_ operation: some Operation, _ operands: [Value], for origin: Value) -> Value {
    let types = operation.resultTypesOfWidened(operands.map(type(of:)))
    nodes.append(Node(operation: operation, operands: operands, results: types, path: node(origin).path))
    return Value(nodes.count - 1)
  }

  /// Appends an input that stands in for a value from now on.
  mutating func cut(_ value: Value) -> Value {
    let type = type(of: value)
    nodes.append(
      Node(operation: Input(type: type, name: ""), operands: [], results: [type], path: node(value).path))
    let input = Value(nodes.count - 1)
    replacements[value] = input
    return input
  }

  /// The value that stands in for a value.
  func resolved(_ value: Value) -> Value {
    var value = value
    while let next = replacements[value] { value = next }
    return value
  }
}

// MARK: - What depends on what

extension OpenLoop {
  /// The values that results are made from, beside the last values of carries.
  var roots: [Value] {
    outcomes.compactMap { outcome in
      switch outcome {
      case .stack(let value), .sum(let value, _): value
      case .unused, .final, .outside: nil
      }
    }
  }

  /// Which nodes some values are computed from, their own included.
  func ancestors(of values: [Value]) -> [Bool] {
    var isFound = [Bool](repeating: false, count: nodes.count)
    var queue: [Int] = []
    func visit(_ value: Value) {
      let index = Int(resolved(value).node)
      if isFound[index] { return }
      isFound[index] = true
      queue.append(index)
    }
    values.forEach(visit)
    while let index = queue.popLast() { nodes[index].operands.forEach(visit) }
    return isFound
  }

  /// The nodes that results depend on, and the carries. A carry that only its own next value depends on is none of them.
  func liveness() -> (nodes: [Bool], carries: [Bool]) {
    var isLive = carries.map { carry in
      outcomes.contains {
        switch $0 {
        case .final(let inner): inner == carry.inner
        case .unused, .stack, .outside, .sum: false
        }
      }
    }
    while true {
      let found = ancestors(of: roots + zip(carries, isLive).filter(\.1).map(\.0.leaving))
      let more = carries.indices.filter { !isLive[$0] && found[Int(carries[$0].inner.node)] }
      if more.isEmpty { return (found, isLive) }
      for index in more { isLive[index] = true }
    }
  }

  /// How far a value is bound to the steps.
  enum Level: Int, Comparable {
    /// It is the same at every step.
    case invariant
    /// It depends on elements of sequences: all steps can compute it at once.
    case element
    /// It depends on carries.
    case carried

    static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
  }

  /// The level of each node. What has no batching rule as one operation stays where it is, as if it were carried.
  func levels() -> [Level] {
    var levels = [Level](repeating: .invariant, count: nodes.count)
    for sequence in sequences { levels[Int(sequence.inner.node)] = .element }
    for carry in carries { levels[Int(carry.inner.node)] = .carried }
    for (index, node) in nodes.enumerated() where !(node.operation is Input) {
      let level = node.operands.map { levels[Int($0.node)] }.max() ?? .invariant
      levels[index] = level == .element && !node.operation.isBatchedAsOne ? .carried : level
    }
    return levels
  }

  /// The nodes that use each node, in order, each once.
  func users() -> [[Int]] {
    var users = [[Int]](repeating: [], count: nodes.count)
    for (index, node) in nodes.enumerated() {
      for operand in node.operands where users[Int(operand.node)].last != index {
        users[Int(operand.node)].append(index)
      }
    }
    return users
  }

  /// How often each value is used, by nodes, results and carries.
  func useCounts() -> [Value: Int] {
    var counts: [Value: Int] = [:]
    for node in nodes { for operand in node.operands { counts[operand, default: 0] += 1 } }
    for value in roots + carries.map(\.leaving) { counts[value, default: 0] += 1 }
    return counts
  }

  /// What it costs to keep a value for every step: its bytes first, then that it is one more to keep.
  func price(_ index: Int) -> Int { 1 + 1000 * nodes[index].results.reduce(0) { $0 + $1.byteCount } }
}

extension Operation {
  /// Whether the operation is a product of matrices, with or without a sum.
  var isProduct: Bool { self is MatrixProduct || self is AddedProduct }

  /// Whether the batching rule gives operations whose number does not grow with the batch, and that are no loops.
  var isBatchedAsOne: Bool {
    !(self is any OperationWithBodies) && !(self is RepeatWhileDerivative) && !(self is RandomBits)
  }

  /// Whether a loop does better to make the result itself than to be given it: a constant, or a value repeated.
  var isSpread: Bool { constant != nil || self is Fill || self is Iota || self is Broadcast }
}
