import ReelKernels
import Testing

/// The kernels of one instruction set, with arrays for buffers.
struct Kernels: CustomTestStringConvertible, Sendable {
  let isa: reel_isa

  static let all: [Kernels] = [REEL_ISA_PORTABLE, REEL_ISA_AVX2, REEL_ISA_AVX512, REEL_ISA_NEON]
    .filter(reel_isa_is_supported)
    .map(Kernels.init)

  static let best = Kernels(isa: reel_isa_best())

  static let portable = Kernels(isa: REEL_ISA_PORTABLE)

  /// All but the portable ones: what these are compared with.
  static let vectorized = all.filter { $0.isa != REEL_ISA_PORTABLE }

  var table: reel_kernels { reel_kernels_for(isa)!.pointee }

  var testDescription: String {
    switch isa {
    case REEL_ISA_PORTABLE: "portable"
    case REEL_ISA_AVX2: "AVX2"
    case REEL_ISA_AVX512: "AVX-512"
    default: "NEON"
    }
  }
}

/// What a buffer of the kernels may hold. A bool is a byte.
protocol KernelElement: BitwiseCopyable, Equatable, Sendable {
  static var type: reel_element { get }
  static var zero: Self { get }

  /// The bits, with every NaN the same: which NaN comes out may differ between processors.
  var bits: UInt64 { get }
}

extension Float: KernelElement {
  static var type: reel_element { REEL_FLOAT32 }
  var bits: UInt64 { isNaN ? 1 << 40 : UInt64(bitPattern) }
}

extension Double: KernelElement {
  static var type: reel_element { REEL_FLOAT64 }
  var bits: UInt64 { isNaN ? Double.nan.bitPattern : bitPattern }
}

extension Int32: KernelElement {
  static var type: reel_element { REEL_INT32 }
  var bits: UInt64 { UInt64(UInt32(bitPattern: self)) }
}

extension UInt8: KernelElement {
  static var type: reel_element { REEL_BOOL }
  var bits: UInt64 { UInt64(self) }
}

/// Scratch memory, aligned as the kernels want it.
func withScratch<Result>(_ byteCount: Int, _ body: (UnsafeMutableRawPointer) -> Result) -> Result {
  let scratch = UnsafeMutableRawPointer.allocate(byteCount: max(byteCount, 64), alignment: 64)
  defer { scratch.deallocate() }
  return body(scratch)
}

func instruction(
  _ opcode: reel_opcode, _ type: reel_element, to: reel_element? = nil, result: Int, _ a: Int, _ b: Int = 0,
  _ c: Int = 0
) -> reel_instruction {
  reel_instruction(
    opcode: UInt8(opcode.rawValue), type: UInt8(type.rawValue), to: UInt8((to ?? type).rawValue),
    result: UInt8(result), a: UInt8(a), b: UInt8(b), c: UInt8(c))
}

extension Kernels {
  /// Runs a program over slots that point into memory of the caller.
  func run(
    _ code: [reel_instruction], slots: [reel_slot], rows: Int, columns: Int, registers: Int = 0
  ) {
    withScratch(reel_elementwise_scratch(registers)) { scratch in
      code.withUnsafeBufferPointer { code in
        slots.withUnsafeBufferPointer { slots in
          var program = reel_program(
            code: code.baseAddress, code_count: code.count, slots: slots.baseAddress, slot_count: slots.count,
            rows: rows, columns: columns, scratch: scratch, register_count: registers,
            row_register_count: 0, by_rows: false)
          table.elementwise(&program)
        }
      }
    }
  }

  /// One instruction of one operand over contiguous memory.
  func apply<A: KernelElement, Result: KernelElement>(_ opcode: reel_opcode, _ a: [A], to: Result.Type) -> [Result] {
    var a = a
    var result = [Result](repeating: .zero, count: a.count)
    let code = [instruction(opcode, A.type, to: Result.type, result: 1, 0)]
    a.withUnsafeMutableBytes { a in
      result.withUnsafeMutableBytes { result in
        run(
          code, slots: [contiguous(a), contiguous(result)], rows: 1,
          columns: result.count / MemoryLayout<Result>.size)
      }
    }
    return result
  }

  /// One instruction of two operands over contiguous memory.
  func apply<A: KernelElement, Result: KernelElement>(
    _ opcode: reel_opcode, _ a: [A], _ b: [A], to: Result.Type
  ) -> [Result] {
    var a = a
    var b = b
    var result = [Result](repeating: .zero, count: a.count)
    let code = [instruction(opcode, A.type, to: Result.type, result: 2, 0, 1)]
    a.withUnsafeMutableBytes { a in
      b.withUnsafeMutableBytes { b in
        result.withUnsafeMutableBytes { result in
          run(
            code, slots: [contiguous(a), contiguous(b), contiguous(result)], rows: 1,
            columns: result.count / MemoryLayout<Result>.size)
        }
      }
    }
    return result
  }

  /// One instruction of three operands over contiguous memory.
  func apply<A: KernelElement>(_ opcode: reel_opcode, _ a: [A], _ b: [A], _ c: [A], to: A.Type) -> [A] {
    var operands = [a, b, c].flatMap(\.self)
    var result = [A](repeating: .zero, count: a.count)
    operands.withUnsafeMutableBytes { operands in
      result.withUnsafeMutableBytes { result in
        let parts = (0..<3).map { part in
          reel_slot(base: operands.baseAddress! + part * result.count, row_stride: 0, column_stride: 1)
        }
        run(
          [instruction(opcode, A.type, result: 3, 0, 1, 2)], slots: parts + [contiguous(result)], rows: 1,
          columns: result.count / MemoryLayout<A>.size)
      }
    }
    return result
  }

  /// A choice over contiguous memory.
  func select<A: KernelElement>(_ condition: [UInt8], _ a: [A], _ b: [A]) -> [A] {
    var condition = condition
    var a = a
    var b = b
    var result = [A](repeating: .zero, count: a.count)
    let code = [instruction(REEL_OP_SELECT, A.type, result: 3, 0, 1, 2)]
    condition.withUnsafeMutableBytes { condition in
      a.withUnsafeMutableBytes { a in
        b.withUnsafeMutableBytes { b in
          result.withUnsafeMutableBytes { result in
            run(
              code, slots: [contiguous(condition), contiguous(a), contiguous(b), contiguous(result)], rows: 1,
              columns: result.count / MemoryLayout<A>.size)
          }
        }
      }
    }
    return result
  }
}

private func contiguous(_ bytes: UnsafeMutableRawBufferPointer) -> reel_slot {
  reel_slot(base: bytes.baseAddress, row_stride: 0, column_stride: 1)
}
