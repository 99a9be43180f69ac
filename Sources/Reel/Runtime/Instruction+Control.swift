/// A loop as long as a condition holds. Its carries alternate between two buffers each.
struct WhileCall: Sendable {
  let carries: [LoopCall.Carry]
  /// Runs once, before the first condition.
  let prologue: [Instruction]
  let condition: [Instruction]
  /// Where the condition leaves its truth value.
  let predicate: Address
  let body: [Instruction]
  /// What each instruction belongs to.
  let origins: (condition: [RunLog.Origin], body: [RunLog.Origin])
}

/// One of two lists of instructions.
struct ConditionalCall: Sendable {
  let predicate: Address
  let then, otherwise: [Instruction]
  /// What each instruction belongs to.
  let origins: (then: [RunLog.Origin], otherwise: [RunLog.Origin])
}

extension Executor {
  func run(_ call: ConditionalCall) {
    if isTrue(call.predicate) {
      run(call.then, of: call.origins.then)
    } else {
      run(call.otherwise, of: call.origins.otherwise)
    }
  }

  func run(_ call: WhileCall) {
    run(call.prologue, of: log == nil ? [] : call.prologue.packing)
    enter(call.carries)
    var step = 0
    while true {
      run(call.condition, of: call.origins.condition)
      guard isTrue(call.predicate) else { return }
      run(call.body, of: call.origins.body)
      leave(call.carries, step: step)
      step += 1
    }
  }

  private func isTrue(_ predicate: Address) -> Bool { predicate.resolved(bases).load(as: UInt8.self) != 0 }

  /// Sets the bases of carries before the first step.
  func enter(_ carries: [LoopCall.Carry]) {
    for carry in carries {
      bases[carry.incoming] = carry.initial.resolved(bases)
      if case .buffers(let base, let even, _) = carry.outgoing { bases[base] = bases[even] }
    }
  }

  /// Makes what leaves a step what enters the next.
  func leave(_ carries: [LoopCall.Carry], step: Int) {
    for carry in carries {
      switch carry.outgoing {
      case .stack(let slot): bases[carry.incoming] = slot.resolved(bases)
      case .buffers(let base, let even, let odd):
        bases[carry.incoming] = bases[base]
        bases[base] = bases[step % 2 == 0 ? odd : even]
      }
    }
  }
}
