import Reel

// What a line without a body can be.
extension Draw {
  /// Adds a line or a few; answers whether there is one.
  mutating func drawLine() -> Bool {
    switch number(0...23) {
    case 0...2: drawMap()
    case 3...5: drawPair()
    case 6: drawGuarded()
    case 7: drawNumber()
    case 8...10: drawProduct()
    case 11...12: drawFold()
    case 13: drawMask()
    case 14...18: drawMovement()
    case 19: drawJoin()
    case 20: drawGather()
    case 21: drawWindows()
    case 22: drawScaled()
    default: drawSource()
    }
  }

  private mutating func drawMap() -> Bool {
    let safe: [Action.Map] = [.exp, .expm1, .sin, .cos, .tanh, .sigmoid, .erf, .negate, .abs, .tanh, .sigmoid]
    let steps: [Action.Map] = [.sign, .floor, .ceil, .round]
    let map = chance(1, in: 12) ? pick(steps) : pick(safe)
    return add(.map(map), [floating()]) != nil
  }

  private mutating func drawPair() -> Bool {
    let x = floating()
    let common: [Action.Pairing] = [.add, .subtract, .multiply, .add, .multiply, .maximum, .minimum]
    let operands = [x, partner(of: x)].shuffled(using: &generator)
    return add(.pair(chance(1, in: 30) ? .remainder : pick(common)), operands) != nil
  }

  /// An operation with a domain, on operands that are moved into it.
  private mutating func drawGuarded() -> Bool {
    let x = floating()
    guard let square = add(.pair(.multiply), [x, x])?[0],
      let positive = add(.number(.add, Double(number(3...9)) / 8), [square])?[0]
    else { return false }
    switch number(0...5) {
    case 0: return add(.map(.log), [positive]) != nil
    case 1: return add(.map(.sqrt), [positive]) != nil
    case 2: return add(.map(.rsqrt), [positive]) != nil
    case 3: return add(.map(.log1p), [square]) != nil
    case 4: return add(.pair(.power), [positive, partner(of: positive)]) != nil
    default: return add(.pair(.divide), [partner(of: positive), positive]) != nil
    }
  }

  private mutating func drawNumber() -> Bool {
    let pairing = pick([Action.Pairing.add, .subtract, .multiply, .divide, .maximum, .minimum])
    let value = pick([0.5, 2, -1, 1, 0.25, -0.5, 0, 3])
    if pairing == .divide && value == 0 { return false }
    return add(.number(pairing, value), [floating()]) != nil
  }

  private mutating func drawScaled() -> Bool { add(.number(.multiply, 0.25), [floating()]) != nil }

  private mutating func drawProduct() -> Bool {
    guard let a = floating(where: { $0.rank >= 1 }) else { return false }
    let (left, right) = (shape(a).rank >= 2 && chance(1, in: 4), chance(1, in: 3))
    let inner = shape(a).rank == 1 ? shape(a)[0] : shape(a)[left ? -2 : -1]
    let others = scope.filter { name in
      let other = run[name]
      guard other.elementType == elementType, other.rank >= 1 else { return false }
      return other.rank == 1 ? other.shape[0] == inner : other.shape[right ? -1 : -2] == inner
    }
    guard !others.isEmpty else { return false }
    let b = pick(others)
    return add(.matmul(transposingSelf: left, transposingOther: right && shape(b).rank >= 2), [a, b]) != nil
  }

  mutating func axes(_ rank: Int) -> [Int]? {
    if rank == 0 || chance(1, in: 6) { return nil }
    let all = Array(0..<rank).shuffled(using: &generator).prefix(number(1...rank)).sorted()
    return chance(1, in: 2) ? all : all.map { $0 - rank }
  }

  private mutating func drawFold() -> Bool {
    let x = floating()
    let rank = shape(x).rank
    if rank > 0 && chance(1, in: 4) {
      let axis = number(-rank...rank - 1)
      if chance(1, in: 2) {
        return add(.cumulativeSum(axis: axis, exclusive: chance(1, in: 2), reverse: chance(1, in: 2)), [x]) != nil
      }
      return add(.normalize(pick(Action.Normalization.allCases), axis: axis), [x]) != nil
    }
    let folds: [Action.Fold] = [.sum, .mean, .sum, .max, .min, .variance, .logSumExp, .product]
    return add(.fold(pick(folds), axes: axes(rank), keepDims: chance(1, in: 2)), [x]) != nil
  }

  /// Comparisons, what is done with truth values, and choices by them.
  private mutating func drawMask() -> Bool {
    let x = floating()
    guard var mask = add(.pair(pick([.less, .greaterEqual])), [x, partner(of: x)])?[0] else { return false }
    if chance(1, in: 3), let other = values(of: .bool),
      let both = add(.pair(pick([.and, .or, .xor])), [mask, other])?[0]
    {
      mask = both
    }
    if chance(1, in: 4), let opposite = add(.map(.not), [mask])?[0] { mask = opposite }
    if chance(1, in: 5) { return add(.convert(elementType), [mask]) != nil }
    if chance(1, in: 6) {
      let rank = shape(mask).rank
      return add(.fold(pick([.any, .all]), axes: axes(rank), keepDims: chance(1, in: 2)), [mask]) != nil
    }
    let first = partner(of: mask)
    return add(.select, [mask, first, partner(of: chance(1, in: 2) ? mask : first)]) != nil
  }

  private mutating func drawSource() -> Bool {
    let shape = (0..<number(0...2)).map { _ in pick(extents) }
    switch number(0...6) {
    case 0: return add(.fill(pick([0, 1, -0.5, 2]), shape: shape), []) != nil
    case 1: return add(.iota(pick(extents.map { min($0, 9) })), []) != nil
    case 2: return add(.uniform(seed: number(0...99), shape: shape), []) != nil
    case 3: return add(.stopGradient, [floating()]) != nil
    case 4:
      let other: ElementType = elementType == .float32 ? .float64 : .float32
      guard let converted = add(.convert(other), [floating()])?[0] else { return false }
      return add(.convert(elementType), [converted]) != nil
    default:
      input(shape)
      return true
    }
  }
}
