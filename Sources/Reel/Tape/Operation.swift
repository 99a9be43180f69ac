/// One operation: everything Reel knows of it, side by side.
///
/// An operation is a value; its attributes are stored properties, so equality and hashing are synthesised and common
/// subexpressions are a dictionary. Axes in attributes are counted from the end wherever that can be, so that most
/// batching rules are "the same operation". Passes ask an operation for its properties and never list names.
package protocol Operation: Hashable, Sendable {
  /// The name in printed graphs, errors and reports.
  var name: String { get }

  /// The attributes in printed graphs, such as `axes=[-1]`; empty if there are none.
  var attributes: String { get }

  /// The type rule: the types of the results, or what is wrong with the operands.
  func resultTypes(of operands: [TensorType]) throws(TensorError) -> [TensorType]

  /// The kernel: computes `results`, which are allocated with the types of the type rule.
  func run(_ operands: [Storage], into results: [Storage])

  /// Runs the kernel into storages of its own choice: new ones, unless the operation knows better.
  func evaluate(_ operands: [Storage], types: [TensorType]) -> [Storage]

  /// The cotangents of the operands, nil where there is none. Written with tensor operations only, which is what makes
  /// derivatives of any order work. A cotangent may have the shape that the operand was broadcast to: the sweep undoes it.
  func pullback(_ context: PullbackContext) -> [Tensor?]

  /// What the pullback reads the elements of. A tape that keeps values lets go of those that no pullback reads; of these a
  /// pullback sees only the types.
  var pullbackReads: PullbackReads { get }

  /// The pullback operand by operand, nil where there is no cotangent, of an operation that has one to three operands and
  /// one result and needs no more than these; else empty. A sweep calls rules without making lists.
  var pullbackRules: [PullbackRule?] { get }

  /// Whether the result is some of the operand's elements, none of them twice, where ``alias(of:)`` says: then the cotangent
  /// can be added to that of the operand in place.
  var isSelection: Bool { get }

  /// The results and their tangents, given the tangents of the operands, of which at least one is there; nil where nothing
  /// moves. By default the results, and the transpose of the pullback: an operation has a rule of its own only where that
  /// saves work, and a loop, so that it carries tangents along instead of keeping its steps.
  func pushforward(_ operands: [Tensor], _ tangents: [Tensor?]) -> (results: [Tensor], tangents: [Tensor?])

  /// The batching rule: the same computation for every index of a new leading axis of extent `count`, which exactly the
  /// operands marked in `isBatched` (at least one) have. Every result has the axis.
  func vectorized(_ operands: [Tensor], isBatched: [Bool], count: Int) -> [Tensor]

  /// The instruction of an elementwise program, if the operation is elementwise.
  var scalarCode: ScalarCode? { get }

  /// The instruction of a program by rows, if the operation folds the last axis and keeps it with extent 1.
  var rowCode: ScalarCode? { get }

  /// Whether the result is the first operand's elements under another type, so that nothing needs to run.
  var isView: Bool { get }

  /// Whether the result is the operand's elements in another layout, which strides may be able to say.
  var isLayout: Bool { get }

  /// Where the result of a layout is found, given where the operand is; nil if strides cannot say it, which they can for
  /// a dense operand.
  func alias(of operand: View) -> View?

  /// The binding to the strided kernels: appends the instructions that compute the results. False where the operation has
  /// none and runs as it does eagerly, on dense operands.
  func lower(_ operands: [View], into results: [View], _ lowering: inout Lowering) -> Bool

  /// The value of the result, if it is the same in every run.
  var constant: Storage? { get }

  /// Whether computing it again costs less than keeping its result: arithmetic and movement, but no transcendental
  /// function, product, reduction or loop.
  var isCheap: Bool { get }

  /// Whether the pullback goes on adding to ``PullbackContext/sums`` and gives totals: loops do, so that a sum over the
  /// steps is the same sequence of additions however the steps are divided among loops.
  var continuesSums: Bool { get }

  /// The operation to run in place of this one on a tape that keeps values, given which operands may be differentiated:
  /// a loop answers with one that also gives what its reverse will need. Nil where that is this operation.
  func keepingResiduals(for operands: [Tensor]) -> (any Operation)?
}

