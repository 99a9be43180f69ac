import Reel

/// A program at some numbers, and whether all ways to run and to differentiate it agree.
///
/// The program is a function of tensors and of how its loops are laid out, so that a program printed by ``Program`` can be
/// checked in a test of its own.
package struct Agreement {
  /// What can be checked.
  package enum Check: String, CaseIterable, Sendable {
    /// Loops unrolled by blocks or not at all give the bits of loops unrolled in full.
    case unrolled
    /// Compiled, the program gives the bits of eager code, also when it runs on other numbers in between.
    case compiled
    /// Each pass alone, and all together, keep a graph valid and its bits.
    case passes
    /// Gradients are the same, but for rounding, in all ways, and after each pass.
    case gradients
    /// The gradient is the numeric derivative.
    case numeric
    /// Second derivatives are the same in all ways, and the numeric derivatives of the first.
    case secondOrder
    /// Forward mode gives what reverse mode does.
    case forward
    /// Vectorized, the program and its gradient give what a loop over the batch does.
    case vectorized
    /// Run once more, the program leaves no buffer behind. The count is that of the process: nothing else may run meanwhile.
    case memory

    /// The checks that can run beside others.
    package static let independent = allCases.filter { $0 != .memory }
  }

  package enum Outcome: Equatable, Sendable {
    case agrees
    /// Nothing can be said: the program has a kink near its numbers, or is not smooth enough for numeric derivatives.
    case undecided
    case fails(String)
  }

  package typealias Function = (_ inputs: [Tensor], _ unroll: Unroll) -> [Tensor]

  let inputs: [Tensor]
  /// Numbers for other runs.
  let variants: [[Tensor]]
  let function: Function
  let witness: (([Tensor]) -> Witness)?
  /// The layouts that are tried beside the full one.
  var unrolls: [Unroll]
  /// Whether something on the way is rounded to `float32`.
  let isSingle: Bool
  /// Whether all ways give the same bits. Gradients within the program are the same but for rounding.
  let isExact: Bool

  /// - Parameters:
  ///   - inputs: Where to run the program: floating-point tensors of one element type.
  ///   - isExact: Whether all ways give the same bits: not if there are gradients within the program.
  ///   - function: The program. It gives at least one floating-point tensor.
  package init(at inputs: [Tensor], isExact: Bool = true, _ function: @escaping Function) {
    self.init(
      inputs, variants: [inputs.map { $0 * 0.5 }, inputs.map { -$0 }], unrolls: [.never, 2, 3], isExact: isExact,
      witness: nil, function)
  }

  /// A program as data.
  package init(_ program: Program) {
    let variants = (1...8).map { program.arguments(variant: $0) }.filter { program.witness($0).isTame }
    self.init(
      program.arguments, variants: Array(variants.prefix(2)), unrolls: program.block.hasLoops ? [.never, 2, 3] : [],
      isExact: !program.block.hasGradients, witness: { program.witness($0) }
    ) { program($0, unroll: $1) }
  }

  private init(
    _ inputs: [Tensor], variants: [[Tensor]], unrolls: [Unroll], isExact: Bool, witness: (([Tensor]) -> Witness)?,
    _ function: @escaping Function
  ) {
    self.isExact = isExact
    self.inputs = inputs
    self.variants = variants
    self.unrolls = unrolls
    self.witness = witness
    self.function = function
    isSingle = (try? Graph(tracing: inputs.map(\.type)) { function($0, .never) })?.isSingle ?? true
  }

  /// Every layout, the full one first.
  var layouts: [Unroll] { [.full] + unrolls }

  /// The outcome of a check.
  package func outcome(of check: Check) -> Outcome {
    do {
      return try Recording.throwingErrors {
        switch check {
        case .unrolled where isUnclear, .compiled where isUnclear, .passes where isUnclear: .undecided
        case .unrolled: unrolled()
        case .compiled: try compiledAgrees()
        case .passes: try passes()
        case .gradients: try gradients()
        case .numeric: numeric()
        case .secondOrder: try secondOrder()
        case .forward: try forward()
        case .vectorized: try vectorized()
        case .memory: try memory()
        }
      }
    } catch {
      return .fails("throws \(error)")
    }
  }

  /// What is wrong, with any of the checks that can run beside others if none are given; nil if nothing.
  package func failure(of checks: [Check] = Check.independent) -> String? {
    for check in checks {
      if case .fails(let message) = outcome(of: check) { return "\(check.rawValue): \(message)" }
    }
    return nil
  }

  /// Whether results are the same but for rounding, and rounding may tip a decision.
  private var isUnclear: Bool {
    guard !isExact, let witness else { return false }
    return ([inputs] + variants).contains { witness($0).margin < 1e-6 }
  }

  func value(_ unroll: Unroll) -> [Tensor] { function(inputs, unroll) }
}

extension Program.Block {
  var hasLoops: Bool {
    steps.contains { step in
      if case .scan = step.action { return true }
      return step.action.blocks.contains(where: \.hasLoops)
    }
  }

  var hasGradients: Bool {
    steps.contains { step in
      if case .gradient = step.action { return true }
      return step.action.blocks.contains(where: \.hasGradients)
    }
  }
}

// MARK: - Values

