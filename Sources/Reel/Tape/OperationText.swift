/// An operation that can be read from the text of a graph.
package protocol ReadableOperation: Operation {
  /// What `name` is for operations of this type.
  static var names: [String] { get }

  /// The operation that a text describes: the inverse of `attributes` and ``writtenBodies``.
  init(reading text: inout OperationText) throws(GraphSyntaxError)

  /// The programs in the text: the bodies, unless the operation hides what it holds from passes.
  var writtenBodies: [Graph] { get }
}

extension ReadableOperation {
  package var writtenBodies: [Graph] { (self as? any OperationWithBodies)?.bodies ?? [] }
}

/// The text of one operation: its name, the types around it, and its attributes, each of which is read once.
package struct OperationText {
  /// The name, which is one of the type's ``ReadableOperation/names`` or whatever a pullback by hand is called.
  package let name: String
  package let operands: [TensorType]
  package let results: [TensorType]
  package let bodies: [Graph]
  private let source: [UInt8]
  private let offset: Int
  private var attributes: [Attribute]
  /// The keys and words that were read.
  private var taken: Set<String> = []

  /// `key=value`, or a word without a value.
  package struct Attribute {
    let key: String
    let value: String?
    let offset: Int
  }

  package init(
    name: String, at offset: Int, of source: [UInt8], operands: [TensorType], results: [TensorType], bodies: [Graph],
    attributes: [Attribute]
  ) {
    self.name = name
    self.offset = offset
    self.source = source
    self.operands = operands
    self.results = results
    self.bodies = bodies
    self.attributes = attributes
  }

  /// The largest number that an attribute may have, and the largest number of elements of a tensor: products of two of
  /// them do not overflow.
  package static let limit = 1 << 31

  /// An error at the name of the operation.
  package func failure(_ problem: String, expected: String = "") -> GraphSyntaxError {
    GraphSyntaxError(at: offset, of: source, problem: problem, expected: expected)
  }

  /// Checks how many operands, results and bodies there are. A type rule may count on it.
  package func expect(operands: Int, results: Int = 1, bodies: Int = 0) throws(GraphSyntaxError) {
    for (found, wanted, what) in [
      (self.operands.count, operands, "operands"), (self.results.count, results, "results"),
      (self.bodies.count, bodies, "bodies"),
    ] where found != wanted {
      throw failure("'\(name)' with \(found) \(what)", expected: "\(wanted)")
    }
  }
}

extension OperationText {
  /// At least the number of elements that the operands have when they are broadcast to each other, in whatever way.
  package var extent: Int {
    var extents: [Int] = []
    for operand in operands {
      for (axis, extent) in operand.shape.extents.reversed().enumerated() {
        if axis == extents.count { extents.append(1) }
        extents[axis] = max(extents[axis], extent)
      }
    }
    return extents.reduce(1) { min($0 * $1, Self.limit + 1) }
  }
}

// MARK: - Attributes

extension OperationText {
  /// Takes the value of an attribute that may be missing.
  private mutating func take(_ key: String) -> Attribute? {
    taken.insert(key)
    return attributes.firstIndex { $0.key == key && $0.value != nil }.map { attributes.remove(at: $0) }
  }

  private mutating func value<Value>(
    _ key: String, _ expected: String, _ read: (String) -> Value?
  ) throws(GraphSyntaxError) -> Value {
    guard let attribute = take(key) else {
      throw failure("'\(name)' without the attribute '\(key)'", expected: "\(key)=\(expected)")
    }
    guard let value = read(attribute.value!) else {
      throw GraphSyntaxError(
        at: attribute.offset, of: source, problem: "'\(key)=\(attribute.value!)'", expected: "\(key)=\(expected)")
    }
    return value
  }

  /// Whether an attribute with a value is there.
  package func has(_ key: String) -> Bool { attributes.contains { $0.key == key && $0.value != nil } }

  /// Whether a word without a value is there.
  package func hasWord(_ word: String) -> Bool { attributes.contains { $0.key == word && $0.value == nil } }

  /// Takes a word, and says whether it was there.
  package mutating func flag(_ word: String) -> Bool {
    guard let index = attributes.firstIndex(where: { $0.key == word && $0.value == nil }) else { return false }
    attributes.remove(at: index)
    taken.insert(word)
    return true
  }

  /// A whole number.
  package mutating func int(_ key: String) throws(GraphSyntaxError) -> Int {
    try value(key, "a whole number of at most \(Self.limit) in size", Self.int)
  }

  /// A whole number that is not negative.
  package mutating func count(_ key: String) throws(GraphSyntaxError) -> Int {
    try value(key, "a whole number in 0...\(Self.limit)") { Self.int($0).flatMap { $0 < 0 ? nil : $0 } }
  }

  /// A list of whole numbers, such as `[0, 2]`.
  package mutating func ints(_ key: String) throws(GraphSyntaxError) -> [Int] {
    try value(key, "a list of whole numbers") { Self.items($0)?.failableMap(Self.int) }
  }

  /// A shape of at most ``limit`` elements, such as `[2, 3]`.
  package mutating func shape(_ key: String) throws(GraphSyntaxError) -> Shape {
    try value(key, "a shape of at most \(Self.limit) elements") { text in
      guard let extents = Self.items(text)?.failableMap(Self.int), extents.allSatisfy({ $0 >= 0 }) else { return nil }
      // Extents of 0 hide products that overflow, but not when the shape changes.
      return extents.reduce(1, { min($0 * max($1, 1), Self.limit + 1) }) > Self.limit ? nil : Shape(extents)
    }
  }

  /// A number, which may be `inf` or `nan`.
  package mutating func number(_ key: String) throws(GraphSyntaxError) -> Double {
    try value(key, "a number") { Double($0) }
  }

  /// A list of items, which `read` reads.
  package mutating func list<Item>(
    _ key: String, of expected: String, _ read: (String) -> Item?
  ) throws(GraphSyntaxError) -> [Item] {
    try value(key, "a list of \(expected)") { Self.items($0)?.failableMap(read) }
  }

  /// A word that `read` knows.
  package mutating func word<Value>(
    _ key: String, _ expected: String, _ read: (String) -> Value?
  ) throws(GraphSyntaxError) -> Value {
    try value(key, expected, read)
  }

  /// Refuses attributes that nobody asked for, or that stand there twice.
  package func finish() throws(GraphSyntaxError) {
    guard let rest = attributes.first else { return }
    throw GraphSyntaxError(
      at: rest.offset, of: source,
      problem: "'\(name)' has no \(taken.contains(rest.key) ? "second" : "attribute") '\(rest.key)'")
  }

  private static func int(_ text: String) -> Int? { Int(text).flatMap { abs($0) <= limit ? $0 : nil } }

  /// What stands between the commas in brackets.
  private static func items(_ text: String) -> [String]? {
    guard text.hasPrefix("["), text.hasSuffix("]"), text.count > 1 else { return nil }
    let inside = text.dropFirst().dropLast()
    return inside.isEmpty
      ? [] : inside.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmed }
  }
}

extension Array {
  /// What `transform` makes of every element; nil if it makes nothing of one.
  fileprivate func failableMap<Result>(_ transform: (Element) -> Result?) -> [Result]? {
    let found = compactMap(transform)
    return found.count == count ? found : nil
  }
}

extension StringProtocol {
  /// The text without the spaces around it.
  package var trimmed: String {
    var text = self[...]
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
