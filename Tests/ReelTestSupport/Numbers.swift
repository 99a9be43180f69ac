import Reel

/// Numbers with a shape, and loops over them one element at a time: the plain code that operations are compared with.
package struct Numbers: Sendable {
  package let shape: [Int]
  package let elements: [Double]

  /// Numbers given by a function of their index.
  package init(_ shape: [Int], _ element: ([Int]) -> Double) {
    self.shape = shape
    elements = Self.indices(of: shape).map(element)
  }

  package init(_ tensor: Tensor) {
    shape = tensor.shape.extents
    elements = tensor.numbers
  }

  /// The number at an index, which has one entry for each axis.
  package subscript(index: [Int]) -> Double {
    precondition(index.count == shape.count)
    var offset = 0
    for (entry, extent) in zip(index, shape) {
      precondition(entry >= 0 && entry < extent)
      offset = offset * extent + entry
    }
    return elements[offset]
  }

  /// The number at an index of a shape that this one broadcasts to.
  package subscript(broadcast index: [Int]) -> Double {
    self[zip(index.suffix(shape.count), shape).map { $1 == 1 ? 0 : $0 }]
  }

  /// Every index of a shape, in row-major order.
  package static func indices(of shape: [Int]) -> [[Int]] {
    shape.reduce([[]]) { prefixes, extent in prefixes.flatMap { prefix in (0..<extent).map { prefix + [$0] } } }
  }

  /// The shape that some shapes broadcast to.
  package static func broadcast(_ shapes: [[Int]]) -> [Int] {
    let rank = shapes.map(\.count).max() ?? 0
    return (0..<rank).map { axis in
      let extents = shapes.compactMap { shape in
        axis - rank + shape.count >= 0 ? shape[axis - rank + shape.count] : nil
      }
      return extents.first { $0 != 1 } ?? 1
    }
  }

  /// A function of corresponding elements as one of broadcasting operands.
  package static func elementwise(
    _ function: @escaping @Sendable ([Double]) -> Double
  ) -> @Sendable ([Numbers]) -> Numbers {
    { operands in
      Numbers(broadcast(operands.map(\.shape))) { index in function(operands.map { $0[broadcast: index] }) }
    }
  }

  /// A fold over some axes, which go or stay with extent 1.
  package func folded(_ axes: [Int], keepDims: Bool = false, _ fold: ([Double]) -> Double) -> Numbers {
    let kept = shape.indices.filter { !axes.contains($0) }
    let result = Numbers(kept.map { shape[$0] }) { outer in
      let terms = Self.indices(of: axes.map { shape[$0] }).map { inner in
        self[
          shape.indices.map { axis in
            axes.firstIndex(of: axis).map { inner[$0] } ?? outer[kept.firstIndex(of: axis)!]
          }]
      }
      return fold(terms)
    }
    return keepDims ? result.reshaped(shape.indices.map { axes.contains($0) ? 1 : shape[$0] }) : result
  }

  /// The same elements under another shape.
  package func reshaped(_ shape: [Int]) -> Numbers {
    var rest = elements[...]
    return Numbers(shape) { _ in rest.removeFirst() }
  }
}
