import Reel
import ReelTestSupport

// Operations that move elements: shapes, slices, joining, gathering.
extension OperationTable {
  private static func reshape(_ operand: Row.Operand, _ shape: Shape, gives type: ElementType? = nil) -> Row {
    Row("reshape", [operand], variant: "to \(shape)", gives: type) {
      $0[0].reshaped(to: shape)
    } reference: {
      $0[0].reshaped(shape.extents)
    }
  }

  private static func transpose(_ operand: Row.Operand, _ order: [Int], gives type: ElementType? = nil) -> Row {
    Row("transpose", [operand], variant: "\(order)", gives: type) {
      $0[0].transposed(order)
    } reference: { x in
      Numbers(order.map { x[0].shape[$0] }) { index in x[0][order.indices.map { index[order.firstIndex(of: $0)!] }] }
    }
  }

  private static func broadcast(_ operand: Row.Operand, _ shape: Shape, gives type: ElementType? = nil) -> Row {
    Row("broadcast", [operand], variant: "to \(shape)", gives: type) {
      $0[0].broadcasted(to: shape)
    } reference: { x in
      Numbers(shape.extents) { x[0][broadcast: $0] }
    }
  }

  /// The elements at some places along an axis.
  @Sendable private static func picked(_ x: Numbers, _ places: [Int], _ axis: Int) -> Numbers {
    var shape = x.shape
    shape[axis] = places.count
    return Numbers(shape) { index in
      var other = index
      other[axis] = places[index[axis]]
      return x[other]
    }
  }

  private static func slice(
    _ operand: Row.Operand, _ range: Range<Int>, along axis: Int, step: Int = 1, gives type: ElementType? = nil
  ) -> Row {
    Row("slice", [operand], variant: "\(range) by \(step) along \(axis)", gives: type) {
      $0[0].sliced(range, along: axis, step: step)
    } reference: {
      let front = axis < 0 ? axis + $0[0].shape.count : axis
      return picked($0[0], Array(stride(from: range.lowerBound, to: range.upperBound, by: step)), front)
    }
  }

  private static func reversed(_ operand: Row.Operand, along axis: Int) -> Row {
    Row("slice", [operand], variant: "reversed along \(axis)") {
      $0[0].reversed(along: axis)
    } reference: {
      let front = axis < 0 ? axis + $0[0].shape.count : axis
      return picked($0[0], (0..<$0[0].shape[front]).reversed(), front)
    }
  }

  /// Padding with zeros is the transpose of a slice.
  private static func unslice(
    _ operand: Row.Operand, _ before: Int, _ after: Int, along axis: Int, gives type: ElementType? = nil
  ) -> Row {
    Row("unslice", [operand], variant: "\(before), \(after) along \(axis)", gives: type) {
      $0[0].padded(before: before, after: after, along: axis)
    } reference: { x in
      let front = axis < 0 ? axis + x[0].shape.count : axis
      var shape = x[0].shape
      shape[front] += before + after
      return Numbers(shape) { index in
        var other = index
        other[front] -= before
        return other[front] >= 0 && other[front] < x[0].shape[front] ? x[0][other] : 0
      }
    }
  }

  static let movement: [Row] = [
    reshape(.real([2, 3]), [6]), reshape(.real([2, 3]), [3, 1, 2]), reshape(.real([]), [1, 1]),
    reshape(.real([0, 3]), [6, 0]),
    reshape(.int([6]), [2, 3], gives: .int32), reshape(.bool([2, 3]), [3, 2], gives: .bool),
    transpose(.real([2, 3]), [1, 0]), transpose(.real([2, 3, 4]), [2, 0, 1]), transpose(.real([2, 3, 4]), [1, 0, 2]),
    transpose(.real([2, 0, 3]), [1, 2, 0]), transpose(.real([2, 3, 2, 2]), [3, 1, 0, 2]),
    transpose(.int([2, 3]), [1, 0], gives: .int32), transpose(.bool([2, 3]), [1, 0], gives: .bool),
    broadcast(.real([3]), [2, 3]), broadcast(.real([2, 1]), [4, 2, 3]), broadcast(.real([]), [2, 3]),
    broadcast(.real([1]), [2, 0, 4]), broadcast(.int([2, 1]), [2, 3], gives: .int32),
    broadcast(.bool([3]), [2, 3], gives: .bool),
    slice(.real([5]), 1..<4, along: 0), slice(.real([2, 5, 3]), 0..<5, along: 1, step: 2),
    slice(.real([2, 5]), 1..<5, along: -1, step: 3), slice(.real([4, 3]), 2..<2, along: 0),
    slice(.int([5, 2]), 3..<5, along: 0, gives: .int32), slice(.bool([5]), 0..<1, along: 0, gives: .bool),
    reversed(.real([4]), along: 0), reversed(.real([2, 3, 4]), along: -2), reversed(.real([2, 0]), along: 1),
    unslice(.real([3]), 1, 2, along: 0), unslice(.real([2, 3, 4]), 0, 2, along: 1),
    unslice(.real([2, 0]), 2, 1, along: -1),
    unslice(.int([2, 3]), 2, 0, along: -1, gives: .int32), unslice(.bool([3]), 1, 1, along: 0, gives: .bool),
  ]

