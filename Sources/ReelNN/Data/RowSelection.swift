import Reel

/// Some places along the leading axis.
enum RowSelection {
  case range(Range<Int>)
  case list(ArraySlice<Int>)

  var count: Int {
    switch self {
    case .range(let range): range.count
    case .list(let list): list.count
    }
  }

  /// Copies the parts at the places; plain bytes, for batches are made beside a running step.
  func taken(from tensor: Tensor) -> Tensor {
    let type = TensorType(tensor.shape.replacing(0, with: count), tensor.elementType)
    let row = tensor.shape[0] == 0 ? 0 : tensor.count / tensor.shape[0] * tensor.elementType.byteCount
    return tensor.withBytes { source in
      Tensor(type) { target in
        guard let from = source.baseAddress, let to = target.baseAddress, row > 0 else { return }
        switch self {
        case .range(let range):
          to.copyMemory(from: from + range.lowerBound * row, byteCount: range.count * row)
        case .list(let list):
          for (place, index) in list.enumerated() {
            (to + place * row).copyMemory(from: from + index * row, byteCount: row)
          }
        }
      }
    }
  }
}

/// The order of the samples in an epoch.
enum EpochOrder {
  /// A permutation by the method of Fisher and Yates, the same on every machine.
  static func permutation(of count: Int, seed: UInt64, epoch: Int) -> [Int] {
    var state = seed
    // Epochs and seeds that are neighbours have nothing in common.
    state = next(&state) &+ UInt64(epoch)
    var order = Array(0..<count)
    for last in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(last, Int(next(&state).multipliedFullWidth(by: UInt64(last + 1)).high))
    }
    return order
  }

  /// SplitMix64 (Steele, Lea and Flood, 2014).
  private static func next(_ state: inout UInt64) -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
