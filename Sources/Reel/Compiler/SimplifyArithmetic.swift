// The algebra of elementwise operations. Every rule keeps the bits for every operand: NaN, infinities and -0 included.

extension Pass {
  static let arithmeticRules: [RewriteRule] =
    sumRules + productRules + functionRules + maskRules + comparisonRules + conversionRules

  // MARK: - Sums

  private static let sumRules: [RewriteRule] = [
    RewriteRule(.add) { site in
      // x + -0 → x;  for integers also x + 0 → x.  But 0 + -0 is 0, so that x + 0 stays.
      if site.isNeutralAddend(site.y) { return site.asResult(site.x) }
      if site.isNeutralAddend(site.x) { return site.asResult(site.y) }
      // x + -y → x - y
      if let y = site.argument(of: site.y, .negate) { return site.emit(Elementwise.subtract, site.x, y) }
      // -x + y → y - x
      if let x = site.argument(of: site.x, .negate) { return site.emit(Elementwise.subtract, site.y, x) }
      return nil
    },
    RewriteRule(.accumulate) { site in
      // 0 + x → x, in sums of the reverse sweep
      if site.number(site.y) == 0 { return site.asResult(site.x) }
      if site.number(site.x) == 0 { return site.asResult(site.y) }
      return nil
    },
    RewriteRule(.subtract) { site in
      // x - 0 → x;  for integers 0 is all there is.  But 0 - x is not -x for x = 0.
      if let y = site.number(site.y), y == 0, y.sign == .plus { return site.asResult(site.x) }
      // x - -y → x + y
      if let y = site.argument(of: site.y, .negate) { return site.emit(Elementwise.add, site.x, y) }
      return nil
    },
    RewriteRule(.negate) { site in
      // -(-x) → x
      site.argument(of: site.x, .negate)
    },
  ]

  // MARK: - Products

  private static let productRules: [RewriteRule] = [
    RewriteRule(.multiply) { site in
      for (x, factor) in [(site.x, site.number(site.y)), (site.y, site.number(site.x))] {
        // x * 1 → x
        if factor == 1 { return site.asResult(x) }
        // x * -1 → -x
        if factor == -1 { return site.asResult(site.emit(Elementwise.negate, x)) }
      }
      return nil
    },
    RewriteRule(.divide) { site in
      let divisor = site.number(site.y)
      // x / 1 → x
      if divisor == 1 { return site.asResult(site.x) }
      // x / -1 → -x
      if divisor == -1 { return site.asResult(site.emit(Elementwise.negate, site.x)) }
      return nil
    },
  ]

  // MARK: - Functions

  private static let functionRules: [RewriteRule] = [
    RewriteRule(.abs) { site in
      // |-x| → |x|
      if let x = site.argument(of: site.x, .negate) { return site.emit(Elementwise.abs, x) }
      // ||x|| → |x|
      return site.argument(of: site.x, .abs) == nil ? nil : site.x
    },
    // max(x, x) → x
    RewriteRule(.maximum) { $0.x == $0.y ? $0.x : nil },
    // min(x, x) → x
    RewriteRule(.minimum) { $0.x == $0.y ? $0.x : nil },
  ]

  // MARK: - Masks

  private static let maskRules: [RewriteRule] = [
    // !!m → m
    RewriteRule(.not) { $0.argument(of: $0.x, .not) },
    RewriteRule(.and) { site in
      if site.x == site.y { return site.x }
      // m & true → m;  m & false → false
      for (mask, other) in [(site.x, site.number(site.y)), (site.y, site.number(site.x))] {
        if let other { return other == 1 ? site.asResult(mask) : site.filled(0) }
      }
      return nil
    },
    RewriteRule(.or) { site in
      if site.x == site.y { return site.x }
      // m | false → m;  m | true → true
      for (mask, other) in [(site.x, site.number(site.y)), (site.y, site.number(site.x))] {
        if let other { return other == 0 ? site.asResult(mask) : site.filled(1) }
      }
      return nil
    },
    RewriteRule(.xor) { site in
      // m ^ false → m;  m ^ true → !m
      for (mask, other) in [(site.x, site.number(site.y)), (site.y, site.number(site.x))] {
        if let other { return site.asResult(other == 0 ? mask : site.emit(Elementwise.not, mask)) }
      }
      return nil
    },
    RewriteRule(.select) { site in
      let (mask, a, b) = (site.operands[0], site.operands[1], site.operands[2])
      // select(true, a, b) → a;  select(false, a, b) → b
      if let mask = site.number(mask) { return site.asResult(mask == 1 ? a : b) }
      // select(m, a, a) → a
      if a == b { return site.asResult(a) }
      // select(!m, a, b) → select(m, b, a)
      if let mask = site.argument(of: mask, .not) { return site.emit(Elementwise.select, mask, b, a) }
      return nil
    },
  ]

  // MARK: - Comparisons

  /// x = x is true and x < x false, but for NaN: integers and truth values only.
  private static let comparisonRules: [RewriteRule] =
    [Elementwise.equal, .lessEqual, .greaterEqual].map { reflexive($0, isTrue: 1) }
    + [Elementwise.notEqual, .less, .greater].map { reflexive($0, isTrue: 0) }

  private static func reflexive(_ comparison: Elementwise, isTrue: Double) -> RewriteRule {
    RewriteRule(comparison) { site in
      site.x == site.y && !site.type(of: site.x).elementType.isFloatingPoint ? site.filled(isTrue) : nil
    }
  }

  // MARK: - Conversions

  private static let conversionRules: [RewriteRule] = [
    RewriteRule(Convert.self) { convert, site in
      // x to its own type → x
      if site.type(of: site.x) == site.result { return site.x }
      // x to A to B → x to B, where A holds every value of x's type
      guard let (_, operands) = site.producer(of: site.x, Convert.self) else { return nil }
      let (from, through) = (site.type(of: operands[0]).elementType, site.type(of: site.x).elementType)
      guard through.holdsEveryValue(of: from) else { return nil }
      return site.type(of: operands[0]) == site.result ? operands[0] : site.emit(convert, operands)
    }
  ]
}

extension RewriteSite {
  /// Whether x + addend is x for every x.
  fileprivate func isNeutralAddend(_ addend: Value) -> Bool {
    guard let number = number(addend), number == 0 else { return false }
    return number.sign == .minus || !result.elementType.isFloatingPoint
  }
}

extension ElementType {
  /// Whether a conversion from the other type keeps every value apart, and says the same to what converts on.
  fileprivate func holdsEveryValue(of other: ElementType) -> Bool {
    switch (other, self) {
    case (.bool, _), (.float32, .float64), (.int32, .float64): true
    default: other == self
    }
  }
}
