import Reel
import ReelTestSupport

// Windows along an axis, and their sum where they overlap.
extension OperationTable {
  private static func windows(
    _ operand: Row.Operand, of size: Int, stride: Int = 1, dilation: Int = 1, along axis: Int,
    gives type: ElementType? = nil
  ) -> Row {
    Row("windows", [operand], variant: "\(size) by \(stride), dilation \(dilation), along \(axis)", gives: type) {
      $0[0].windows(of: size, stride: stride, dilation: dilation, along: axis)
    } reference: { x in
      let shape = x[0].shape
      let front = axis < 0 ? axis + shape.count : axis
      let starts = Array(Swift.stride(from: 0, to: shape[front] - (size - 1) * dilation, by: stride))
      return Numbers(Array(shape[..<front]) + [starts.count, size] + shape[(front + 1)...]) { index in
        x[0][Array(index[..<front]) + [starts[index[front]] + index[front + 1] * dilation] + index[(front + 2)...]]
      }
    }
  }

  private static func overlapAdd(
    _ operand: Row.Operand, extent: Int, stride: Int = 1, dilation: Int = 1, along axis: Int,
    gives type: ElementType? = nil
  ) -> Row {
    Row("overlapAdd", [operand], variant: "\(extent) by \(stride), dilation \(dilation), along \(axis)", gives: type) {
      $0[0].overlapAdded(extent: extent, stride: stride, dilation: dilation, along: axis)
    } reference: { x in
      let shape = x[0].shape
      let front = axis < 0 ? axis + shape.count - 1 : axis
      return Numbers(Array(shape[..<front]) + [extent] + shape[(front + 2)...]) { index in
        var sum = 0.0
        for i in 0..<shape[front] {
          for j in 0..<shape[front + 1] where i * stride + j * dilation == index[front] {
            sum += x[0][Array(index[..<front]) + [i, j] + index[(front + 1)...]]
          }
        }
        return sum
      }
    }
  }

  static let windowing: [Row] = [
    windows(.real([5]), of: 3, along: 0), windows(.real([2, 6]), of: 2, stride: 3, along: 1),
    windows(.real([6, 2]), of: 3, dilation: 2, along: -2),
    windows(.real([2, 8, 3]), of: 3, stride: 2, dilation: 2, along: 1), windows(.real([4]), of: 4, along: 0),
    windows(.real([4]), of: 1, stride: 2, dilation: 5, along: -1), windows(.real([0, 4, 2]), of: 2, along: 1),
    windows(.int([5, 2]), of: 2, along: 0, gives: .int32),
    windows(.bool([5]), of: 2, stride: 2, along: 0, gives: .bool),
    overlapAdd(.real([3, 3]), extent: 5, along: 0), overlapAdd(.real([2, 3, 2]), extent: 9, stride: 3, along: 1),
    overlapAdd(.real([3, 2, 2]), extent: 6, dilation: 2, along: -2),
    overlapAdd(.real([2, 2, 3, 3]), extent: 8, stride: 2, dilation: 2, along: 1),
    overlapAdd(.real([0, 2]), extent: 3, along: 0), overlapAdd(.int([3, 2]), extent: 4, along: 0, gives: .int32),
  ]
}
