/// The extents of a tensor's axes, outermost first: `[batch, time, features]`.
///
/// A scalar has the empty shape; an extent may be 0. Axes may be counted from the end: axis -1 is the last one.
public struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral {
  private typealias Inline = (Int, Int, Int, Int, Int, Int)

  /// The extents of up to six axes. A shape is copied with every tensor, and this way the copy counts no references.
  private var inline: Inline = (0, 0, 0, 0, 0, 0)
  /// All extents, where there are more than six.
  private var spilled: [Int]?

  /// The number of axes.
  public let rank: Int

  /// The number of elements: the product of the extents (1 for a scalar).
  public let count: Int

  /// A shape with the given extents, none of which is negative.
  public init(_ extents: [Int]) {
    rank = extents.count
    var count = 1
    for extent in extents {
      precondition(extent >= 0, "a shape has no negative extents: \(extents)")
      count *= extent
    }
    self.count = count
    guard extents.count <= MemoryLayout<Inline>.size / MemoryLayout<Int>.stride else {
      spilled = extents
      return
    }
    withUnsafeMutableBytes(of: &inline) { bytes in
      for (axis, extent) in extents.enumerated() {
        bytes.storeBytes(of: extent, toByteOffset: axis * MemoryLayout<Int>.stride, as: Int.self)
      }
    }
  }

  /// The extents as an array.
  public var extents: [Int] { spilled ?? (0..<rank).map(inlineExtent) }

  private func inlineExtent(_ axis: Int) -> Int {
    switch axis {
    case 0: inline.0
    case 1: inline.1
    case 2: inline.2
    case 3: inline.3
    case 4: inline.4
    default: inline.5
    }
  }

  /// Whether the extents are the same.
  public static func == (left: Shape, right: Shape) -> Bool {
    left.rank == right.rank && left.count == right.count && left.inline.0 == right.inline.0
      && left.inline.1 == right.inline.1 && left.inline.2 == right.inline.2 && left.inline.3 == right.inline.3
      && left.inline.4 == right.inline.4 && left.inline.5 == right.inline.5 && left.spilled == right.spilled
  }

  /// Hashes the extents.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(rank)
    for axis in 0..<rank { hasher.combine(self[axis]) }
  }

  /// A shape written as a literal, such as `[32, 28, 28]`.
  public init(arrayLiteral extents: Int...) {
    self.init(extents)
  }

  /// The shape of a scalar.
  public static let scalar = Shape([])

  /// The extent of the last axis. A scalar has none: a ``TensorError``.
  public var last: Int { self[-1] }

  /// The extent of an axis; negative axes count from the end. An axis out of range is a ``TensorError``.
  public subscript(axis: Int) -> Int {
    let index = axis < 0 ? axis + rank : axis
    guard index >= 0, index < rank else {
      TensorError(operation: "shape", problem: "axis \(axis) of shape \(self), which has \(rank) axes").report()
      return 1
    }
    return spilled?[index] ?? inlineExtent(index)
  }

  /// The extents of some axes, as a shape.
  public subscript(axes: some RangeExpression<Int>) -> Shape { Shape(Array(extents[axes])) }
}

extension Shape: CustomStringConvertible {
  /// The extents in brackets: `[2,3]`.
  public var description: String { "[" + extents.map(String.init).joined(separator: ",") + "]" }
}

extension Shape {
  /// The distance in elements between neighbours along each axis, for elements in row-major order.
  package var strides: [Int] {
    var strides = [Int](repeating: 1, count: rank)
    for axis in extents.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * extents[axis + 1]
    }
    return strides
  }

  /// The shape that both broadcast to, or nil: aligned at the last axis, extents agree or one of them is 1.
  package func broadcast(with other: Shape) -> Shape? {
    if self == other { return self }
    let (long, short) = rank >= other.rank ? (extents, other.extents) : (other.extents, extents)
    var result = long
    let offset = long.count - short.count
    for (axis, extent) in short.enumerated() where extent != result[offset + axis] {
      if result[offset + axis] == 1 {
        result[offset + axis] = extent
      } else if extent != 1 {
        return nil
      }
    }
    return Shape(result)
  }

  /// The strides with which dense elements of this shape are read as the larger shape `target`: 0 where broadcast.
  package func strides(broadcastTo target: Shape) -> [Int] {
    var result = [Int](repeating: 0, count: target.rank)
    let offset = target.rank - rank
    for (axis, stride) in strides.enumerated() where extents[axis] != 1 {
      result[offset + axis] = stride
    }
    return result
  }

  /// The axis counted from the front.
  package func normalized(axis: Int, in operation: String) throws(TensorError) -> Int {
    let index = axis < 0 ? axis + rank : axis
    guard index >= 0, index < rank else {
      throw TensorError(
        operation: operation, problem: "axis \(axis) of an operand of shape \(self)",
        expected: rank == 0 ? "an operand with axes" : "an axis in \(-rank)...\(rank - 1)")
    }
    return index
  }

  /// The shape with another extent at an axis counted from the front.
  package func replacing(_ axis: Int, with extent: Int) -> Shape {
    var extents = extents
    extents[axis] = extent
    return Shape(extents)
  }

  /// The shape without an axis counted from the front.
  package func removing(_ axis: Int) -> Shape {
    var extents = extents
    extents.remove(at: axis)
    return Shape(extents)
  }

  /// The shape with a new axis before the axis counted from the front.
  package func inserting(_ extent: Int, at axis: Int) -> Shape {
    var extents = extents
    extents.insert(extent, at: axis)
    return Shape(extents)
  }
}
