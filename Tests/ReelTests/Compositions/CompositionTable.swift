import Foundation
import Reel
import ReelTestSupport

/// Functions that are made of operations, held to the same properties as the operations.
enum CompositionTable {
  typealias Row = OperationRow

  static let rows = folds + joining + shapes + gathering

  private static func along(
    _ axes: [Int], keepDims: Bool, _ fold: @escaping @Sendable ([Double]) -> Double
  )
    -> @Sendable (
      [Numbers]
    ) -> Numbers
  {
    { $0[0].folded(axes, keepDims: keepDims, fold) }
  }

  @Sendable private static func mean(_ x: [Double]) -> Double { x.reduce(0, +) / Double(x.count) }
  @Sendable private static func variance(_ x: [Double]) -> Double {
    let center = mean(x)
    return mean(x.map { ($0 - center) * ($0 - center) })
  }
  @Sendable private static func logSumExp(_ x: [Double]) -> Double {
    Foundation.log(x.reduce(0) { $0 + Foundation.exp($1) })
  }

  private static func normalized(
    _ axis: Int, _ element: @escaping @Sendable (_ x: Double, _ logSum: Double) -> Double
  )
    -> @Sendable (
      [Numbers]
    ) -> Numbers
  {
    { x in
      let sums = x[0].folded([axis], keepDims: true, logSumExp)
      return Numbers(x[0].shape) { element(x[0][$0], sums[broadcast: $0]) }
    }
  }

  static let folds: [Row] = [
    Row("mean", [.real([2, 3])]) {
      $0[0].mean()
    } reference: {
      along([0, 1], keepDims: false, mean)($0)
    },
    Row("mean", [.real([2, 3, 4])], variant: "[0, -1], keepDims") {
      $0[0].mean(along: [0, -1], keepDims: true)
    } reference: {
      along([0, 2], keepDims: true, mean)($0)
    },
    Row("variance", [.real([2, 3])]) {
      $0[0].variance()
    } reference: {
      along([0, 1], keepDims: false, variance)($0)
    },
    Row("variance", [.real([4, 3])], variant: "[0], keepDims") {
      $0[0].variance(along: [0], keepDims: true)
    } reference: {
      along([0], keepDims: true, variance)($0)
    },
    Row("variance", [.real([2, 5])], variant: "[-1]") {
      $0[0].variance(along: [-1])
    } reference: {
      along([1], keepDims: false, variance)($0)
    },
    Row("logSumExp", [.real([2, 3])]) {
      $0[0].logSumExp()
    } reference: {
      along([0, 1], keepDims: false, logSumExp)($0)
    },
    Row("logSumExp", [.real([2, 3, 2])], variant: "[1]") {
      $0[0].logSumExp(along: [1])
    } reference: {
      along([1], keepDims: false, logSumExp)($0)
    },
    Row("logSumExp", [.real([2, 3])], variant: "[-1], keepDims") {
      $0[0].logSumExp(along: [-1], keepDims: true)
    } reference: {
      along([1], keepDims: true, logSumExp)($0)
    },
    Row("softmax", [.real([2, 4])]) {
      softmax($0[0])
    } reference: {
      normalized(1) { Foundation.exp($0 - $1) }($0)
    },
    Row("softmax", [.real([4, 3])], variant: "along 0") {
      softmax($0[0], along: 0)
    } reference: {
      normalized(0) { Foundation.exp($0 - $1) }($0)
    },
    Row("logSoftmax", [.real([2, 4])]) {
      logSoftmax($0[0])
    } reference: {
      normalized(1) { $0 - $1 }($0)
    },
    Row("logSoftmax", [.real([2, 3, 2])], variant: "along -2") {
      logSoftmax($0[0], along: -2)
    } reference: {
      normalized(1) { $0 - $1 }($0)
    },
  ]

  private static func stack(_ axis: Int, at position: Int) -> Row {
    Row("stacked", [.real([2, 3]), .real([2, 3])], variant: "along \(axis)") {
      stacked($0, along: axis)
    } reference: { parts in
      var shape = [2, 3]
      shape.insert(2, at: position)
      return Numbers(shape) { index in
        var rest = index
        return parts[rest.remove(at: position)][rest]
      }
    }
  }

  /// Parts put together in another order, so that each one's place shows.
  private static func split(_ name: String, _ extents: [Int], _ split: @escaping @Sendable (Tensor) -> [Tensor]) -> Row
  {
    let total = extents.reduce(0, +)
    return Row(name, [.real([2, total])], variant: "\(extents)") {
      concatenated(split($0[0]).reversed(), along: -1)
    } reference: { x in
      var order: [Int] = []
      var start = 0
      for extent in extents {
        order = Array(start..<start + extent) + order
        start += extent
      }
      return Numbers(x[0].shape) { x[0][[$0[0], order[$0[1]]]] }
    }
  }

  static let joining: [Row] = [
    stack(0, at: 0), stack(1, at: 1), stack(2, at: 2), stack(-1, at: 2), stack(-3, at: 0),
    Row("unstacked", [.real([3, 2])]) {
      stacked($0[0].unstacked().reversed())
    } reference: { x in
      Numbers([3, 2]) { x[0][[2 - $0[0], $0[1]]] }
    },
    Row("unstacked", [.real([2, 3, 4])], variant: "along -1") {
      $0[0].unstacked(along: -1).reduce(.zeros([2, 3], elementType: $0[0].elementType)) { $0 * 2 + $1 }
    } reference: { x in
      Numbers([2, 3]) { index in (0..<4).reduce(0) { $0 * 2 + x[0][index + [$1]] } }
    },
    split("split", [1, 3, 2]) { $0.split([1, 3, 2]) }, split("split", [2, 0, 1]) { $0.split([2, 0, 1], along: 1) },
    split("split into", [2, 2, 2]) { $0.split(into: 3) },
    split("split into two", [3, 3]) {
      let (a, b) = $0.split(into: 2)
      return [a, b]
    },
    split("split into three", [2, 2, 2]) {
      let (a, b, c) = $0.split(into: 3)
      return [a, b, c]
    },
    split("split into four", [1, 1, 1, 1]) {
      let (a, b, c, d) = $0.split(into: 4)
      return [a, b, c, d]
    },
    Row("split", [.real([4, 3])], variant: "along 0") {
      let (top, bottom) = $0[0].split(into: 2, along: 0)
      return top - 2 * bottom
    } reference: { x in
      Numbers([2, 3]) { x[0][$0] - 2 * x[0][[$0[0] + 2, $0[1]]] }
    },
    Row("padded", [.real([2, 3])], variant: "with -1.5") {
      $0[0].padded(before: 1, after: 2, along: 1, with: -1.5)
    } reference: { x in
      Numbers([2, 6]) { 1..<4 ~= $0[1] ? x[0][[$0[0], $0[1] - 1]] : -1.5 }
    },
  ]
}