/// Of an operation the elements of its operands, of its results, or of both.
package struct PullbackReads: OptionSet, Sendable {
  package let rawValue: UInt8
  package init(rawValue: UInt8) { self.rawValue = rawValue }

  package static let operands = PullbackReads(rawValue: 1)
  package static let results = PullbackReads(rawValue: 2)
}

/// The cotangent of one operand, from that of the result `y`, `y` itself, and the first and the last operand, which are
/// the same if there is only one.
package typealias PullbackRule = @Sendable (_ cotangent: Tensor, _ a: Tensor, _ b: Tensor, _ y: Tensor) -> Tensor

extension Operation {
  package var attributes: String { "" }
  package var pullbackReads: PullbackReads { [.operands, .results] }
  package var pullbackRules: [PullbackRule?] { [] }
  package var isSelection: Bool { false }
  package var scalarCode: ScalarCode? { nil }
  package var rowCode: ScalarCode? { nil }
  package var isView: Bool { false }
  package var isLayout: Bool { false }
  package func alias(of operand: View) -> View? { nil }
  package func lower(_ operands: [View], into results: [View], _ lowering: inout Lowering) -> Bool { false }
  package var constant: Storage? { nil }
  package var isCheap: Bool { true }
  package var continuesSums: Bool { false }
  package func keepingResiduals(for operands: [Tensor]) -> (any Operation)? { nil }

  func isEqual(to other: any Operation) -> Bool {
    (other as? Self).map { $0 == self } ?? false
  }
}

/// What a pullback is given: the operation's operands and results, and the cotangents of the results.
package struct PullbackContext {
  /// The operands, as tensors that can be computed with.
  package let operands: [Tensor]
  /// The results.
  package let results: [Tensor]
  /// The cotangent of each result; nil where nothing depends on it. At least one is there.
  package let cotangents: [Tensor?]
  /// Whether the cotangent of each operand is wanted at all.
  package let isActive: [Bool]
  /// What has been found of the cotangent of each operand so far, if the operation ``Operation/continuesSums``; of an
  /// operand that stands in several places, at the first. All nil for other operations.
  package let sums: [Tensor?]
  /// Exchanges the recorded operation for one with the same results followed by more, and gives these. Nil where the
  /// operation has run already and can only run again.
  package let widen: ((any Operation) -> [Tensor])?

  /// The cotangent of the only result.
  package var cotangent: Tensor { cotangents[0]! }

  /// One cotangent for each operand, computed only where it is wanted.
  package func cotangents(_ rules: ((PullbackContext) -> Tensor)?...) -> [Tensor?] {
    zip(rules, isActive).map { rule, isActive in isActive ? rule?(self) : nil }
  }
}

extension Operation {
  /// Applies the operation by the recording rule: it is recorded on the innermost tape that any of the operands belongs
  /// to, or on the piece of a program that is being recorded further in, and runs at once if there is none.
  ///
  /// Operands that break the type rule are reported; the results are then placeholders.
  package func apply(_ operands: [Tensor]) -> [Tensor] {
    let types: [TensorType]
    do {
      types = try resultTypes(of: operands.map(\.type))
    } catch {
      error.report()
      return [Tensor.placeholder(like: operands.first)]
    }
    guard let tape = Tape.recording(operands) else {
      return evaluateLogged(operands.map { $0.storage! }, types: types).map(Tensor.init)
    }
    return tape.record(self, operands, types)
  }

  /// Applies an operation with one result.
  package func callAsFunction(_ operands: Tensor...) -> Tensor { apply(operands)[0] }

  package func evaluate(_ operands: [Storage], types: [TensorType]) -> [Storage] {
    if let constant { return [constant] }
    if isView { return [operands[0].viewed(as: types[0])] }
    let results = types.map { Storage($0) }
    run(operands, into: results)
    return results
  }
}
