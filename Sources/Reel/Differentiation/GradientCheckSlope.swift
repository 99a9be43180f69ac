/// The slope of a function of one number at 0, by differences, and how a claimed slope compares with it.
struct Slope {
  enum Verdict {
    /// The claim agrees within the tolerance, and so does the estimate with itself.
    case agrees
    /// The claim differs by more than the tolerance, but no more than the noise of the function explains.
    case roundOff
    /// The claim differs by more than the tolerance, but the differences do not settle either.
    case truncation
    /// The slopes on both sides differ, and the claim lies between them.
    case kink
    /// The claim is another number.
    case wrong
  }

  let verdict: Verdict
  let numeric: Double
  /// The estimated error of the numeric slope.
  let error: Double
  /// Whether the slopes on both sides differ.
  let isKinked: Bool
}

/// Differences of a function over ever smaller steps, extrapolated to the step 0: the method of Ridders, "Accurate
/// computation of F'(x) and F'(x)F''(x)" (1982), with Richardson's extrapolation over halved steps.
///
/// The column `m` of the table is free of the error terms up to t²ᵐ. The error of an entry is taken to be its distance
/// from the two less extrapolated ones that it is made of, which bounds it generously, plus what the noise of the function
/// makes of the difference at its step. The entry with the smallest error counts.
struct SlopeEstimate {
  /// How often the estimated error may be missed.
  private static let safety = 8.0
  private static let levels = 24
  /// The halvings after which a disagreement is believed.
  private static let levelsOfDoubt = 6

  private let function: (Double) throws -> Double
  private let center: Double
  private let noise: Double
  private let tolerance: Double
  private let claim: Double

  private var step = 0.0
  private var table: [[Double]] = []
  private var best: (slope: Double, error: Double) = (0, .infinity)
  /// The values to the right and to the left at the last step.
  private var values = (right: 0.0, left: 0.0)
  private var kink: KinkEvidence?

  /// - Parameters:
  ///   - function: The function.
  ///   - center: Its value at 0.
  ///   - noise: The standard deviation of its rounding.
  ///   - claim: The slope it is said to have.
  ///   - tolerance: The relative difference that is no error.
  init(
    of function: @escaping (Double) throws -> Double, center: Double, noise: Double, claim: Double, tolerance: Double
  ) {
    self.function = function
    self.center = center
    self.noise = noise
    self.claim = claim
    self.tolerance = tolerance
  }

  /// Compares the claim with the numeric slope.
  ///
  /// - Parameter firstStep: The largest step; smaller ones are taken where the function is not finite.
  /// - Returns: The result; nil if the function is not finite on both sides however near.
  mutating func run(firstStep: Double) throws -> Slope? {
    for attempt in 0..<20 {
      if try settle(firstStep: firstStep * Double(sign: .plus, exponent: -2 * attempt, significand: 1)) { return slope }
    }
    return nil
  }

  /// Fills the table until the answer is clear; false if the function is not finite at the first step.
  private mutating func settle(firstStep: Double) throws -> Bool {
    (table, best, kink) = ([], (0, .infinity), nil)
    step = firstStep
    while table.count < Self.levels {
      let (right, left) = (try function(step), try function(-step))
      guard right.isFinite, left.isFinite else { return false }
      append(right, left)
      if isSettled { break }
      step /= 2
    }
    return true
  }

  private mutating func append(_ right: Double, _ left: Double) {
    var row = [(right - left) / (2 * step)]
    var weight = 4.0
    for coarser in table.last ?? [] {
      let slope = row.last! + (row.last! - coarser) / (weight - 1)
      let error = max(abs(slope - row.last!), abs(slope - coarser)) + roundOff
      if error < best.error { best = (slope, error) }
      row.append(slope)
      weight *= 4
    }
    if let coarser = table.last?.first {
      weigh(right, left, jumps: abs(row[0]) > 1.8 * abs(coarser))
    }
    table.append(row)
    values = (right, left)
  }

  /// Takes notice of the slopes on both sides: each extrapolated to the step 0, or taken away from the point if the
  /// function jumps there, which makes the differences across it grow as the step gets smaller.
  private mutating func weigh(_ right: Double, _ left: Double, jumps: Bool) {
    let fine = (right: (right - center) / step, left: (center - left) / step)
    let coarse = (right: (values.right - center) / (2 * step), left: (center - values.left) / (2 * step))
    let ends =
      jumps
      ? (right: (values.right - right) / step, left: (left - values.left) / step)
      : (right: 2 * fine.right - coarse.right, left: 2 * fine.left - coarse.left)
    let jump = jumps ? abs(right - left) / step : abs(ends.right - ends.left)
    if jump <= tolerance * max(abs(fine.right), abs(fine.left), abs(claim)) {
      kink = nil
    } else if jump > 4 * Self.safety * roundOff {
      kink = KinkEvidence(ends: ends, jump: jump, roundOff: roundOff, after: kink)
    } else {
      kink?.isDrowned = true
    }
  }

  /// What noise makes of a difference at the last step, extrapolated.
  private var roundOff: Double { 4 * noise / step }

  private func margin(at slope: Double) -> Double { tolerance * max(abs(slope), abs(claim)) }

  private var isSettled: Bool {
    if table.count < 2 { return false }
    if let kink { return kink.isDrowned || kink.isProven }
    let difference = abs(claim - best.slope)
    let margin = margin(at: best.slope)
    // That two numbers agree by chance is unlikely, so that a rough estimate is enough for it.
    if difference <= margin && best.error <= 1000 * margin { return true }
    if best.error <= margin { return table.count >= Self.levelsOfDoubt }
    return difference <= Self.safety * best.error && best.error <= 2 * roundOff
  }

  private var slope: Slope {
    guard let kink, kink.isProven else {
      return Slope(verdict: verdict, numeric: best.slope, error: best.error, isKinked: false)
    }
    let (low, high) = (min(kink.ends.right, kink.ends.left), max(kink.ends.right, kink.ends.left))
    let margin = max(margin(at: max(abs(low), abs(high))), (high - low) / 1024, Self.safety * kink.roundOff)
    return Slope(
      verdict: claim >= low - margin && claim <= high + margin ? .kink : .wrong, numeric: (low + high) / 2,
      error: (high - low) / 2, isKinked: true)
  }

  private var verdict: Slope.Verdict {
    let difference = abs(claim - best.slope)
    if difference <= margin(at: best.slope) { return .agrees }
    if difference > Self.safety * best.error { return .wrong }
    return best.error <= Self.safety * roundOff ? .roundOff : .truncation
  }
}

/// Slopes that differ on the two sides of a point, step after step.
private struct KinkEvidence {
  /// The slopes at the smallest step that shows them through the noise.
  let ends: (right: Double, left: Double)
  /// The distance between them, and the largest at any step.
  let jump, largest: Double
  /// What noise may have made of the slopes.
  let roundOff: Double
  /// The number of steps.
  let count: Int
  /// Whether noise hides smaller steps.
  var isDrowned = false

  init(ends: (right: Double, left: Double), jump: Double, roundOff: Double, after coarser: KinkEvidence?) {
    (self.ends, self.jump, self.roundOff) = (ends, jump, roundOff)
    largest = max(jump, coarser?.largest ?? 0)
    count = (coarser?.count ?? 0) + 1
  }

  /// Whether it is a kink: curvature, and kinks and poles beside the point, fade when the step gets below their size.
  var isProven: Bool { count >= (isDrowned ? 4 : 14) && jump >= largest / 2 }
}
