import Foundation
import Reel

/// What a program meets on its way: how large its values are, and which way its decisions fall.
///
/// A comparison, a maximum or a rounding jumps, or has a kink, where its decision changes. Where two runs decide alike and by
/// a margin, the program is smooth between them and means the same to rounding.
package final class Witness {
  /// Every decision, in order.
  private(set) var decisions: [Bool] = []
  /// How far the closest decision is from falling the other way.
  private(set) var margin = Double.infinity
  /// The largest magnitude of a value.
  private(set) var largest = 0.0
  /// Whether every operand lies well in the domain of its operation.
  private(set) var isTame = true
  /// Whether derivatives are not those of the values: where a gradient was stopped, or digits were dropped.
  private(set) var isRough = false

  /// The type of every value.
  private(set) var types: [Program.Name: TensorType] = [:]

  func see(_ value: Tensor, as name: Program.Name) {
    types[name] = TensorType(value.shape, value.elementType)
    for number in value.numbers {
      guard number.isFinite else {
        isTame = false
        return
      }
      largest = max(largest, abs(number))
    }
  }

  func see(_ action: Action, _ operands: [Tensor]) {
    switch action {
    case .map(.abs), .map(.sign): decide(operands[0].numbers)
    // These change sign wherever the rounding jumps.
    case .map(.floor), .map(.ceil): decide(operands[0].numbers.map { sin(Double.pi * $0) })
    case .map(.round): decide(operands[0].numbers.map { cos(Double.pi * $0) })
    case .map(.log), .map(.sqrt), .map(.rsqrt): need(operands[0].numbers) { $0 > 0.05 }
    case .map(.log1p): need(operands[0].numbers) { $0 > -0.95 }
    case .number(let pairing, let number): see(pairing, operands[0], Tensor([number], shape: []))
    case .pair(let pairing): see(pairing, operands[0], operands[1])
    case .fold(.max, let axes, _): decideBest(operands[0], axes)
    case .fold(.min, let axes, _): decideBest(-operands[0], axes)
    case .place(let isMax, let axis): decideBest(isMax ? operands[0] : -operands[0], [axis])
    case .stopGradient: isRough = true
    case .convert(let elementType):
      if elementType == .float32, operands[0].elementType == .float64 { isRough = true }
      if elementType == .int32 { decide(operands[0].numbers.map { sin(Double.pi * $0) }) }
    default: break
    }
  }

  /// Whether a loop may take so many steps; one that takes too many may never end.
  func allows(steps: Int) -> Bool {
    if steps > 32 { isTame = false }
    return isTame
  }

  private func see(_ pairing: Action.Pairing, _ a: Tensor, _ b: Tensor) {
    guard a.elementType.isFloatingPoint else { return }
    let (a, b) = (a.converted(to: .float64), b.converted(to: .float64))
    switch pairing {
    case .maximum, .minimum, .less, .greaterEqual: decide((a - b).numbers)
    case .remainder:
      need(b.numbers) { abs($0) > 0.2 }
      decide((a / b).numbers.map { sin(Double.pi * $0) })
    case .divide: need(b.numbers) { abs($0) > 0.05 }
    case .power: need(a.numbers) { $0 > 0.05 }
    default: break
    }
  }

  private func need(_ numbers: [Double], _ condition: (Double) -> Bool) {
    if !numbers.allSatisfy(condition) { isTame = false }
  }

  private func decide(_ margins: [Double]) {
    for number in margins {
      decisions.append(number > 0)
      margin = min(margin, abs(number))
    }
  }

  /// The decision which element of a fold is the largest.
  private func decideBest(_ x: Tensor, _ axes: [Int]?) {
    guard x.count > 0 else { return }
    let best = x.max(along: axes, keepDims: true)
    for gap in (best - x).numbers {
      decisions.append(gap == 0)
      if gap > 0 { margin = min(margin, gap) }
    }
    let winners = (x .>= best).converted(to: .int32).sum(along: axes)
    if winners.numbers.contains(where: { $0 > 1 }) { margin = 0 }
  }
}
