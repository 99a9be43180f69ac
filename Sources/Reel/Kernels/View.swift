/// Where a program finds the elements of a value: a base, known when the program runs, an offset, and strides.
package struct View: Hashable, Sendable {
  /// An index of the table of bases.
  var base: Int
  var byteOffset: Int
  var type: TensorType
  /// The distance between neighbours along each axis, in elements; 0 where one element is repeated.
  var strides: [Int]

  init(base: Int, byteOffset: Int = 0, _ type: TensorType, strides: [Int]? = nil) {
    self.base = base
    self.byteOffset = byteOffset
    self.type = type
    self.strides = strides ?? type.shape.strides
  }

  var shape: Shape { type.shape }

  /// Whether the elements lie one after another in row-major order.
  var isDense: Bool {
    var expected = 1
    for axis in shape.extents.indices.reversed() where shape.extents[axis] != 1 {
      guard strides[axis] == expected else { return shape.count == 0 }
      expected *= shape.extents[axis]
    }
    return true
  }

  /// The strides with which the view is read as a larger shape.
  func strides(broadcastTo target: Shape) -> [Int] {
    let offset = target.rank - shape.rank
    return target.extents.indices.map { axis in
      axis < offset || shape.extents[axis - offset] == 1 ? 0 : strides[axis - offset]
    }
  }

  /// The elements `start`, `start + step`, … of an axis counted from the front.
  func sliced(axis: Int, start: Int, step: Int, count: Int) -> View {
    var result = self
    result.type.shape = shape.replacing(axis, with: count)
    if count > 0 { result.byteOffset += start * strides[axis] * type.elementType.byteCount }
    result.strides[axis] *= step
    return result
  }

  /// The axes in another order.
  func transposed(_ order: [Int]) -> View {
    var result = self
    result.type.shape = Shape(order.map { shape.extents[$0] })
    result.strides = order.map { strides[$0] }
    return result
  }

  /// The elements in the same order under another shape, if strides can say so.
  func reshaped(to target: Shape) -> View? {
    var result = self
    result.type.shape = target
    if isDense || shape.count == 0 {
      result.strides = target.strides
      return result
    }
    // Both shapes are walked from the end in groups of equal counts; within a group the source must be one run.
    var strides = [Int](repeating: 0, count: target.rank)
    var (source, axis) = (shape.rank - 1, target.rank - 1)
    // The strides of axes of extent 1 say nothing.
    func skipUnits() { while source >= 0 && shape.extents[source] == 1 { source -= 1 } }
    while axis >= 0 {
      if target.extents[axis] == 1 {
        axis -= 1
        continue
      }
      skipUnits()
      guard source >= 0 else { return nil }
      var (sourceCount, targetCount) = (shape.extents[source], target.extents[axis])
      var stride = self.strides[source]
      strides[axis] = stride
      while sourceCount != targetCount {
        if sourceCount < targetCount {
          let inner = shape.extents[source] * self.strides[source]
          source -= 1
          skipUnits()
          guard source >= 0, self.strides[source] == inner else { return nil }
          sourceCount *= shape.extents[source]
        } else {
          stride *= target.extents[axis]
          axis -= 1
          guard axis >= 0 else { return nil }
          targetCount *= target.extents[axis]
          strides[axis] = stride
        }
      }
      source -= 1
      axis -= 1
    }
    result.strides = strides
    return result
  }
}
