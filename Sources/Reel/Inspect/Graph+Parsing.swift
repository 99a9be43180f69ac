extension Graph {
  /// Reads a graph from its printed form: the inverse of ``description``.
  ///
  /// Types are checked by the rules of the operations, as where a program is recorded. A pullback that was written by hand
  /// is no part of a text: such an operation runs, but cannot be differentiated. Tensors have at most 2³¹ elements.
  ///
  /// - Parameter text: What ``description`` gives; spaces and line breaks between words do not matter.
  /// - Throws: ``GraphSyntaxError`` with the line and the column of the first thing that is wrong.
  public init(parsing text: String) throws(GraphSyntaxError) {
    var parser = GraphParser(GraphScanner(text))
    self = try parser.program()
  }
}

extension Graph {
  /// Every operation that a text can hold.
  package static let readableOperations: [any ReadableOperation.Type] = [
    AddedProduct.self, Broadcast.self, Concatenate.self, Conditional.self, Constant.self, Convert.self,
    CumulativeSum.self, CustomPullback.self, Elementwise.self, Fill.self, FusedElementwise.self, Gather.self,
    Identity.self, Iota.self, MatrixProduct.self, OverlapAdd.self, RandomBits.self, Reduction.self,
    Rematerialized.self, RepeatWhile.self, RepeatWhileDerivative.self, Reshape.self, Scan.self, ScatterAdd.self,
    Shift.self, Slice.self, StopGradient.self, Transpose.self, Unslice.self, Windows.self,
  ]
}

/// Reads graphs: `graph (inputs) { operations return outputs }`, where an operation may have bodies of the same form.
private struct GraphParser {
  private var scanner: GraphScanner
  /// How many bodies are open.
  private var depth = 0
  /// More nested bodies than a program has that is written by hand.
  private static let deepest = 64

  init(_ scanner: GraphScanner) { self.scanner = scanner }

  /// What has been read of one graph.
  private struct Scope {
    var nodes: [Node] = []
    var inputs: [Value] = []
    var values: [Int: Value] = [:]
  }

  mutating func program() throws(GraphSyntaxError) -> Graph {
    guard scanner.take(word: "graph") else { throw scanner.unexpected("graph") }
    let graph = try body()
    if scanner.next != nil { throw scanner.unexpected("the end of the text") }
    return graph
  }

  private mutating func body() throws(GraphSyntaxError) -> Graph {
    depth += 1
    defer { depth -= 1 }
    if depth > Self.deepest { throw scanner.failure("more than \(Self.deepest) bodies in each other") }
    var scope = Scope()
    try inputs(&scope)
    try scanner.expect("{")
    while !scanner.take(word: "return") { try operation(&scope) }
    var outputs: [Value] = []
    if scanner.next == UInt8(ascii: "%") {
      repeat { outputs.append(try operand(scope)) } while scanner.take(",")
    }
    try scanner.expect("}")
    return Graph(nodes: scope.nodes, inputs: scope.inputs, outputs: outputs)
  }

  private mutating func inputs(_ scope: inout Scope) throws(GraphSyntaxError) {
    try scanner.expect("(")
    if scanner.take(")") { return }
    repeat {
      let number = try newNumber(scope)
      let name = scanner.next == UInt8(ascii: "\"") ? try scanner.quoted() : ""
      try scanner.expect(":")
      let type = try scanner.type()
      let value = Value(scope.nodes.count)
      scope.nodes.append(Node(operation: Input(type: type, name: name), operands: [], results: [type], path: []))
      scope.inputs.append(value)
      scope.values[number] = value
    } while scanner.take(",")
    try scanner.expect(")")
  }

  /// The number of a value that is new.
  private mutating func newNumber(_ scope: Scope) throws(GraphSyntaxError) -> Int {
    guard scanner.next == UInt8(ascii: "%") else { throw scanner.unexpected("a new value such as %0") }
    let start = scanner.offset
    try scanner.expect("%")
    let number = try scanner.count("the number of a value")
    if scope.values[number] != nil { throw scanner.failure("a second %\(number)", at: start) }
    return number
  }