extension Agreement {
  func sameBits(_ found: [Tensor], _ expected: [Tensor], _ what: String) -> String? {
    guard found.count == expected.count else { return "\(what): \(found.count) outputs, not \(expected.count)" }
    if !isExact { return close(found, expected, what) { function($0, .full) } }
    for (index, (found, expected)) in zip(found, expected).enumerated() {
      if let failure = bitDifference(found, expected, "\(what): output \(index)") { return failure }
    }
    return nil
  }

  private func memory() throws -> Outcome {
    func run() throws -> Int {
      for unroll in [unrolls.first ?? .full, .full] {
        _ = try compiled { (x: [Tensor]) in function(x, unroll) + gradients(at: x, unroll) }(inputs)
        _ = gradients(at: inputs, unroll)
        _ = jvp(at: inputs, along: inputs) { function($0, unroll) }
      }
      return Buffer.liveCount
    }
    // What is kept between runs is kept from the first on, or takes the place of something else.
    var before = try run()
    for _ in 0..<4 {
      let after = try run()
      if after <= before { return .agrees }
      before = after
    }
    return .fails("buffers stay after every run: \(before) now")
  }

  private func unrolled() -> Outcome {
    let expected = value(.full)
    for unroll in unrolls {
      if let failure = sameBits(value(unroll), expected, "unroll \(unroll)") { return .fails(failure) }
    }
    return .agrees
  }

  private func compiledAgrees() throws -> Outcome {
    let expected = value(.full)
    for unroll in layouts {
      let program = Reel.compiled { (x: [Tensor]) in function(x, unroll) }
      let first = try program(inputs)
      for variant in variants {
        let failure = sameBits(
          try program(variant), function(variant, .full), "compiled, unroll \(unroll), other numbers")
        if let failure { return .fails(failure) }
      }
      let second = try program(inputs)
      let failure =
        sameBits(first, expected, "compiled, unroll \(unroll)")
        ?? sameBits(second, expected, "compiled, unroll \(unroll), once more")
      if let failure { return .fails(failure) }
    }
    return .agrees
  }

  /// The passes to try: each alone, and the pipeline as far as each of its passes.
  static let passes: [(name: String, passes: [Pass])] = {
    let alone: [Pass] = [.deadCode, .simplify, .commonSubexpressions, .loops, .productSums, .splitElementwise, .fusion]
    return alone.map { ("\($0.name) alone", [$0]) }
      + Pass.pipeline.indices.map { ("the pipeline up to \(Pass.pipeline[$0].name)", Array(Pass.pipeline[...$0])) }
  }()

  /// What is wrong with a graph after passes: it is not valid, or its outputs are not those that are expected.
  func failure(
    of graph: Graph, after passes: [(name: String, passes: [Pass])], _ compare: ([Tensor], String) -> String?
  ) -> String? {
    for (name, passes) in passes {
      let found = graph.applying(passes)
      do {
        try found.validate()
      } catch {
        return "after \(name): \(error)\n\(found)"
      }
      if found.outputTypes != graph.outputTypes { return "after \(name): outputs of types \(found.outputTypes)" }
      if let failure = compare(found.executed(inputs), "after \(name)") { return failure }
    }
    return nil
  }

  private func passes() throws -> Outcome {
    let expected = value(.full)
    for unroll in unrolls.isEmpty ? [.full] : [Unroll.never, .full] {
      let graph = try Graph(tracing: inputs.map(\.type)) { function($0, unroll) }
      let failure =
        sameBits(graph(inputs), expected, "graph, unroll \(unroll)")
        ?? failure(of: graph, after: Self.passes) { sameBits($0, expected, "graph, unroll \(unroll), \($1)") }
      if let failure { return .fails(failure) }
    }
    return .agrees
  }
}

extension Graph {
  /// Whether there is a value of type `float32`, in bodies too.
  fileprivate var isSingle: Bool {
    nodes.contains { node in
      node.results.contains { $0.elementType == .float32 }
        || (node.operation as? any OperationWithBodies)?.bodies.contains(where: \.isSingle) == true
    }
  }

  /// The outputs as the runtime computes them: what passes make for kernels cannot be interpreted.
  fileprivate func executed(_ arguments: [Tensor]) -> [Tensor] {
    Executable(self).run(arguments.map(Storage.init(elementsOf:))).map(\.tensor)
  }
}

extension Storage {
  fileprivate init(elementsOf tensor: Tensor) {
    switch tensor.elementType {
    case .float32: self.init(tensor.scalars(as: Float.self), shape: tensor.shape)
    case .float64: self.init(tensor.scalars(as: Double.self), shape: tensor.shape)
    case .int32: self.init(tensor.scalars(as: Int32.self), shape: tensor.shape)
    case .bool: self.init(tensor.scalars(as: Bool.self), shape: tensor.shape)
    }
  }

  fileprivate var tensor: Tensor {
    switch type.elementType {
    case .float32: Tensor(elements(as: Float.self), shape: type.shape)
    case .float64: Tensor(elements(as: Double.self), shape: type.shape)
    case .int32: Tensor(elements(as: Int32.self), shape: type.shape)
    case .bool: Tensor(elements(as: Bool.self), shape: type.shape)
    }
  }
}
