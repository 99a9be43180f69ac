/// A block of elements as several operands see it: extents, and for each operand the strides along them.
struct Layout {
  var extents: [Int]
  var strides: [[Int]]

  /// As ``collapsed()``, but for the leading axis, which stays as it is.
  func collapsedAfterLeading() -> Layout {
    var rest = Layout(extents: Array(extents.dropFirst()), strides: strides.map { Array($0.dropFirst()) }).collapsed()
    rest.extents.insert(extents[0], at: 0)
    for operand in strides.indices { rest.strides[operand].insert(strides[operand][0], at: 0) }
    if rest.extents.count == 1 {
      // Columns of one element, so that the leading axis is that of the rows.
      rest.extents.append(1)
      for operand in strides.indices { rest.strides[operand].append(1) }
    }
    return rest
  }

  /// As ``collapsed()``, but for the last axis, which stays as it is.
  func collapsedBeforeLast() -> Layout {
    var leading = Layout(extents: Array(extents.dropLast()), strides: strides.map { Array($0.dropLast()) }).collapsed()
    leading.extents.append(extents[extents.count - 1])
    for operand in strides.indices { leading.strides[operand].append(strides[operand][extents.count - 1]) }
    return leading
  }

  /// The same block with neighbouring axes taken together wherever every operand lies in one stride along both, and
  /// without axes of extent 1.
  func collapsed() -> Layout {
    var extents: [Int] = []
    var strides = [[Int]](repeating: [], count: self.strides.count)
    for axis in self.extents.indices where self.extents[axis] != 1 {
      let extent = self.extents[axis]
      let continues =
        !extents.isEmpty
        && self.strides.indices.allSatisfy { strides[$0].last! == self.strides[$0][axis] * extent }
      if continues {
        extents[extents.count - 1] *= extent
        for operand in strides.indices { strides[operand][extents.count - 1] = self.strides[operand][axis] }
      } else {
        extents.append(extent)
        for operand in strides.indices { strides[operand].append(self.strides[operand][axis]) }
      }
    }
    return Layout(extents: extents, strides: strides)
  }
}

/// Elements of a storage as a block: where it starts and the strides along its axes, in elements.
struct StridedView {
  let storage: Storage
  let byteOffset: Int
  let strides: [Int]

  /// - Parameters:
  ///   - storage: The storage.
  ///   - offset: The first element; 0 by default.
  ///   - strides: The strides; those of the storage's own shape if nil.
  init(_ storage: Storage, offset: Int = 0, strides: [Int]? = nil) {
    self.init(
      storage, byteOffset: offset * storage.type.elementType.byteCount, strides: strides ?? storage.type.shape.strides)
  }

  init(_ storage: Storage, byteOffset: Int, strides: [Int]) {
    self.storage = storage
    self.byteOffset = byteOffset
    self.strides = strides
  }

  var base: UnsafeMutableRawPointer { storage.base + byteOffset }
}

extension [Int] {
  /// Where a block lies, counting blocks along axes of these extents in row-major order.
  func offset(ofBlock block: Int, _ strides: [Int]) -> Int {
    var (rest, offset) = (block, 0)
    for axis in indices.reversed() {
      offset += rest % self[axis] * strides[axis]
      rest /= self[axis]
    }
    return offset
  }
}