  private static func concatenate(_ operands: [Row.Operand], along axis: Int, gives type: ElementType? = nil) -> Row {
    Row("concatenate", operands, variant: "along \(axis)", gives: type) {
      concatenated($0, along: axis)
    } reference: { parts in
      let front = axis < 0 ? axis + parts[0].shape.count : axis
      var shape = parts[0].shape
      shape[front] = parts.reduce(0) { $0 + $1.shape[front] }
      return Numbers(shape) { index in
        var (part, other) = (0, index)
        while other[front] >= parts[part].shape[front] {
          other[front] -= parts[part].shape[front]
          part += 1
        }
        return parts[part][other]
      }
    }
  }

  static let joining: [Row] = [
    concatenate([.real([2]), .real([3])], along: 0),
    concatenate([.real([2, 3]), .real([2, 1]), .real([2, 4])], along: -1),
    concatenate([.real([2, 3, 2]), .real([2, 0, 2]), .real([2, 2, 2])], along: 1),
    concatenate([.int([2, 2]), .int([1, 2])], along: 0, gives: .int32),
    concatenate([.bool([2]), .bool([2])], along: 0, gives: .bool),
  ]

  private static func gather(
    _ operand: Row.Operand, _ indices: Row.Operand, along axis: Int, gives type: ElementType? = nil
  ) -> Row {
    Row("gather", [operand, indices], variant: "along \(axis)", gives: type) {
      $0[0].gathered(at: $0[1], along: axis)
    } reference: { x in
      let front = axis < 0 ? axis + x[0].shape.count : axis
      let places = x[1].elements.map { min(max(Int($0), 0), x[0].shape[front] - 1) }
      let flat = picked(x[0], places, front)
      return flat.reshaped(Array(flat.shape[..<front] + x[1].shape + flat.shape[(front + 1)...]))
    }
  }

  private static func scatterAdd(
    _ operand: Row.Operand, _ indices: Row.Operand, extent: Int, along axis: Int, gives type: ElementType? = nil
  ) -> Row {
    Row("scatterAdd", [operand, indices], variant: "along \(axis)", gives: type) {
      $0[0].scatterAdded(at: $0[1], extent: extent, along: axis)
    } reference: { x in
      let front = axis < 0 ? axis + x[0].shape.count : axis
      var shape = x[0].shape
      shape[front] = extent
      return Numbers(shape) { index in
        x[1].elements.enumerated().reduce(0) { sum, place in
          if Int(place.element) != index[front] { return sum }
          var other = index
          other[front] = place.offset
          return sum + x[0][other]
        }
      }
    }
  }

  static let gathering: [Row] = [
    gather(.real([4, 3]), .int([5], of: [0, 3, 1, 3]), along: 0),
    gather(.real([2, 4, 3]), .int([2], of: [2, 0]), along: 1),
    gather(.real([2, 4]), .int([3], of: [1, 2, 3]), along: -1),
    gather(.real([3, 2]), .int([2, 4], of: [0, 1, 2]), along: 0),
    // Out of range, indices are clamped.
    gather(.real([3, 2]), .int([5], of: [-2, 0, 2, 3, 9]), along: 0),
    gather(.real([3, 2]), .int([0], of: [0]), along: 0), gather(.real([4]), .int([], of: [2]), along: 0),
    gather(.int([4, 2]), .int([3], of: [0, 1, 2]), along: 0, gives: .int32),
    gather(.bool([4]), .int([3], of: [0, 1, 3]), along: 0, gives: .bool),
    scatterAdd(.real([5, 3]), .int([5], of: [0, 3, 1, 3]), extent: 4, along: 0),
    scatterAdd(.real([2, 3]), .int([3], of: [1, 0]), extent: 2, along: -1),
    scatterAdd(.real([2, 3, 2]), .int([3], of: [1, 3]), extent: 4, along: 1),
    // Out of range, parts are left out.
    scatterAdd(.real([6, 2]), .int([6], of: [-2, 0, 2, 3, 9]), extent: 3, along: 0),
    scatterAdd(.real([0, 2]), .int([0], of: [0]), extent: 3, along: 0),
    scatterAdd(.int([4, 2]), .int([4], of: [0, 2]), extent: 3, along: 0, gives: .int32),
  ]
}
