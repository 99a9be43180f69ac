extension Tensor: CustomStringConvertible {
  /// The elements in nested brackets, shortened in the middle where there are many, as NumPy prints arrays:
  ///
  ///     [[ 1.0,  2.5,  3.0],
  ///      [ 4.0,  5.0, 6.25]]
  ///
  /// A tensor that is being staged prints its type.
  public var description: String {
    guard storage != nil else { return "Tensor(\(type), staged)" }
    return Printer(self).text
  }
}

extension Tensor: CustomDebugStringConvertible {
  /// The type and the elements.
  public var debugDescription: String { "Tensor(\(type))\n\(description)" }
}

/// Prints a tensor: every element in one width, at most `edge` at either end of an axis when there are too many.
private struct Printer {
  /// Above this number of elements, only the ends of long axes are printed.
  static let threshold = 1000
  static let edge = 3

  let shape: Shape
  let strides: [Int]
  let elements: [String]
  let isShortened: Bool

  init(_ tensor: Tensor) {
    shape = tensor.shape
    strides = shape.strides
    isShortened = shape.count > Self.threshold
    let words = tensor.numbers.map { Self.word($0, tensor.elementType) }
    let width = words.reduce(0) { max($0, $1.count) }
    elements = words.map { String(repeating: " ", count: width - $0.count) + $0 }
  }

  var text: String { block(axis: 0, offset: 0) }

  private func block(axis: Int, offset: Int) -> String {
    guard axis < shape.rank else { return elements[offset] }
    let extent = shape[axis]
    let isLast = axis == shape.rank - 1
    let separator = isLast ? ", " : "," + String(repeating: "\n", count: shape.rank - axis - 1) + indentation(axis + 1)
    let parts: [String]
    if isShortened && extent > 2 * Self.edge {
      parts =
        (0..<Self.edge).map { block(axis: axis + 1, offset: offset + $0 * strides[axis]) } + ["..."]
        + (extent - Self.edge..<extent).map { block(axis: axis + 1, offset: offset + $0 * strides[axis]) }
    } else {
      parts = (0..<extent).map { block(axis: axis + 1, offset: offset + $0 * strides[axis]) }
    }
    return "[" + parts.joined(separator: separator) + "]"
  }

  private func indentation(_ count: Int) -> String { String(repeating: " ", count: count) }

  private static func word(_ number: Double, _ elementType: ElementType) -> String {
    switch elementType {
    case .bool: number == 0 ? "false" : "true"
    case .int32: String(Int(number))
    case .float32: shortened(Float(number).description, number)
    case .float64: shortened(number.description, number)
    }
  }

  /// At most six digits after the point for numbers of common size.
  private static func shortened(_ word: String, _ number: Double) -> String {
    guard number.isFinite, !word.contains("e") else { return word }
    guard let point = word.firstIndex(of: "."), word[point...].count > 7 else { return word }
    let scale = 1e6
    return ((number * scale).rounded() / scale).description
  }
}
