import Foundation
@testable import Reel
import ReelTestSupport

// Conversions, sources, copies, loops and operations that hold programs, and those that only the compiler makes.
extension OperationTable {
  private static func convert(
    _ operand: Row.Operand, to type: ElementType, _ reference: @escaping @Sendable (Double) -> Double
  ) -> Row {
    Row("convert", [operand], variant: "to \(type)", gives: type) {
      // Both floating-point types have a row of their own, so the operation is there even where the types agree.
      Convert(elementType: type)($0[0])
    } reference: {
      Numbers.elementwise { reference($0[0]) }($0)
    }
  }

  private static let halves: [Double] = [-2.5, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2.5]

  static let sources: [Row] = [
    // Numbers and steps that float32 represents, so that the derivative is exact in it.
    Row("convert", [.real([4, 6], of: halves)], variant: "to f32", gives: .float32, step: 0.5) {
      Convert(elementType: .float32)($0[0])
    } reference: {
      $0[0]
    },
    Row("convert", [.real([4, 6])], variant: "to f64", gives: .float64) {
      Convert(elementType: .float64)($0[0])
    } reference: {
      $0[0]
    },
    convert(.int([9]), to: .float64) { $0 }, convert(.bool([4]), to: .float32) { $0 },
    convert(.bool([4]), to: .int32) { $0 },
    convert(.int([9]), to: .bool) { $0 == 0 ? 0 : 1 },
    convert(.real([9], of: halves, isDifferentiable: false), to: .int32) { $0.rounded(.towardZero) },
    convert(.real([9], of: halves, isDifferentiable: false), to: .bool) { $0 == 0 ? 0 : 1 },
    Row("input", [.real([2, 3])]) {
      $0[0]
    } reference: {
      $0[0]
    },
    Row("constant", [.real([2, 3])]) {
      $0[0] * Tensor([2.0, 3, 4]).converted(to: $0[0].elementType)
    } reference: { x in
      Numbers(x[0].shape) { x[0][$0] * Double($0[1] + 2) }
    },
    Row("fill", [.real([2, 3])], in: .none) {
      $0[0] * Tensor(repeating: 2.5, shape: [4, 1, 3], elementType: $0[0].elementType)
    } reference: { x in
      Numbers([4, 2, 3]) { x[0][broadcast: $0] * 2.5 }
    },
    Row("fill", [], gives: .bool, in: .none) { _ in
      Tensor(repeating: 1, shape: [3], elementType: .bool)
    } reference: { _ in
      Numbers([3]) { _ in 1 }
    },
    Row("iota", [.real([2, 3])], in: .none) {
      $0[0] + .iota(3, from: 0.5, by: -2, elementType: $0[0].elementType)
    } reference: { x in
      Numbers(x[0].shape) { x[0][$0] + 0.5 - 2 * Double($0[1]) }
    },
    Row("iota", [], gives: .int32, in: .none) { _ in
      .iota(4, from: -1, by: 3)
    } reference: { _ in
      Numbers([4]) { Double($0[0] * 3 - 1) }
    },
    Row("randomBits", [.int([2])], gives: .int32) {
      var key = RandomKey(seed: 0)
      key.words = $0[0]
      return stacked(key.split(into: 3).map(\.words))
    } reference: { key in
      let words = Philox(key[0].elements.map { UInt32(bitPattern: Int32($0)) }).words(6)
      return Numbers([3, 2]) { Double(Int32(bitPattern: words[$0[0] * 2 + $0[1]])) }
    },
  ]

  static let programs: [Row] = [
    // What a gradient differentiates by is a copy.
    Row("identity", [.real([2, 3])]) { x in
      valueWithGradient(at: x[0]) { ($0 * $0 * $0).sum() }.value
    } reference: {
      $0[0].folded([0, 1]) { $0.reduce(0) { $0 + $1 * $1 * $1 } }
    },
    Row("stopGradient", [.real([2, 3], isDifferentiable: false)]) {
      stopGradient($0[0])
    } reference: {
      $0[0]
    },
    Row("stopGradient", [.int([2, 3])], gives: .int32) {
      stopGradient($0[0])
    } reference: {
      $0[0]
    },
    Row("customPullback", [.real([2, 3]), .real([3])]) {
      withCustomPullback(at: $0) {
        sin($0[0]) * $0[1]
      } pullback: { x, _, cotangent in
        [cotangent * cos(x[0]) * x[1], (cotangent * sin(x[0])).sum(along: [0])]
      }
    } reference: {
      Numbers.elementwise { Foundation.sin($0[0]) * $0[1] }($0)
    },
    scan(reverse: false), scan(reverse: true),
    Row("conditional", [.real([2, 3], 0.5...2), .real([3])], variant: "true") { x in
      conditional(x[0].sum() .> 0) {
        sin(x[0]) * x[1]
      } else: {
        x[0]
      }
    } reference: {
      Numbers.elementwise { Foundation.sin($0[0]) * $0[1] }($0)
    },
    Row("conditional", [.real([2, 3], 0.5...2), .real([3])], variant: "false") { x in
      conditional(x[0].sum() .< 0) {
        x[0]
      } else: {
        sin(x[0]) * x[1]
      }
    } reference: {
      Numbers.elementwise { Foundation.sin($0[0]) * $0[1] }($0)
    },
    Row("repeatWhile", [.real([3], 0.5...1), .real([3], 1.2...1.9)]) {
      growing($0)
    } reference: { x in
      let steps = growth(x)
      return Numbers.elementwise { $0[0] * Foundation.pow($0[1], steps) }(x)
    },
    Row("repeatWhileDerivative", [.real([3], 0.5...1), .real([3], 1.2...1.9)]) { x in
      gradient(at: x[0]) { growing([$0, x[1]]).sum() }
    } reference: { x in
      let steps = growth(x)
      return Numbers.elementwise { Foundation.pow($0[1], steps) }(x)
    },
    Row("rematerialized", [.real([2, 3]), .real([3])]) { x in
      rematerialized { sin(x[0]) * x[1] }
    } reference: {
      Numbers.elementwise { Foundation.sin($0[0]) * $0[1] }($0)
    },
  ]

