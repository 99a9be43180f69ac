/// Takes the text of a graph apart: spaces, marks, words, numbers, names in quotes.
struct GraphScanner {
  let source: [UInt8]
  private(set) var offset = 0

  init(_ text: String) { source = Array(text.utf8) }

  func failure(_ problem: String, expected: String = "", at place: Int? = nil) -> GraphSyntaxError {
    GraphSyntaxError(at: place ?? offset, of: source, problem: problem, expected: expected)
  }

  /// An error that says what stands here instead of what is expected.
  func unexpected(_ expected: String) -> GraphSyntaxError { failure(found, expected: expected) }

  /// What stands here, for an error.
  private var found: String {
    guard offset < source.count else { return "the end of the text" }
    let rest = source[offset...].prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: " ") }.prefix(24)
    return rest.isEmpty ? "the end of the line" : "'\(String(decoding: rest, as: UTF8.self))'"
  }

  /// The byte here, behind spaces; nil at the end.
  var next: UInt8? {
    mutating get {
      skipSpaces()
      return offset < source.count ? source[offset] : nil
    }
  }

  mutating func skipSpaces() {
    while offset < source.count, [0x20, 0x0A, 0x0D, 0x09].contains(source[offset]) { offset += 1 }
  }

  /// Takes a mark, if it stands here.
  mutating func take(_ mark: Unicode.Scalar) -> Bool {
    guard next == UInt8(mark.value) else { return false }
    offset += 1
    return true
  }

  mutating func expect(_ mark: Unicode.Scalar) throws(GraphSyntaxError) {
    guard take(mark) else { throw unexpected("'\(mark)'") }
  }

  /// Takes a whole word, if it stands here.
  mutating func take(word: String) -> Bool {
    skipSpaces()
    let end = offset + word.utf8.count
    guard end <= source.count, source[offset..<end].elementsEqual(word.utf8) else { return false }
    if end < source.count, Self.isInWord(source[end]) { return false }
    offset = end
    return true
  }

  private static func isInWord(_ byte: UInt8) -> Bool { byte >= 0x80 || Graph.isInWord(Unicode.Scalar(byte)) }

  /// A name: a word, or anything in quotes.
  mutating func name(_ expected: String) throws(GraphSyntaxError) -> String {
    if next == UInt8(ascii: "\"") { return try quoted() }
    let start = offset
    while offset < source.count, Self.isInWord(source[offset]) { offset += 1 }
    if offset == start { throw unexpected(expected) }
    return String(decoding: source[start..<offset], as: UTF8.self)
  }

  mutating func quoted() throws(GraphSyntaxError) -> String {
    let start = offset
    offset += 1
    var bytes: [UInt8] = []
    while offset < source.count, source[offset] != UInt8(ascii: "\"") {
      if source[offset] == UInt8(ascii: "\\"), offset + 1 < source.count {
        offset += 1
        switch source[offset] {
        case UInt8(ascii: "n"): bytes.append(0x0A)
        case UInt8(ascii: "r"): bytes.append(0x0D)
        default: bytes.append(source[offset])
        }
      } else {
        bytes.append(source[offset])
      }
      offset += 1
    }
    guard offset < source.count else { throw failure("a name in quotes without an end", at: start) }
    offset += 1
    return String(decoding: bytes, as: UTF8.self)
  }

  /// A whole number that is not negative.
  mutating func count(_ expected: String) throws(GraphSyntaxError) -> Int {
    skipSpaces()
    let start = offset
    while offset < source.count, (0x30...0x39).contains(source[offset]) { offset += 1 }
    let digits = String(decoding: source[start..<offset], as: UTF8.self)
    guard let number = Int(digits), number <= OperationText.limit else {
      if offset > start { throw failure("the number \(digits)", expected: "at most \(OperationText.limit)", at: start) }
      throw unexpected(expected)
    }
    return number
  }
}

// MARK: - Types and attributes

extension GraphScanner {
  /// A type, such as `f32[2,3]`.
  mutating func type() throws(GraphSyntaxError) -> TensorType {
    skipSpaces()
    let start = offset
    guard let elementType = ElementType.allCases.first(where: { take($0.description) }) else {
      throw unexpected("a type such as f32[2,3]")
    }
    try expect("[")
    var extents: [Int] = []
    if !take("]") {
      repeat { extents.append(try count("an extent")) } while take(",")
      try expect("]")
    }
    // Extents of 0 hide products that overflow, but not when the shape changes.
    var size = 1
    for extent in extents {
      size *= max(extent, 1)
      if size > OperationText.limit {
        throw failure("a tensor of more than \(OperationText.limit) elements", at: start)
      }
    }
    return TensorType(Shape(extents), elementType)
  }

  private mutating func take(_ prefix: String) -> Bool {
    let end = offset + prefix.utf8.count
    guard end <= source.count, source[offset..<end].elementsEqual(prefix.utf8) else { return false }
    offset = end
    return true
  }

  /// What stands between braces, at commas outside brackets taken apart.
  mutating func attributes() throws(GraphSyntaxError) -> [OperationText.Attribute] {
    guard take("{") else { return [] }
    var found: [OperationText.Attribute] = []
    repeat { found.append(try attribute()) } while take(",")
    try expect("}")
    return found
  }

  private mutating func attribute() throws(GraphSyntaxError) -> OperationText.Attribute {
    skipSpaces()
    let start = offset
    var depth = 0
    scan: while offset < source.count {
      switch source[offset] {
      case UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: ","): if depth <= 0 { break scan }
      case UInt8(ascii: "}"), UInt8(ascii: "\n"): break scan
      default: break
      }
      offset += 1
    }
    let text = String(decoding: source[start..<offset], as: UTF8.self)
    guard let equals = text.firstIndex(of: "=") else {
      let word = text.trimmed
      if word.isEmpty { throw unexpected("an attribute") }
      return OperationText.Attribute(key: word, value: nil, offset: start)
    }
    return OperationText.Attribute(
      key: text[..<equals].trimmed, value: text[text.index(after: equals)...].trimmed, offset: start)
  }
}
