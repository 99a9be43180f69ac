extension Tensor {
  /// A tensor with the given elements in row-major order.
  ///
  /// - Parameters:
  ///   - elements: `shape.count` elements.
  ///   - shape: The shape; one axis for all elements if nil.
  public init<Element: TensorElement>(_ elements: [Element], shape: Shape? = nil) {
    self.init(Storage(elements, shape: shape ?? [elements.count]))
  }

  /// A scalar of shape `[]`.
  public init(_ value: some TensorElement) {
    self.init([value], shape: .scalar)
  }

  /// A tensor of one number everywhere.
  ///
  /// - Parameters:
  ///   - value: The number; it must be representable in the element type.
  ///   - shape: The shape.
  ///   - elementType: The element type; ``ElementType/default`` if nil.
  public init(repeating value: Double, shape: Shape, elementType: ElementType? = nil) {
    let elementType = elementType ?? .default
    self = Fill(value: value, type: TensorType(shape, elementType))()
  }

  /// Zeros of a shape. The element type is ``ElementType/default`` if nil.
  public static func zeros(_ shape: Shape, elementType: ElementType? = nil) -> Tensor {
    Tensor(repeating: 0, shape: shape, elementType: elementType)
  }

  /// Ones of a shape. The element type is ``ElementType/default`` if nil.
  public static func ones(_ shape: Shape, elementType: ElementType? = nil) -> Tensor {
    Tensor(repeating: 1, shape: shape, elementType: elementType)
  }

  /// Zeros of the shape and element type of another tensor.
  public static func zeros(like other: Tensor) -> Tensor { .zeros(other.shape, elementType: other.elementType) }

  /// Ones of the shape and element type of another tensor.
  public static func ones(like other: Tensor) -> Tensor { .ones(other.shape, elementType: other.elementType) }

  /// The numbers `start`, `start + step`, … of shape `[count]`.
  ///
  /// - Parameters:
  ///   - count: How many.
  ///   - start: The first; 0 by default.
  ///   - step: The distance between neighbours; 1 by default.
  ///   - elementType: `int32` by default.
  public static func iota(
    _ count: Int, from start: Double = 0, by step: Double = 1, elementType: ElementType = .int32
  ) -> Tensor {
    Iota(start: start, step: step, count: count, elementType: elementType)()
  }

  /// The identity matrix of shape `[size, size]`; the element type is ``ElementType/default`` if nil.
  public static func identity(_ size: Int, elementType: ElementType? = nil) -> Tensor {
    iota(size).oneHot(size, elementType: elementType)
  }
}

// MARK: - Literals

extension Tensor: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
  /// A scalar that takes the element type of the tensor it is combined with, and ``ElementType/default`` alone.
  public init(floatLiteral value: Double) { self.init(.number(value)) }

  /// A scalar that takes the element type of the tensor it is combined with, and ``ElementType/default`` alone.
  public init(integerLiteral value: Int) { self.init(.number(Double(value))) }

  /// A `bool` scalar.
  public init(booleanLiteral value: Bool) { self.init(.truth(value)) }
}

extension Tensor: ExpressibleByArrayLiteral {
  /// The parts stacked along a new leading axis, so that `[[1, 2], [3, 4]]` has shape `[2, 2]`.
  ///
  /// Numbers have the element type ``ElementType/default``, whether they are written as integers or with a point; the
  /// element type of a tensor among them wins.
  public init(arrayLiteral parts: Tensor...) {
    guard let elementType = (parts.first { !$0.isLiteral } ?? parts.first)?.elementType else {
      self = .zeros([0])
      return
    }
    self = stacked(parts.map { $0.adopting(elementType) })
  }
}