  /// Multiplies by the same numbers until the sum is large.
  private static func growing(_ x: [Tensor]) -> Tensor {
    repeatWhile(from: x[0]) {
      $0.sum() .< 20
    } body: {
      $0 * x[1]
    }
  }

  /// How often that is.
  private static func growth(_ x: [Numbers]) -> Double {
    var (values, steps) = (x[0].elements, 0.0)
    while values.reduce(0, +) < 20 {
      values = zip(values, x[1].elements).map { $0 * $1 }
      steps += 1
    }
    return steps
  }

  /// A loop with a captured weight, a state and outputs, which lie under the last state in the result.
  private static func scan(reverse: Bool) -> Row {
    Row("scan", [.real([4, 2], -1...1), .real([2], -1...1), .real([2], -1...1)], variant: reverse ? "reverse" : "") {
      x in
      let (state, outputs) = Reel.scan(over: x[0], from: x[2], reverse: reverse) { state, element in
        let next = tanh(element + state * x[1])
        return (next, next * element)
      }
      return concatenated([state.expanded(at: 0), outputs])
    } reference: { x in
      var rows = [[Double]](repeating: [], count: 5)
      var state = x[2].elements
      for time in reverse ? [3, 2, 1, 0] : [0, 1, 2, 3] {
        state = (0..<2).map { Foundation.tanh(x[0][[time, $0]] + state[$0] * x[1][[$0]]) }
        rows[time + 1] = (0..<2).map { state[$0] * x[0][[time, $0]] }
      }
      rows[0] = state
      return Numbers([5, 2]) { rows[$0[0]][$0[1]] }
    }
  }

  private static func addedProduct(
    _ shapes: [Shape], _ placement: AddedProduct.Placement, _ transposes: (Bool, Bool) = (false, false),
    descends: Bool = false
  ) -> Row {
    Row("matmulAdd", shapes.map { .real($0) }, variant: "\(placement) \(transposes)\(descends ? " descending" : "")") {
      let product = MatrixProduct(transposesLeft: transposes.0, transposesRight: transposes.1, descends: descends)
      return AddedProduct(product: product, placement: placement).apply($0)[0]
    } reference: { x in
      let sum = product(x[0], x[1], transposes.0, transposes.1)
      return Numbers(sum.shape) { sum[$0] + x[2][broadcast: $0] }
    }
  }

  private static func shift(_ extents: [Int], reverse: Bool) -> Row {
    Row("shift", [.real(Shape(Array(extents.dropFirst()))), .real(Shape(extents))], variant: reverse ? "reverse" : "") {
      Shift(isReversed: reverse).apply($0)[0]
    } reference: { x in
      Numbers(extents) { index in
        let source = index[0] + (reverse ? 1 : -1)
        return (0..<extents[0]).contains(source) ? x[1][[source] + index.dropFirst()] : x[0][Array(index.dropFirst())]
      }
    }
  }

  static let compilerMade: [Row] = [
    addedProduct([[2, 3], [3, 4], [4]], .epilogue), addedProduct([[2, 3], [3, 4], [2, 4]], .epilogue),
    addedProduct([[3, 2], [4, 3], []], .epilogue, (true, true)),
    addedProduct([[4, 2, 3], [3, 2], [4, 1, 1]], .epilogue),
    addedProduct([[2, 3], [3, 4], [2, 4]], .prologue),
    addedProduct([[3, 2], [4, 3], [2, 4]], .prologue, (true, true)),
    addedProduct([[3, 2], [4, 3], [2, 4]], .prologue, (true, true), descends: true),
    addedProduct([[4, 2, 3], [3, 2], [4, 2, 2]], .prologue), addedProduct([[2, 0], [0, 3], [2, 3]], .prologue),
    // Arithmetic on one shape becomes one program.
    Row("fused", [.real([2, 3]), .real([3])], in: .compiled) {
      tanh($0[0] * $0[1]) + $0[0]
    } reference: {
      Numbers.elementwise { Foundation.tanh($0[0] * $0[1]) + $0[0] }($0)
    },
    shift([4, 2, 3], reverse: false), shift([4, 2, 3], reverse: true), shift([1, 2], reverse: false),
    shift([3], reverse: true),
  ]
}

/// Philox 4×32-10 as its paper writes it, one block after another.
struct Philox {
  private let key: [UInt32]

  init(_ key: [UInt32]) { self.key = key }

  func words(_ count: Int) -> [UInt32] {
    Array((0..<UInt32((count + 3) / 4)).flatMap(block).prefix(count))
  }

  private func block(_ index: UInt32) -> [UInt32] {
    var c: [UInt32] = [index, 0, 0, 0]
    var k = key
    for _ in 0..<10 {
      let (first, second) = (UInt64(0xD251_1F53) * UInt64(c[0]), UInt64(0xCD9E_8D57) * UInt64(c[2]))
      c = [
        UInt32(second >> 32) ^ c[1] ^ k[0], UInt32(truncatingIfNeeded: second), UInt32(first >> 32) ^ c[3] ^ k[1],
        UInt32(truncatingIfNeeded: first),
      ]
      k = [k[0] &+ 0x9E37_79B9, k[1] &+ 0xBB67_AE85]
    }
    return c
  }
}
