import Reel

/// A parameter with its path in a model.
typealias NamedParameter = (name: String, parameter: Parameter)

/// What all optimizers have in common: the learning rate, what is done around the formula, and the variables.
public final class OptimizerState {
  /// What the step size is at each step.
  let schedule: any LearningRate
  /// A step size that is a number, and can be changed.
  private let rate: Variable?
  let weightDecay: WeightDecay?
  let clipping: GradientClipping?
  let movingAverage: MovingAverage?
  let gradientAccumulationSteps: Int

  /// What is known of a parameter. It is kept, so that no later one can take its place in memory and its variables with it.
  private struct Entry {
    let parameter: Parameter
    /// How many steps there were. Parameters that came with one model share one count, so that a model has one, and a second
    /// model starts at the beginning.
    let steps: Variable
    var variables: [String: Variable] = [:]
  }

  private var entries: [ObjectIdentifier: Entry] = [:]
  private var firstSteps: Variable?

  /// - Parameters:
  ///   - learningRate: α: a number, which is not negative, or a schedule.
  ///   - weightDecay: How weights decay; they do not by default.
  ///   - clipping: How gradients are clipped; they are not by default.
  ///   - movingAverage: Whether and how an average of the weights is kept; none is by default.
  ///   - gradientAccumulationSteps: The number of steps whose mean gradient makes one update; 1 by default. The steps
  ///     between leave everything as it is. A schedule counts all steps, a formula counts updates.
  public init(
    learningRate: any LearningRate, weightDecay: WeightDecay? = nil, clipping: GradientClipping? = nil,
    movingAverage: MovingAverage? = nil, gradientAccumulationSteps: Int = 1
  ) {
    precondition(
      gradientAccumulationSteps >= 1, "gradient accumulation steps ≥ 1, not \(gradientAccumulationSteps)")
    clipping?.check()
    schedule = learningRate
    rate = (learningRate as? Double).map { Variable(Tensor(Self.checked($0)), name: "learningRate") }
    self.weightDecay = weightDecay
    self.clipping = clipping
    self.movingAverage = movingAverage
    self.gradientAccumulationSteps = gradientAccumulationSteps
  }

  private static func checked(_ rate: Double) -> Double {
    precondition(rate >= 0, "learning rate ≥ 0, not \(rate)")
    return rate
  }

  var learningRate: Double {
    get {
      if let rate { return rate.concrete.item }
      return Recording.suspended { schedule.rate(at: firstSteps?.concrete ?? Tensor(Double(0))).item }
    }
    set {
      guard let rate else { preconditionFailure("the learning rate follows a schedule and cannot be assigned") }
      rate.concrete = Tensor(Self.checked(newValue))
    }
  }

  // MARK: - Steps

  /// The trainable parameters of a model, all of which have an entry from now on.
  func adopt(_ model: some Module) -> [NamedParameter] {
    let parameters = model.parameters.filter { $0.parameter.isTrainable }
    let new = parameters.filter { entries[ObjectIdentifier($0.parameter)] == nil }
    guard !new.isEmpty else { return parameters }
    let steps = Variable(Tensor(Double(0)), name: "step")
    firstSteps = firstSteps ?? steps
    for (_, parameter) in new { entries[ObjectIdentifier(parameter)] = Entry(parameter: parameter, steps: steps) }
    return parameters
  }

  /// The count of steps of a parameter that was adopted.
  func steps(of parameter: Parameter) -> Variable { entries[ObjectIdentifier(parameter)]!.steps }

  /// Counts a step of some parameters.
  ///
  /// - Returns: The clock for each count of steps.
  func advance(_ parameters: [Parameter]) -> [ObjectIdentifier: UpdateClock] {
    var clocks: [ObjectIdentifier: UpdateClock] = [:]
    for steps in parameters.map({ steps(of: $0) }) where clocks[ObjectIdentifier(steps)] == nil {
      let step = steps.value
      clocks[ObjectIdentifier(steps)] = UpdateClock(
        step: step, accumulation: gradientAccumulationSteps, rate: rate(at:))
      steps.value = step + 1
    }
    return clocks
  }

  private func rate(at step: Tensor) -> Tensor {
    let rate = rate?.value ?? schedule.rate(at: step)
    if rate.rank != 0 {
      TensorError(
        operation: "update", problem: "a learning rate of shape \(rate.shape)",
        expected: "a schedule that gives a scalar"
      ).report()
      return Tensor(Double(0))
    }
    return rate.converted(to: .float64)
  }

  // MARK: - Variables

  /// All variables of an adopted parameter that has a value, by the names of their slots; made if need be.
  func variables(of entry: NamedParameter, _ slots: [OptimizerSlot]) -> [String: Variable] {
    let key = ObjectIdentifier(entry.parameter)
    if let known = entries[key]?.variables, !known.isEmpty { return known }
    let weight = entry.parameter.variable!.concrete
    let made = allSlots(slots).map { ($0.name, Variable($0.first(for: weight), name: "\(entry.name).\($0.name)")) }
    let variables = Dictionary(made) { _, _ in preconditionFailure("two slots of an optimizer have one name") }
    entries[key]?.variables = variables
    return variables
  }

  /// A variable of a parameter, if it was made.
  func variable(_ slot: String, of parameter: Parameter) -> Variable? {
    entries[ObjectIdentifier(parameter)]?.variables[slot]
  }

  func variables(of model: some Module, _ slots: [OptimizerSlot]) -> [(name: String, variable: Variable)] {
    let parameters = adopt(model)
    var listed = rate.map { [("learningRate", $0)] } ?? []
    var counts: [Variable] = []
    for (name, parameter) in parameters {
      let steps = steps(of: parameter)
      if counts.contains(where: { $0 === steps }) { continue }
      listed.append((counts.isEmpty ? "step" : "\(name).step", steps))
      counts.append(steps)
    }
    for entry in parameters where entry.parameter.variable != nil {
      let variables = variables(of: entry, slots)
      for slot in allSlots(slots) { listed.append(("\(entry.name).\(slot.name)", variables[slot.name]!)) }
    }
    return listed
  }

  /// The slots of a formula, and those for what is done around it.
  private func allSlots(_ slots: [OptimizerSlot]) -> [OptimizerSlot] {
    (gradientAccumulationSteps > 1 ? [.gradientAccumulator] : []) + slots + (movingAverage == nil ? [] : [.average])
  }
}
