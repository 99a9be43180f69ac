/// An array of numbers or truth values with any number of axes, and the unit of computation.
///
/// A tensor is a small value. It holds elements, or stands for a result on a tape that is being recorded, or both: under
/// `gradient(at:of:)` operations compute at once and are recorded too; inside `compiled { }` and in the body of a loop
/// they are only recorded, and the elements cannot be read.
public struct Tensor: Sendable {
  enum Content: Sendable {
    /// Elements, recorded nowhere.
    case concrete(Elements)
    /// A result on a tape, with its elements if the tape keeps values.
    case recorded(Tape, Value, Elements?)
    /// A number or truth value written in the source, which takes the element type of what it meets.
    case literal(Literal)
  }

  /// A storage without its type, which the tensor has.
  struct Elements: Sendable {
    let buffer: Buffer
    let byteOffset: Int

    /// All of a new buffer.
    init(_ buffer: Buffer) {
      self.buffer = buffer
      byteOffset = 0
    }

    init(_ storage: Storage) {
      buffer = storage.buffer
      byteOffset = storage.byteOffset
    }

    var base: UnsafeMutableRawPointer { buffer.base + byteOffset }
  }

  let content: Content
  package let type: TensorType
  /// Behind ``mask``; lost in every operation.
  var stepMask: StepMask?

  init(_ storage: Storage) {
    content = .concrete(Elements(storage))
    type = storage.type
  }

  init(_ tape: Tape, _ value: Value, _ type: TensorType, _ elements: Elements? = nil) {
    content = .recorded(tape, value, elements)
    self.type = type
  }

  init(_ elements: Elements, _ type: TensorType) {
    content = .concrete(elements)
    self.type = type
  }

  init(_ literal: Literal) {
    content = .literal(literal)
    type = TensorType(.scalar, literal.elementType)
  }

  /// The extents of the axes, outermost first.
  public var shape: Shape { type.shape }

  /// The type of the elements.
  public var elementType: ElementType { type.elementType }

  /// The number of axes.
  public var rank: Int { type.shape.rank }

  /// The number of elements.
  public var count: Int { type.shape.count }
}

/// A scalar written in the source.
enum Literal: Hashable, Sendable {
  case number(Double)
  case truth(Bool)

  var elementType: ElementType {
    switch self {
    case .number: .default
    case .truth: .bool
    }
  }

  /// Whether the value can be an element of the type without a surprise.
  func fits(_ elementType: ElementType) -> Bool {
    switch self {
    case .truth: elementType == .bool
    case .number(let value): elementType.isFloatingPoint || (elementType == .int32 && Int32(exactly: value) != nil)
    }
  }

  /// What the formulas of most derivatives contain, made once.
  private static let ones = (Literal.number(1).newStorage(.float32), Literal.number(1).newStorage(.float64))

  /// The scalar as one element of the type, which it fits.
  func storage(_ elementType: ElementType) -> Storage {
    switch (self, elementType) {
    case (.number(1), .float32): Self.ones.0
    case (.number(1), .float64): Self.ones.1
    default: newStorage(elementType)
    }
  }

  private func newStorage(_ elementType: ElementType) -> Storage {
    let storage = Storage(TensorType(.scalar, elementType))
    switch (self, elementType) {
    case (.truth(let value), .bool): storage.base.storeBytes(of: value, as: Bool.self)
    case (.number(let value), .float64): storage.base.storeBytes(of: value, as: Double.self)
    case (.number(let value), .int32): storage.base.storeBytes(of: Int32(value), as: Int32.self)
    case (.number(let value), .float32): storage.base.storeBytes(of: Float(value), as: Float.self)
    case (.number, .bool), (.truth, _): preconditionFailure("a literal is made an element of a type that it fits")
    }
    return storage
  }
}

extension Tensor {
  /// The elements, if they are known: not for a tensor that is being staged.
  var storage: Storage? {
    switch content {
    case .concrete(let elements): Storage(type, in: elements.buffer, byteOffset: elements.byteOffset)
    case .recorded(_, _, let elements):
      elements.map { Storage(type, in: $0.buffer, byteOffset: $0.byteOffset) }
    case .literal(let literal): literal.storage(type.elementType)
    }
  }

  /// The elements of a tensor that has a buffer: nil for one that is being staged, and for a literal.
  var elements: Elements? {
    switch content {
    case .concrete(let elements): elements
    case .recorded(_, _, let elements): elements
    case .literal: nil
    }
  }

  /// The open tape that the tensor was recorded on.
  var tape: Tape? {
    guard case .recorded(let tape, _, let elements) = content else { return nil }
    if tape.isOpen { return tape }
    precondition(
      elements != nil,
      """
      a staged tensor of type \(type) escaped the closure it was recorded in; return it from the closure, \
      or carry it through the loop, instead of assigning it to something outside
      """)
    return nil
  }

  /// The same elements, recorded nowhere. A tensor that is being staged has no elements and is a programming error here.
  package var detached: Tensor {
    guard let storage else { fatalError(Self.unreadable(type)) }
    return Tensor(storage)
  }

  /// The tensor as an operand of the element type, if it is a literal that fits it; else the tensor itself.
  func adopting(_ elementType: ElementType) -> Tensor {
    guard case .literal(let literal) = content, literal.fits(elementType) else { return self }
    return Tensor(literal.storage(elementType))
  }

  /// An axis counted from the end, as operations hold it; reports one out of range.
  func axisFromEnd(_ axis: Int, in operation: String) -> Int {
    do {
      return try shape.normalized(axis: axis, in: operation) - rank
    } catch {
      error.report()
      return -1
    }
  }

  var isLiteral: Bool {
    if case .literal = content { true } else { false }
  }

  /// What stands for a result that could not be computed until the boundary throws the error that was reported.
  static func placeholder(like tensor: Tensor?) -> Tensor {
    let storage = Storage(tensor?.type ?? TensorType(.scalar))
    storage.base.initializeMemory(as: UInt8.self, repeating: 0, count: storage.type.byteCount)
    return Tensor(storage)
  }

  /// Whether the elements can be read: not those of a tensor that is being staged.
  package var isReadable: Bool { storage != nil }

  static func unreadable(_ type: TensorType) -> String {
    """
    the elements of a tensor of type \(type) were read while it is being staged; inside compiled { } and in the body of \
    a loop tensors have types but no values yet
    """
  }
}

// MARK: - Reading

extension Tensor {
  /// The elements in row-major order, as values of exactly the tensor's element type.
  ///
  /// Reading with another type than the tensor's, or reading a tensor that is being staged, is a programming error.
  public func scalars<Element: TensorElement>(as type: Element.Type = Element.self) -> [Element] {
    guard let storage else { fatalError(Self.unreadable(self.type)) }
    precondition(
      Element.elementType == elementType,
      "a tensor of type \(self.type) holds \(elementType) elements, not \(Element.elementType); convert it first")
    return storage.elements(as: type)
  }

  /// The only element of a tensor that has one, as a number: 1 and 0 for truth values.
  public var item: Double {
    precondition(count == 1, "item reads a tensor of one element, not of shape \(shape)")
    return numbers[0]
  }

  /// The elements in row-major order as `Double`, whatever the element type: exact for every type, 1 and 0 for `bool`.
  public var numbers: [Double] {
    switch elementType {
    case .float32: scalars(as: Float.self).map(Double.init)
    case .float64: scalars(as: Double.self)
    case .int32: scalars(as: Int32.self).map(Double.init)
    case .bool: scalars(as: Bool.self).map { $0 ? 1 : 0 }
    }
  }
}
