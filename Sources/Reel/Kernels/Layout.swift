/// A block of elements as several operands see it: extents, and for each operand the strides along them.
struct Layout {
  var extents: [Int]
  var strides: [[Int]]

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
  let offset: Int
  let strides: [Int]

  /// - Parameters:
  ///   - storage: The storage.
  ///   - offset: The first element; 0 by default.
  ///   - strides: The strides; those of the storage's own shape if nil.
  init(_ storage: Storage, offset: Int = 0, strides: [Int]? = nil) {
    self.storage = storage
    self.offset = offset
    self.strides = strides ?? storage.type.shape.strides
  }

  var base: UnsafeMutableRawPointer { storage.base + offset * storage.type.elementType.byteCount }
}
