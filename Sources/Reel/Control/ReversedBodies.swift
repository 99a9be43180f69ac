/// The reverse of programs that compute the same results of the same operands: each program and its sweep, as programs
/// of one form.
///
///     operands read ++ cotangents of results ++ cotangents of operands so far  →  cotangents of operands
///
/// Each computes again what it needs of the program, so that nothing else has to be kept.
struct ReversedBodies: Sendable {
  /// A program for each of the given ones.
  let bodies: [LoopBody]
  /// The operands that the programs read, those whose cotangents they give, and those of these that go on from what the
  /// sweep has found so far.
  let read, found, continued: [Int]

  /// - Parameters:
  ///   - programs: Programs with inputs and outputs of the same types.
  ///   - isActive: Which operands are differentiated.
  ///   - hasCotangent: Which results have a cotangent.
  ///   - hasSum: Of which operands a sum of cotangents is given.
  init(_ programs: [Graph], isActive: [Bool], hasCotangent: [Bool], hasSum: [Bool]) {
    let sweeps = programs.map { Sweep($0, isActive: isActive, hasCotangent: hasCotangent, hasSum: hasSum) }
    defer { for sweep in sweeps { sweep.tape.close() } }
    let found = isActive.indices.filter { operand in sweeps.contains { $0.isFound(operand) } }
    let continued = found.filter { hasSum[$0] }
    let drafts = sweeps.map { $0.program(giving: found, continuing: continued) }
    let operandCount = isActive.count
    let areUsed = drafts.map(\.usedInputs)
    let read = (0..<operandCount).filter { operand in areUsed.contains { $0[operand] } }
    bodies = drafts.map { draft in
      let inputs = read.map { draft.inputs[$0] } + draft.inputs[operandCount...]
      return LoopBody(Graph(extracting: draft.outputs, from: inputs, of: draft.nodes))
    }
    (self.read, self.found, self.continued) = (read, found, continued)
  }

  /// The cotangents of the operands of the programs.
  ///
  /// - Parameters:
  ///   - operands: The operands of the programs.
  ///   - context: What their pullback is given; its operands end with those of the programs.
  ///   - apply: Applies the programs to what they take.
  func cotangents(_ operands: [Tensor], _ context: PullbackContext, _ apply: ([Tensor]) -> [Tensor]) -> [Tensor?] {
    var cotangents = context.sums
    if found.isEmpty { return cotangents }
    let skipped = context.operands.count - operands.count
    let sums = continued.map { context.sums[skipped + $0]! }
    let totals = apply(read.map { operands[$0] } + context.cotangents.compactMap { $0 } + sums)
    for (operand, total) in zip(found, totals) { cotangents[skipped + operand] = total }
    return cotangents
  }

  /// A program and its sweep on a tape.
  private struct Sweep {
    let tape = Tape(.staged)
    let operands, cotangents: [Tensor]
    let sums: [Int: Tensor]
    let totals: [Int: Tensor]

    init(_ program: Graph, isActive: [Bool], hasCotangent: [Bool], hasSum: [Bool]) {
      let tape = tape
      let x = program.inputTypes.map { tape.input($0) }
      let active = x.indices.filter { isActive[$0] }
      let sums = Dictionary(uniqueKeysWithValues: active.filter { hasSum[$0] }.map { ($0, tape.input(x[$0].type)) })
      (cotangents, totals) = Recording.$tape.withValue(tape) {
        let y = program(x)
        let given = y.indices.filter { hasCotangent[$0] }.map { (result: y[$0], cotangent: tape.input(y[$0].type)) }
        let seeds = given + active.compactMap { index in sums[index].map { (x[index], $0) } }
        let found = tape.cotangents(of: active.map { x[$0] }, from: seeds, isDetached: false)
        let totals = Dictionary(zip(active, found)) { first, _ in first }
        return (given.map(\.cotangent), totals.compactMapValues { $0 })
      }
      (operands, self.sums) = (x, sums)
    }

    /// Whether anything was added to the cotangent of an operand; a sum that nothing was added to stays with the sweep.
    func isFound(_ operand: Int) -> Bool {
      guard let total = totals[operand] else { return false }
      return sums[operand].map(tape.value(of:)) != tape.value(of: total)
    }

    func program(giving found: [Int], continuing continued: [Int]) -> Graph {
      let outputs = found.map { totals[$0] ?? sums[$0] ?? .zeros(like: operands[$0]) }
      let inputs = operands + cotangents + continued.map { sums[$0]! }
      return tape.graph(inputs: inputs.map(tape.value(of:)), outputs: outputs.map(tape.value(of:)))
    }
  }
}
