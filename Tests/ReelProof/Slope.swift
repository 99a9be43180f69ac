import Reel

// Numeric derivatives: central differences at shrinking steps, extrapolated to zero.
extension Agreement {
  /// Whether a gradient is the numeric one along a direction.
  ///
  /// Where the program decides something else on the way, or the differences do not converge, nothing can be said.
  func slope(of function: ([Tensor]) -> Tensor, _ along: [Tensor], is gradient: [Tensor], _ what: String) -> Outcome {
    func at(_ step: Double) -> [Tensor] { zip(inputs, along).map { $0 + $1 * Tensor(floatLiteral: step) } }
    guard let step = smoothStep(at) else { return .undecided }
    let found = inner(gradient, along).item
    let scale = zip(gradient, along).reduce(1.0) { sum, pair in
      zip(pair.0.numbers, pair.1.numbers).reduce(sum) { $0 + abs($1.0 * $1.1) }
    }
    let (expected, error) = Self.extrapolated(from: step) { step in
      (function(at(step)).item - function(at(-step)).item) / (2 * step)
    }
    guard error < 1e-5 * scale else { return .undecided }
    if abs(found - expected) <= 1e-7 * scale + 20 * error { return .agrees }
    return .fails("\(what) along a direction is \(found), not \(expected)")
  }

  /// A distance within which the program decides alike to both sides, by a margin.
  private func smoothStep(_ at: (Double) -> [Tensor]) -> Double? {
    guard let witness else { return 0x1p-6 }
    let here = witness(inputs)
    guard !here.isRough, here.margin > 1e-3 else { return nil }
    return [0x1p-6, 0x1p-9, 0x1p-12].first { step in
      [-step, -step / 2, step / 2, step].allSatisfy {
        let there = witness(at($0))
        return there.isTame && there.decisions == here.decisions && there.margin > 1e-4
      }
    }
  }

  /// Ridders's method ("Accurate computation of F'(x) and F'(x)F''(x)", 1982): the limit of central differences, with an
  /// estimate of its error.
  private static func extrapolated(
    from step: Double, _ difference: (Double) -> Double
  ) -> (value: Double, error: Double) {
    var previous = [difference(step)]
    var best = (value: previous[0], error: Double.infinity)
    var step = step
    for row in 1..<7 {
      step /= 2
      var current = [difference(step)]
      var factor = 4.0
      for order in 1...row {
        current.append((factor * current[order - 1] - previous[order - 1]) / (factor - 1))
        factor *= 4
        let error = max(abs(current[order] - current[order - 1]), abs(current[order] - previous[order - 1]))
        if error < best.error { best = (current[order], error) }
      }
      previous = current
    }
    return best
  }
}
