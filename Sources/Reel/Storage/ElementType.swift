/// The type of a tensor's elements.
///
/// Arithmetic is done in `float32` and `float64`; indices and labels are `int32`; masks are `bool`.
/// Reel never promotes silently: operands of one operation have one element type, and ``Tensor/converted(to:)`` is the
/// only way from one to another. A number literal takes the element type of the tensor it meets.
public enum ElementType: UInt8, Hashable, Sendable, CaseIterable {
  /// IEEE 754 single precision, 4 bytes.
  case float32
  /// IEEE 754 double precision, 8 bytes.
  case float64
  /// Two's complement, 4 bytes; arithmetic wraps.
  case int32
  /// One byte, 0 or 1.
  case bool

  /// The bytes one element takes.
  public var byteCount: Int {
    switch self {
    case .float64: 8
    case .float32, .int32: 4
    case .bool: 1
    }
  }

  /// Whether the type is `float32` or `float64`, the types that can be differentiated.
  public var isFloatingPoint: Bool { self == .float32 || self == .float64 }

  /// Whether the type has arithmetic: every type but `bool`.
  public var isNumeric: Bool { self != .bool }

  /// The floating-point type that new tensors and parameters have unless they say otherwise: `float32`, or what
  /// ``withDefault(_:_:)`` set around the running code.
  public static var `default`: ElementType { defaultElementType }

  @TaskLocal private static var defaultElementType: ElementType = .float32

  /// Runs `body` with another default element type, so that code written for `float32` runs in `float64`.
  ///
  /// - Parameters:
  ///   - elementType: `float32` or `float64`.
  ///   - body: The code to run.
  /// - Returns: What `body` returns.
  public static func withDefault<Result>(_ elementType: ElementType, _ body: () throws -> Result) rethrows -> Result {
    precondition(elementType.isFloatingPoint, "the default element type is a floating-point type, not \(elementType)")
    return try $defaultElementType.withValue(elementType, operation: body)
  }
}

extension ElementType: CustomStringConvertible {
  /// The name in printed graphs: `f32`, `f64`, `i32` or `bool`.
  public var description: String {
    switch self {
    case .float32: "f32"
    case .float64: "f64"
    case .int32: "i32"
    case .bool: "bool"
    }
  }
}

extension ElementType {
  /// The element type of a name in printed graphs; nil if there is none.
  package init?(name: String) {
    guard let found = Self.allCases.first(where: { $0.description == name }) else { return nil }
    self = found
  }
}

/// A Swift type whose values can be the elements of a tensor.
public protocol TensorElement: Sendable {
  /// The element type of tensors that hold such values.
  static var elementType: ElementType { get }
}

extension Float: TensorElement {
  /// `float32`.
  public static var elementType: ElementType { .float32 }
}

extension Double: TensorElement {
  /// `float64`.
  public static var elementType: ElementType { .float64 }
}

extension Int32: TensorElement {
  /// `int32`.
  public static var elementType: ElementType { .int32 }
}

extension Bool: TensorElement {
  /// `bool`.
  public static var elementType: ElementType { .bool }
}
