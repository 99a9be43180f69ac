import Reel

/// How far a schedule is: steps divided by a number of steps, which is counted in whole ones on a staircase.
private struct Progress: Sendable {
  let steps: Double
  var staircase = false

  init(_ steps: Int, staircase: Bool = false, of schedule: String) {
    precondition(steps > 0, "\(schedule): decay steps > 0, not \(steps)")
    self.steps = Double(steps)
    self.staircase = staircase
  }

  func callAsFunction(_ step: Tensor) -> Tensor {
    let progress = step / Tensor(steps)
    return staircase ? floor(progress) : progress
  }
}

/// `α₀·rᵖ` with `p = step / decaySteps`: a rate that is multiplied by `r` every so many steps. Keras's `ExponentialDecay`.
public struct ExponentialDecay: LearningRate {
  private let initial, decayRate: Double
  private let progress: Progress

  /// - Parameters:
  ///   - initialLearningRate: α₀.
  ///   - decaySteps: Over how many steps the rate is multiplied once.
  ///   - decayRate: r.
  ///   - staircase: Whether it falls in stairs, with p rounded down; false by default.
  public init(initialLearningRate: Double, decaySteps: Int, decayRate: Double, staircase: Bool = false) {
    (initial, self.decayRate) = (initialLearningRate, decayRate)
    progress = Progress(decaySteps, staircase: staircase, of: "ExponentialDecay")
  }

  /// The rate at a step.
  public func rate(at step: Tensor) -> Tensor { Tensor(initial) * power(Tensor(decayRate), progress(step)) }
}

/// `α₀ / (1 + r·p)` with `p = step / decaySteps`. Keras's `InverseTimeDecay`.
public struct InverseTimeDecay: LearningRate {
  private let initial, decayRate: Double
  private let progress: Progress

  /// - Parameters:
  ///   - initialLearningRate: α₀.
  ///   - decaySteps: In how many steps p rises by 1.
  ///   - decayRate: r.
  ///   - staircase: Whether it falls in stairs, with p rounded down; false by default.
  public init(initialLearningRate: Double, decaySteps: Int, decayRate: Double, staircase: Bool = false) {
    (initial, self.decayRate) = (initialLearningRate, decayRate)
    progress = Progress(decaySteps, staircase: staircase, of: "InverseTimeDecay")
  }

  /// The rate at a step.
  public func rate(at step: Tensor) -> Tensor { Tensor(initial) / (1 + Tensor(decayRate) * progress(step)) }
}

/// `(α₀ - α₁)·(1 - p)ᵏ + α₁` with `p = step / decaySteps`, which stays at 1 once it is there. Keras's `PolynomialDecay`.
///
/// With `cycle` the rate goes on falling in longer and longer cycles instead: the steps to decay over are the smallest
/// multiple of `decaySteps` that is not below the step.
public struct PolynomialDecay: LearningRate {
  private let initial, end, exponent: Double
  private let cycle: Bool
  private let progress: Progress

  /// - Parameters:
  ///   - initialLearningRate: α₀.
  ///   - decaySteps: After how many steps the end is reached.
  ///   - endLearningRate: α₁; 0.0001 by default.
  ///   - power: k; 1 by default, which is a straight line.
  ///   - cycle: Whether it starts again from above when the end is reached; false by default.
  public init(
    initialLearningRate: Double, decaySteps: Int, endLearningRate: Double = 0.0001, power: Double = 1,
    cycle: Bool = false
  ) {
    (initial, end, exponent) = (initialLearningRate, endLearningRate, power)
    self.cycle = cycle
    progress = Progress(decaySteps, of: "PolynomialDecay")
  }

  /// The rate at a step.
  public func rate(at step: Tensor) -> Tensor {
    let p = progress(step)
    let part = cycle ? p / maximum(ceil(p), 1) : minimum(p, 1)
    return Tensor(initial - end) * power(1 - part, Tensor(exponent)) + Tensor(end)
  }
}

/// One rate up to and including the first boundary, the next one up to the second, and so on. Keras's
/// `PiecewiseConstantDecay`.
public struct PiecewiseConstantDecay: LearningRate {
  private let boundaries: [Int]
  private let values: [Double]

  /// - Parameters:
  ///   - boundaries: The last step of each rate but the last, rising.
  ///   - values: The rates, one more than there are boundaries.
  public init(boundaries: [Int], values: [Double]) {
    precondition(
      values.count == boundaries.count + 1,
      "PiecewiseConstantDecay: one rate more than boundaries, not \(values.count) for \(boundaries.count)")
    precondition(
      zip(boundaries, boundaries.dropFirst()).allSatisfy { $0 < $1 },
      "PiecewiseConstantDecay: boundaries rise, not \(boundaries)"
    )
    (self.boundaries, self.values) = (boundaries, values)
  }

