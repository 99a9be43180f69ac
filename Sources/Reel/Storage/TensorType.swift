/// What is known of a tensor before it has a value: its element type and its shape.
public struct TensorType: Hashable, Sendable {
  /// The type of the elements.
  public var elementType: ElementType
  /// The extents of the axes.
  public var shape: Shape

  /// A type from its parts; the element type is ``ElementType/default`` unless given.
  public init(_ shape: Shape, _ elementType: ElementType = .default) {
    self.elementType = elementType
    self.shape = shape
  }

  /// The bytes that the elements take.
  public var byteCount: Int { shape.count * elementType.byteCount }
}

extension TensorType: CustomStringConvertible {
  /// The element type and the shape: `f32[2,3]`.
  public var description: String { "\(elementType)\(shape)" }
}
