import Reel

extension Optimizer {
  /// Changes the parameters of a model along their gradients.
  ///
  /// A parameter without a gradient stays as it is. A model in which no trainable parameter has one is a
  /// ``Reel/TensorError``.
  ///
  /// - Parameters:
  ///   - model: The model, or a part of the one that was differentiated.
  ///   - gradients: The gradients, as ``valueWithGradient(of:training:_:)`` gives them.
  public func update(_ model: some Module, along gradients: Gradients) {
    let parameters = state.adopt(model).filter { $0.parameter.variable != nil }
    let used = parameters.filter { gradients[$0.parameter] != nil }
    guard !used.isEmpty else {
      if parameters.isEmpty { return }
      return TensorError(
        operation: "update",
        problem: "none of the \(parameters.count) trainable parameters of the model has a gradient",
        expected: "the gradients of a value that depends on the model"
      ).report()
    }
    let clocks = state.advance(used.map(\.parameter))
    func clock(_ parameter: Parameter) -> UpdateClock? { clocks[ObjectIdentifier(state.steps(of: parameter))] }

    let found = used.map { state.accumulated(gradients[$0.parameter]!, of: $0, clock($0.parameter)!, slots) }
    for (entry, gradient) in zip(used, state.clipping?.clipped(found) ?? found) {
      updateOne(entry, along: gradient, at: clock(entry.parameter)!)
    }
    // Where a gradient is missing the weight stands still, but its average may still be on the way to it.
    guard state.movingAverage != nil else { return }
    for entry in parameters where gradients[entry.parameter] == nil {
      guard let clock = clock(entry.parameter), let w = entry.parameter.value else { continue }
      entry.parameter.value = state.averaged(w, of: entry, clock, slots)
    }
  }

  private func updateOne(_ entry: NamedParameter, along gradient: Tensor, at clock: UpdateClock) {
    let parameter = entry.parameter
    let w = parameter.value!
    let (rate, count) = (clock.rate.converted(to: w.elementType), clock.count.converted(to: w.elementType))
    let known = state.variables(of: entry, slots)
    let variables = slots.map { known[$0.name]! }
    var update = ParameterUpdate(
      weight: state.weightDecay?.decayed(w, named: entry.name, learningRate: rate) ?? w, gradient: gradient,
      learningRate: rate, count: count, slots: zip(slots, variables).map { ($0.name, $1.value) })
    step(&update)
    for (variable, slot) in zip(variables, update.slots) {
      variable.value = clock.applied(slot.value, over: variable.value)
    }
    let next = state.averaged(clock.applied(update.weight, over: w), of: entry, clock, slots)
    parameter.value = parameter.constraint?(next) ?? next
  }
}

/// When an update takes place: what its parameters have in common. Scalars of element type `float64`.
struct UpdateClock {
  /// α.
  let rate: Tensor
  /// t: the number of the update that this step belongs to, from 1.
  let count: Tensor
  /// Whether the parameters change in this step, a `bool` scalar; nil if they do in every one.
  let isApplied: Tensor?

  /// - Parameters:
  ///   - step: The number of steps before this one.
  ///   - accumulation: The number of steps for one update.
  ///   - rate: α at a step.
  init(step: Tensor, accumulation: Int, rate: (Tensor) -> Tensor) {
    self.rate = rate(step)
    guard accumulation > 1 else {
      (count, isApplied) = (step + 1, nil)
      return
    }
    let steps = Tensor(floatLiteral: Double(accumulation))
    count = floor(step / steps) + 1
    isApplied = remainder(step + 1, steps) .== 0
  }

  /// The new value in a step that changes parameters, the old one in another.
  func applied(_ new: Tensor, over old: Tensor) -> Tensor { isApplied.map { select($0, new, old) } ?? new }
}

extension OptimizerState {
  /// The mean of the gradients since the last update, this one included, where they are accumulated.
  func accumulated(
    _ gradient: Tensor, of entry: NamedParameter, _ clock: UpdateClock, _ slots: [OptimizerSlot]
  ) -> Tensor {
    guard let isApplied = clock.isApplied else { return gradient }
    let accumulator = variables(of: entry, slots)[OptimizerSlot.gradientAccumulator.name]!
    let sum = accumulator.value + gradient
    accumulator.value = select(isApplied, 0, sum)
    return sum / Tensor(floatLiteral: Double(gradientAccumulationSteps))
  }

  /// Moves the average of the weights along, and gives the weight, which is the average in a step that overwrites.
  func averaged(_ w: Tensor, of entry: NamedParameter, _ clock: UpdateClock, _ slots: [OptimizerSlot]) -> Tensor {
    guard let movingAverage else { return w }
    let variable = variables(of: entry, slots)[OptimizerSlot.average.name]!
    let isFirst = clock.count .== 1
    let μ = select(isFirst, Tensor(Double(0)), Tensor(movingAverage.momentum)).converted(to: w.elementType)
    let average = μ * variable.value + (1 - μ) * w
    variable.value = average
    guard let frequency = movingAverage.overwriteFrequency else { return w }
    return select(remainder(clock.count, Tensor(Double(frequency))) .== 0, average, w)
  }
}
