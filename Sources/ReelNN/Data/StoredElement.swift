import Reel

/// An element type of files, by its name in the safetensors format, and how it becomes one of Reel's.
///
/// `F32`, `F64`, `I32` and `BOOL` are Reel's own. Smaller floating-point types are read as `float32`, smaller integers as
/// `int32`, exactly. `I64`, `U64` and `U32` are read as `int32` too, if every element can be, and are refused otherwise.
enum StoredElement: String, Sendable {
  case float64 = "F64"
  case float32 = "F32"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case float8e5m2 = "F8_E5M2"
  case float8e4m3 = "F8_E4M3"
  case int64 = "I64"
  case int32 = "I32"
  case int16 = "I16"
  case int8 = "I8"
  case uint64 = "U64"
  case uint32 = "U32"
  case uint16 = "U16"
  case uint8 = "U8"
  case bool = "BOOL"

  /// The type that elements of Reel's are written in.
  init(_ elementType: ElementType) {
    switch elementType {
    case .float32: self = .float32
    case .float64: self = .float64
    case .int32: self = .int32
    case .bool: self = .bool
    }
  }

  /// The bytes of one element.
  var byteCount: Int {
    switch self {
    case .float64, .int64, .uint64: 8
    case .float32, .int32, .uint32: 4
    case .float16, .bfloat16, .int16, .uint16: 2
    case .float8e5m2, .float8e4m3, .int8, .uint8, .bool: 1
    }
  }

  /// What the elements are read as.
  var elementType: ElementType {
    switch self {
    case .float64: .float64
    case .float32, .float16, .bfloat16, .float8e5m2, .float8e4m3: .float32
    case .int64, .int32, .int16, .int8, .uint64, .uint32, .uint16, .uint8: .int32
    case .bool: .bool
    }
  }

  /// What an element is that has no place in Reel's type.
  struct Misfit: Error {
    let problem: String
  }

  /// The elements of some bytes in little endian, as a tensor.
  func tensor(_ shape: Shape, _ bytes: UnsafeRawBufferPointer) throws(Misfit) -> Tensor {
    try Tensor(TensorType(shape, elementType)) { (target) throws(Misfit) in
      switch self {
      // Every platform that Reel is built for is little-endian, as the format is.
      case .float64, .float32, .int32: target.copyMemory(from: bytes)
      case .bool:
        if let index = bytes.firstIndex(where: { $0 > 1 }) {
          throw Misfit(problem: "element \(index) is \(bytes[index]), which is no truth value")
        }
        target.copyMemory(from: bytes)
      case .float16: convert(bytes, UInt16.self, into: target, Self.number(half:))
      case .bfloat16: convert(bytes, UInt16.self, into: target) { Float(bitPattern: UInt32($0) << 16) }
      case .float8e5m2: convert(bytes, UInt8.self, into: target) { Self.number(half: UInt16($0) << 8) }
      case .float8e4m3: convert(bytes, UInt8.self, into: target, Self.number(e4m3:))
      case .int64: try integers(bytes, Int64.self, into: target)
      case .int16: try integers(bytes, Int16.self, into: target)
      case .int8: try integers(bytes, Int8.self, into: target)
      case .uint64: try integers(bytes, UInt64.self, into: target)
      case .uint32: try integers(bytes, UInt32.self, into: target)
      case .uint16: try integers(bytes, UInt16.self, into: target)
      case .uint8: try integers(bytes, UInt8.self, into: target)
      }
    }
  }

  // MARK: - Conversions

  private func convert<Word: FixedWidthInteger>(
    _ bytes: UnsafeRawBufferPointer, _ word: Word.Type, into target: UnsafeMutableRawBufferPointer,
    _ number: (Word) -> Float
  ) {
    let size = MemoryLayout<Word>.size
    let numbers = target.bindMemory(to: Float.self)
    for index in 0..<bytes.count / size {
      numbers[index] = number(Word(littleEndian: bytes.loadUnaligned(fromByteOffset: index * size, as: Word.self)))
    }
  }

  private func integers<Word: FixedWidthInteger>(
    _ bytes: UnsafeRawBufferPointer, _ word: Word.Type, into target: UnsafeMutableRawBufferPointer
  ) throws(Misfit) {
    let size = MemoryLayout<Word>.size
    let numbers = target.bindMemory(to: Int32.self)
    for index in 0..<bytes.count / size {
      let value = Word(littleEndian: bytes.loadUnaligned(fromByteOffset: index * size, as: Word.self))
      guard let number = Int32(exactly: value) else {
        throw Misfit(problem: "element \(index) is \(value), which is no int32")
      }
      numbers[index] = number
    }
  }

  /// IEEE 754 half precision: 1 bit of sign, 5 of exponent, 10 of fraction. `Float16` is not everywhere.
  private static func number(half bits: UInt16) -> Float {
    let (exponent, fraction) = (Int(bits >> 10 & 0x1F), Float(bits & 0x3FF))
    let sign: Float = bits >> 15 == 0 ? 1 : -1
    switch exponent {
    case 0: return sign * fraction * 0x1p-24
    case 31: return fraction == 0 ? sign * .infinity : .nan
    default: return sign * Float(sign: .plus, exponent: exponent - 15, significand: 1 + fraction * 0x1p-10)
    }
  }

  /// 1 bit of sign, 4 of exponent, 3 of fraction; no infinities, and all ones for NaN.
  private static func number(e4m3 bits: UInt8) -> Float {
    let (exponent, fraction) = (Int(bits >> 3 & 0xF), Float(bits & 7))
    let sign: Float = bits >> 7 == 0 ? 1 : -1
    if bits & 0x7F == 0x7F { return .nan }
    if exponent == 0 { return sign * fraction * 0x1p-9 }
    return sign * Float(sign: .plus, exponent: exponent - 7, significand: 1 + fraction * 0x1p-3)
  }
}
