internal import ReelKernels

/// One step of a program: a kernel with its operands, as bases and offsets.
enum Instruction: Sendable {
  case elementwise(ElementwiseCall)
  case product(ProductCall)
  case pack(PackCall)
  case reduce(ReduceCall)
  case copy(CopyCall)
  case fill(FillCall)
  case operation(OperationCall)
  case loop(LoopCall)
  case repeatWhile(WhileCall)
  case conditional(ConditionalCall)
}

/// An address that is known up to a base.
struct Address: Hashable, Sendable {
  let base: Int
  let byteOffset: Int

  init(_ view: View) {
    base = view.base
    byteOffset = view.byteOffset
  }

  func resolved(_ bases: Bases) -> UnsafeMutableRawPointer { bases[base] + byteOffset }
}

/// The bases of a running program.
typealias Bases = UnsafeMutablePointer<UnsafeMutableRawPointer>

/// An elementwise program over rows and columns, for every index of some outer axes.
struct ElementwiseCall: Sendable {
  struct Slot: Sendable {
    let address: Address
    let size: Int
    let rowStride, columnStride: Int
    /// Strides along the outer axes, in elements.
    let outerStrides: [Int]
  }

  let code: [reel_instruction]
  let registerCount: Int
  /// Registers that hold one value for each row.
  let rowRegisterCount: Int
  /// Whether the columns are whole rows, which the program folds.
  let isByRows: Bool
  let slots: [Slot]
  /// How many of the slots, at the end, are written.
  let resultCount: Int
  let outer: [Int]
  let rows, columns: Int
}

/// A matrix product, for every index of the leading axes.
struct ProductCall: Sendable {
  struct Matrix: Hashable, Sendable {
    let address: Address
    let rowStride, columnStride: Int
    /// Strides along the leading axes, in elements.
    let outerStrides: [Int]
  }

  let elementType: ElementType
  let rows, columns, inner: Int
  let a: Matrix
  let b: Matrix
  let isPacked: Bool
  let c: Matrix
  let addend: Matrix?
  /// Whether the accumulation starts from what the result holds.
  let accumulates: Bool
  /// Whether it runs from the last k to the first.
  let descends: Bool
  let outer: [Int]

  /// The struct that the kernel takes, with addresses for one index of the leading axes.
  func kernel(_ bases: Bases, _ scratch: UnsafeMutableRawPointer?, block: Int) -> reel_product {
    let size = elementType.byteCount
    func pointer(_ matrix: Matrix) -> UnsafeMutableRawPointer {
      matrix.address.resolved(bases) + size * outer.offset(ofBlock: block, matrix.outerStrides)
    }
    var product = shape
    product.a = UnsafeRawPointer(pointer(a))
    product.b = UnsafeRawPointer(pointer(b))
    product.c = pointer(c)
    product.addend = addend.map { UnsafeRawPointer(pointer($0)) }
    product.scratch = scratch
    if descends { product.descend(size) }
    return product
  }

  /// The struct without addresses, which says how much scratch a call needs.
  var shape: reel_product {
    var product = reel_product()
    (product.m, product.n, product.k) = (rows, columns, inner)
    (product.a_row, product.a_k) = (a.rowStride, a.columnStride)
    (product.b_k, product.b_column) = (b.rowStride, b.columnStride)
    product.b_packed = isPacked
    product.accumulate = accumulates
    product.c_row = c.rowStride
    (product.addend_row, product.addend_column) = (addend?.rowStride ?? 0, addend?.columnStride ?? 0)
    return product
  }
}

/// Writing the right operand of products in the order they read it.
struct PackCall: Sendable {
  let elementType: ElementType
  let inner, columns: Int
  let source: ProductCall.Matrix
  let packed: Address
}

/// A fold of a dense operand seen as `[outer, count, inner]`.
struct ReduceCall: Sendable {
  let kernel: reel_reduction
  let elementType, resultType: ElementType
  let outer, count, inner: Int
  let operand, result: Address
}

/// A copy between two layouts.
struct CopyCall: Sendable {
  let elementType: ElementType
  let extents: [Int]
  let source: Address
  let sourceStrides: [Int]
  let result: Address
  let resultStrides: [Int]
}

/// A dense block of one number.
struct FillCall: Sendable {
  let value: Double
  let type: TensorType
  let result: Address
}

/// An operation without a binding of its own to a strided kernel: it runs as it does eagerly.
struct OperationCall: Sendable {
  let operation: any Operation
  let operands: [View]
  let results: [View]
}

/// A loop over the steps of some sequences.
struct LoopCall: Sendable {
  /// A base that moves along a sequence or a stack.
  struct Stepper: Sendable {
    let base: Int
    let source: Address
    let byteStride: Int
  }

  /// A carry: where it is read, and where the next one is written.
  struct Carry: Sendable {
    let incoming: Int
    let initial: Address
    let outgoing: Outgoing
  }

  enum Outgoing: Sendable {
    /// The slot of a stack, whose base is moved by a stepper.
    case stack(Address)
    /// A base that alternates between two buffers.
    case buffers(base: Int, even: Int, odd: Int)
  }

  let length: Int
  let isReversed: Bool
  let steppers: [Stepper]
  let carries: [Carry]
  /// Runs once, before the first step.
  let prologue: [Instruction]
  let body: [Instruction]
  /// What each instruction of the body belongs to.
  let origins: [RunLog.Origin]
  /// The number of rows that every instruction of the body works on one by one, so that threads can take some each.
  let independentRows: Int?
}

extension [Instruction] {
  /// What the instructions before a loop belong to, which write the right operands of its products in another order.
  var packing: [RunLog.Origin] { map { _ in RunLog.Origin(name: "pack", path: [], byteCount: 0) } }
}