  /// The rate at a step.
  public func rate(at step: Tensor) -> Tensor {
    zip(boundaries, values.dropFirst()).reduce(Tensor(values[0])) { rate, next in
      select(step .> Tensor(Double(next.0)), Tensor(next.1), rate)
    }
  }
}

/// Half a cosine, from α₀ down to `a·α₀`, where it stays: `α₀·((1 - a)·½·(1 + cos(π·p)) + a)` with
/// `p = step / decaySteps`. Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts" (2017); Keras's
/// `CosineDecay`.
///
/// With a warm-up the rate first rises in a straight line from α₀ to the target, and falls from there.
public struct CosineDecay: LearningRate {
  private let initial, alpha: Double
  private let warmup: (target: Double, steps: Double)?
  private let progress: Progress

  /// - Parameters:
  ///   - initialLearningRate: α₀.
  ///   - decaySteps: How many steps it falls, those of the warm-up not counted.
  ///   - alpha: a, the part that is left in the end; 0 by default.
  ///   - warmupTarget: What the rate rises to first; nil by default, for no warm-up.
  ///   - warmupSteps: How many steps it rises; 0 by default.
  public init(
    initialLearningRate: Double, decaySteps: Int, alpha: Double = 0, warmupTarget: Double? = nil, warmupSteps: Int = 0
  ) {
    precondition(
      warmupSteps == 0 || (warmupSteps > 0 && warmupTarget != nil),
      "CosineDecay: a warm-up of \(warmupSteps) steps needs a target, and one of a number of steps ≥ 0")
    (initial, self.alpha) = (initialLearningRate, alpha)
    warmup = warmupTarget.map { ($0, Double(warmupSteps)) }
    progress = Progress(decaySteps, of: "CosineDecay")
  }

  /// The rate at a step.
  public func rate(at step: Tensor) -> Tensor {
    let p = minimum(progress(warmup.map { step - Tensor($0.steps) } ?? step), 1)
    let decayed = Tensor(warmup?.target ?? initial) * cosine(p, from: Tensor(Double(1)), alpha: alpha)
    guard let warmup, warmup.steps > 0 else { return decayed }
    let risen = Tensor(warmup.target - initial) * (step / Tensor(warmup.steps)) + Tensor(initial)
    return select(step .< Tensor(warmup.steps), risen, decayed)
  }
}

/// Cosines one after the other, each `tMultiplier` times as long as the one before and starting `mMultiplier` times as
/// high: `α₀·((1 - a)·½·mⁱ·(1 + cos(π·p)) + a)` at the part p of cosine i. Loshchilov and Hutter (2017); Keras's
/// `CosineDecayRestarts`.
public struct CosineDecayRestarts: LearningRate {
  private let initial, tMultiplier, mMultiplier, alpha: Double
  private let progress: Progress

  /// - Parameters:
  ///   - initialLearningRate: α₀.
  ///   - firstDecaySteps: How long the first cosine is.
  ///   - tMultiplier: How much longer each is than the one before, at least 1; 2 by default. Keras's `t_mul`.
  ///   - mMultiplier: m, how much higher each starts than the one before; 1 by default. Keras's `m_mul`.
  ///   - alpha: a, the part that is left at the end of the first; 0 by default.
  public init(
    initialLearningRate: Double, firstDecaySteps: Int, tMultiplier: Double = 2, mMultiplier: Double = 1,
    alpha: Double = 0
  ) {
    precondition(
      tMultiplier >= 1, "CosineDecayRestarts: tMultiplier ≥ 1, not \(tMultiplier)")
    (initial, self.tMultiplier, self.mMultiplier, self.alpha) = (initialLearningRate, tMultiplier, mMultiplier, alpha)
    progress = Progress(firstDecaySteps, of: "CosineDecayRestarts")
  }

  /// The rate at a step.
  public func rate(at step: Tensor) -> Tensor {
    let p = progress(step)
    let (index, part) = tMultiplier == 1 ? (floor(p), p - floor(p)) : geometric(p)
    return Tensor(initial) * cosine(part, from: power(Tensor(mMultiplier), index), alpha: alpha)
  }

  /// The cosine that a step belongs to, and which part of it is over: cosine i begins at `(tⁱ - 1) / (t - 1)`.
  private func geometric(_ p: Tensor) -> (index: Tensor, part: Tensor) {
    let t = Tensor(tMultiplier)
    func start(_ index: Tensor) -> Tensor { (power(t, index) - 1) / (t - 1) }
    let rounded = floor(log(1 + p * (t - 1)) / log(t))
    // A logarithm that is a hair too small would keep the first step of a cosine in the one before.
    let index = select(p .>= start(rounded + 1), rounded + 1, rounded)
    return (index, (p - start(index)) / power(t, index))
  }
}

/// `(1 - a)·½·h·(1 + cos(π·p)) + a`.
private func cosine(_ p: Tensor, from height: Tensor, alpha: Double) -> Tensor {
  Tensor(1 - alpha) * (0.5 * height * (1 + cos(Tensor(Double.pi) * p))) + Tensor(alpha)
}
