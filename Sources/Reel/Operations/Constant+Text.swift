import Foundation

// The elements of a constant in text: numbers while there are few of them and the numbers tell all bits, else bytes.
extension Constant: ReadableOperation {
  package static let names = ["constant"]

  /// More elements than this are printed as bytes.
  private static let longestList = 16

  package var attributes: String {
    let words = storage.type.shape.count <= Self.longestList ? words : nil
    guard let words else { return "bytes=\(Data(storage.bytes).base64EncodedString())" }
    return storage.type.shape.rank == 0 ? "value=\(words[0])" : "values=[\(words.joined(separator: ", "))]"
  }

  /// The elements as words that give the same bits when they are read; nil if there are none, as for a NaN with a payload.
  private var words: [String]? {
    let words: [String] =
      switch storage.type.elementType {
      case .float32: storage.elements(as: Float.self).map(\.description)
      case .float64: storage.elements(as: Double.self).map(\.description)
      case .int32: storage.elements(as: Int32.self).map(\.description)
      case .bool: storage.elements(as: Bool.self).map(\.description)
      }
    guard let again = Self.storage(of: words, storage.type) else { return nil }
    return again.bytes.elementsEqual(storage.bytes) ? words : nil
  }

  package init(reading text: inout OperationText) throws(GraphSyntaxError) {
    try text.expect(operands: 0)
    let type = text.results[0]
    let expected = "\(type.shape.count) elements of type \(type.elementType)"
    if text.has("bytes") {
      storage = try text.word("bytes", expected + " in Base64") { Self.storage(ofBytes: $0, type) }
    } else if text.has("values") {
      let words = try text.list("values", of: expected) { $0 }
      guard let found = Self.storage(of: words, type) else {
        throw text.failure("'constant' with values that do not fit \(type)", expected: expected)
      }
      storage = found
    } else {
      storage = try text.word("value", expected) { Self.storage(of: [$0], type) }
    }
  }

  private static func storage(of words: [String], _ type: TensorType) -> Storage? {
    guard words.count == type.shape.count else { return nil }
    func storage<Element: TensorElement & LosslessStringConvertible>(_: Element.Type) -> Storage? {
      let elements = words.compactMap { Element($0) }
      return elements.count == words.count ? Storage(elements, shape: type.shape) : nil
    }
    return switch type.elementType {
    case .float32: storage(Float.self)
    case .float64: storage(Double.self)
    case .int32: storage(Int32.self)
    case .bool: storage(Bool.self)
    }
  }

  private static func storage(ofBytes text: String, _ type: TensorType) -> Storage? {
    guard let data = Data(base64Encoded: text), data.count == type.byteCount else { return nil }
    // A truth value that is neither 0 nor 1 is none.
    guard type.elementType != .bool || data.allSatisfy({ $0 < 2 }) else { return nil }
    let storage = Storage(type)
    data.withUnsafeBytes {
      if let address = $0.baseAddress { storage.base.copyMemory(from: address, byteCount: $0.count) }
    }
    return storage
  }
}