  /// A value that is known.
  private mutating func operand(_ scope: Scope) throws(GraphSyntaxError) -> Value {
    scanner.skipSpaces()
    let start = scanner.offset
    try scanner.expect("%")
    let number = try scanner.count("the number of a value")
    guard let value = scope.values[number] else {
      throw scanner.failure("%\(number), which nothing before it gives", at: start)
    }
    return value
  }

  private mutating func operation(_ scope: inout Scope) throws(GraphSyntaxError) {
    var numbers: [Int] = []
    var types: [TensorType] = []
    repeat {
      let number = try newNumber(scope)
      if numbers.contains(number) { throw scanner.failure("a second %\(number)") }
      numbers.append(number)
      try scanner.expect(":")
      types.append(try scanner.type())
    } while scanner.take(",")
    try scanner.expect("=")
    scanner.skipSpaces()
    let start = scanner.offset
    let name = try scanner.name("the name of an operation")
    var operands: [Value] = []
    while scanner.next == UInt8(ascii: "%"), !isResult { operands.append(try operand(scope)) }
    let attributes = try scanner.attributes()
    let path = try path()
    var bodies: [Graph] = []
    while scanner.next == UInt8(ascii: "(") { bodies.append(try body()) }
    let graph = Graph(nodes: scope.nodes, inputs: [], outputs: [])
    var text = OperationText(
      name: name, at: start, of: scanner.source, operands: operands.map(graph.type(of:)), results: types,
      bodies: bodies,
      attributes: attributes)
    let operation = try Self.operation(&text)
    for (result, number) in numbers.enumerated() { scope.values[number] = Value(scope.nodes.count, result) }
    scope.nodes.append(Node(operation: operation, operands: operands, results: types, path: path))
  }

  /// Whether a new value begins here, with its type, and not an operand.
  private var isResult: Bool {
    var ahead = scanner
    return ahead.take("%") && (try? ahead.count("")) != nil && ahead.next == UInt8(ascii: ":")
  }

  /// The layers behind `@`.
  private mutating func path() throws(GraphSyntaxError) -> [String] {
    guard scanner.take("@") else { return [] }
    var path: [String] = []
    repeat { path.append(try scanner.name("the name of a layer")) } while scanner.take(".")
    return path
  }
}

// MARK: - Operations

extension GraphParser {
  /// What a text can hold, by the names.
  private static let readers: [String: any ReadableOperation.Type] = Dictionary(
    uniqueKeysWithValues: Graph.readableOperations.flatMap { type in type.names.map { ($0, type) } })

  /// The operation that a text describes, with the types that the text says.
  private static func operation(_ text: inout OperationText) throws(GraphSyntaxError) -> any Operation {
    let isByHand = text.hasWord(CustomPullback.mark)
    guard let reader = isByHand ? CustomPullback.self : readers[text.name] else {
      throw text.failure("no operation is called '\(text.name)'")
    }
    let operation = try reader.init(reading: &text)
    try text.finish()
    try check(operation, text)
    return operation
  }

  /// Checks what the text says of the types against the type rule.
  private static func check(_ operation: any Operation, _ text: OperationText) throws(GraphSyntaxError) {
    guard text.extent <= OperationText.limit else {
      throw text.failure("operands that broadcast to more than \(OperationText.limit) elements")
    }
    let types: [TensorType]
    do {
      types = try operation.resultTypes(of: text.operands)
    } catch {
      throw text.failure(error.description)
    }
    guard types == text.results else {
      throw text.failure(
        "'\(text.name)' that gives \(text.results.map(\.description).joined(separator: ", "))",
        expected: types.map(\.description).joined(separator: ", "))
    }
  }
}
