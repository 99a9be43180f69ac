// In text a stage says which operands it is about, with a digit for each: `reversed 110 01` for the operands that are
// differentiated and the results that have a cotangent, `vectorized 10 5` for those with a batch axis and its extent.
extension RepeatWhileDerivative.Stage: CustomStringConvertible {
  var description: String {
    func digits(_ flags: [Bool]) -> String { String(flags.map { $0 ? "1" : "0" }) }
    return switch self {
    case .reversed(let isActive, let hasCotangent): "reversed \(digits(isActive)) \(digits(hasCotangent))"
    case .vectorized(let isBatched, let count): "vectorized \(digits(isBatched)) \(count)"
    }
  }

  init?(_ text: String) {
    func flags(_ digits: Substring) -> [Bool]? { digits.allSatisfy("01".contains) ? digits.map { $0 == "1" } : nil }
    let words = text.split(separator: " ")
    guard words.count == 3, let first = flags(words[1]) else { return nil }
    switch words[0] {
    case "reversed":
      guard let second = flags(words[2]) else { return nil }
      self = .reversed(isActive: first, hasCotangent: second)
    case "vectorized":
      guard let count = Int(words[2]), (1...OperationText.limit).contains(count) else { return nil }
      self = .vectorized(isBatched: first, count: count)
    default: return nil
    }
  }
}

extension RepeatWhileDerivative: ReadableOperation {
  package static let names = ["repeatWhileDerivative"]

  package var writtenBodies: [Graph] { loop.bodies }

  package init(reading text: inout OperationText) throws(GraphSyntaxError) {
    try text.expect(operands: text.operands.count, results: text.results.count, bodies: 2)
    loop = try RepeatWhile(reading: &text)
    stages = try text.list("stages", of: "stages such as reversed 110 01") { Stage($0) }
    guard !stages.isEmpty else { throw text.failure("a derivative without a stage", expected: "at least one") }
    // Making the program calls pullbacks, which report what does not fit.
    do {
      _ = try loop.resultTypes(of: loop.body.graph.inputTypes)
      for index in stages.indices {
        let known = try Recording.throwingErrors {
          RepeatWhileDerivative(loop: loop, stages: Array(stages[..<index])).program(capacity: 1).graph
        }
        guard stages[index].fits(known) else {
          throw text.failure(
            "the stage '\(stages[index])'", expected: "a digit for each operand and result, one of them 1")
        }
      }
      _ = try Recording.throwingErrors { program(capacity: 1) }
    } catch let error as GraphSyntaxError {
      throw error
    } catch {
      throw text.failure("\(error)")
    }
  }
}

extension RepeatWhileDerivative.Stage {
  /// Whether the stage can be made of a program: it has as many flags as operands and results, at least one is set, and
  /// only floating-point tensors are differentiated.
  fileprivate func fits(_ program: Graph) -> Bool {
    func fits(_ flags: [Bool], _ types: [TensorType], onlyFloating: Bool) -> Bool {
      flags.count == types.count && flags.contains(true)
        && zip(flags, types).allSatisfy { !$0 || !onlyFloating || $1.elementType.isFloatingPoint }
    }
    switch self {
    case .reversed(let isActive, let hasCotangent):
      return fits(isActive, program.inputTypes, onlyFloating: true)
        && fits(hasCotangent, program.outputTypes, onlyFloating: true)
    case .vectorized(let isBatched, let count):
      let most = (program.inputTypes + program.outputTypes).map(\.shape.count).max() ?? 0
      return fits(isBatched, program.inputTypes, onlyFloating: false)
        && most.multipliedReportingOverflow(by: count).partialValue <= OperationText.limit
    }
  }
}
