import Foundation
internal import ReelKernels

/// The Swift face of the C kernels, and the only folder that calls them. Types are checked by then.
enum Kernels {
  /// The kernels of the best instruction set, or of the one that `REEL_ISA` asks for. The table is a constant of the C
  /// target, which the compiler cannot know.
  nonisolated(unsafe) static let table: UnsafePointer<reel_kernels> = {
    let best = reel_kernels_for(reel_isa_best())!
    guard let name = ProcessInfo.processInfo.environment["REEL_ISA"] else { return best }
    guard let isa = Runtime.instructionSet(named: name), let kernels = reel_kernels_for(isa) else {
      let supported = Runtime.supportedInstructionSets.joined(separator: ", ")
      fatalError("REEL_ISA=\(name): this machine has \(supported)")
    }
    return kernels
  }()

  /// Scratch memory for one call, aligned for the kernels: much of it comes from the blocks that buffers have left.
  static func withScratch<Result>(_ byteCount: Int, _ body: (UnsafeMutableRawPointer) -> Result) -> Result {
    let buffer = Buffer(byteCount: Swift.max(byteCount, Buffer.alignedByteCount))
    return withExtendedLifetime(buffer) { body(buffer.base) }
  }
}

extension ElementType {
  var kernel: reel_element {
    switch self {
    case .float32: REEL_FLOAT32
    case .float64: REEL_FLOAT64
    case .int32: REEL_INT32
    case .bool: REEL_BOOL
    }
  }
}

// MARK: - Making and moving

extension Kernels {
  static func fill(_ result: Storage, with value: Double) { fill(result.base, result.type, with: value) }

  static func fill(_ result: UnsafeMutableRawPointer, _ type: TensorType, with value: Double) {
    func fill(_ element: some TensorElement) {
      withUnsafeBytes(of: element) {
        table.pointee.fill(type.elementType.kernel, $0.baseAddress!, type.shape.count, result)
      }
    }
    switch type.elementType {
    case .float32: fill(Float(value))
    case .float64: fill(value)
    case .int32: fill(Int32(value))
    case .bool: fill(value != 0)
    }
  }

  static func iota(_ result: Storage, start: Double, step: Double) {
    table.pointee.iota(result.type.elementType.kernel, start, step, result.type.shape.count, result.base)
  }

  /// Copies a block of `extents` elements.
  static func copy(_ source: StridedView, into result: StridedView, extents: [Int]) {
    if extents.contains(0) { return }
    let layout = Layout(extents: extents, strides: [source.strides, result.strides]).collapsed()
    table.pointee.copy(
      source.storage.type.elementType.kernel, layout.extents.count, layout.extents,
      source.base, layout.strides[0], result.base, layout.strides[1])
  }

  /// Copies the elements of a view that lie at an address.
  static func copy(_ view: View, at address: UnsafeMutableRawPointer, into result: Storage) {
    let source = Storage(view.type, in: Buffer(borrowing: address, byteCount: Int.max))
    copy(StridedView(source, strides: view.strides), into: StridedView(result), extents: view.shape.extents)
  }

  static func randomBits(key: (Int32, Int32), into result: Storage) {
    table.pointee.random_bits(
      UInt32(bitPattern: key.0), UInt32(bitPattern: key.1), result.type.shape.count,
      result.base.assumingMemoryBound(to: UInt32.self))
  }
}

// MARK: - Along an axis

extension Shape {
  /// The shape seen from one axis: how much lies outside it and inside.
  fileprivate func around(_ axis: Int) -> (outer: Int, count: Int, inner: Int) {
    (extents[..<axis].reduce(1, *), extents[axis], extents[(axis + 1)...].reduce(1, *))
  }
}

extension Kernels {
  static func reduce(_ reduction: reel_reduction, _ operand: Storage, axes: [Int], into result: Storage) {
    let shape = operand.type.shape
    guard let first = axes.first, let last = axes.last, last - first == axes.count - 1 || axes.isEmpty else {
      return axes.isEmpty ? result.copy(from: operand) : reduceScattered(reduction, operand, axes: axes, into: result)
    }
    let outer = shape.extents[..<first].reduce(1, *)
    let inner = shape.extents[(last + 1)...].reduce(1, *)
    let count = shape.extents[first...last].reduce(1, *)
    table.pointee.reduce(
      reduction, operand.type.elementType.kernel, operand.base, outer, count, inner, result.base)
  }

  /// Axes that are not neighbours are brought to the end first.
  private static func reduceScattered(
    _ reduction: reel_reduction, _ operand: Storage, axes: [Int], into result: Storage
  ) {
    let shape = operand.type.shape
    let order = shape.extents.indices.filter { !axes.contains($0) } + axes
    let permuted = Storage(TensorType(Shape(order.map { shape.extents[$0] }), operand.type.elementType))
    let strides = shape.strides
    copy(
      StridedView(operand, strides: order.map { strides[$0] }), into: StridedView(permuted),
      extents: permuted.type.shape.extents)
    reduce(reduction, permuted, axes: Array(order.count - axes.count..<order.count), into: result)
  }

  static func cumulativeSum(
    _ operand: Storage, axis: Int, isExclusive: Bool, isReversed: Bool, into result: Storage
  ) {
    let (outer, count, inner) = operand.type.shape.around(axis)
    table.pointee.cumulative_sum(
      operand.type.elementType.kernel, operand.base, outer, count, inner, isExclusive, isReversed, result.base)
  }

  static func gather(_ operand: Storage, _ indices: Storage, axis: Int, into result: Storage) {
    let (outer, count, inner) = operand.type.shape.around(axis)
    table.pointee.gather(
      operand.type.elementType.kernel, operand.base, outer, count, inner,
      indices.base.assumingMemoryBound(to: Int32.self), indices.type.shape.count, result.base)
  }

  /// Adds to what `result` holds.
  static func scatterAdd(_ operand: Storage, _ indices: Storage, axis: Int, into result: Storage) {
    let (outer, count, inner) = result.type.shape.around(axis)
    table.pointee.scatter_add(
      operand.type.elementType.kernel, operand.base, outer, indices.type.shape.count, inner,
      indices.base.assumingMemoryBound(to: Int32.self), count, result.base)
  }

  /// Adds windows along an axis of the result to what it holds; the operand has two axes in its place.
  static func overlapAdd(_ operand: Storage, axis: Int, stride: Int, dilation: Int, into result: Storage) {
    let (outer, extent, inner) = result.type.shape.around(axis)
    let windows = operand.type.shape
    table.pointee.overlap_add(
      operand.type.elementType.kernel, operand.base, outer, windows[axis], windows[axis + 1], inner, stride, dilation,
      extent, result.base)
  }
}
