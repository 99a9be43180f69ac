import Foundation
import Reel

extension Program: CustomStringConvertible {
  /// The program as the body of a function `(x: [Tensor], unroll: Unroll) -> [Tensor]`.
  package var description: String { lines(indentation: "").joined(separator: "\n") }

  /// A test that can be pasted: the program at its numbers, and that all ways agree.
  package func test(named name: String, failing message: String) -> String {
    let numbers = zip(inputs, arguments).map { input, argument in
      let list = argument.numbers.map { "\($0)" }.joined(separator: ", ")
      return "    Tensor([\(list)] as [\(elementType == .float32 ? "Float" : "Double")], shape: \(input.shape)),"
    }
    return
      (["// \(message)", "@Test func \(name)() {", "  let x = ["] + numbers + [
        "  ]",
        "  let agreement = Agreement(at: x\(block.hasGradients ? ", isExact: false" : "")) { x, unroll in",
      ] + lines(indentation: "    ") + ["  }", "  #expect(agreement.failure() == nil)", "}"]).joined(separator: "\n")
  }

  private func lines(indentation: String) -> [String] {
    let text = ProgramText(inputs: inputs.map(\.name), elementType: elementType)
    return text.lines(of: block, indentation) + ["\(indentation)return \(text.list(block.results))"]
  }
}

/// Writes lines of a program as Swift.
private struct ProgramText {
  let inputs: [Program.Name]
  let elementType: ElementType

  func name(_ name: Program.Name) -> String {
    inputs.firstIndex(of: name).map { "x[\($0)]" } ?? "v\(name)"
  }

  func list(_ names: [Program.Name]) -> String { "[\(names.map(name).joined(separator: ", "))]" }

  func lines(of block: Program.Block, _ indentation: String) -> [String] {
    block.steps.flatMap { lines(of: $0, indentation) }
  }

  private func lines(of step: Program.Step, _ indentation: String) -> [String] {
    let operands = step.operands.map(name)
    switch step.action {
    case .scan(let loop): return lines(of: loop, step, indentation)
    case .conditional(let then, let otherwise): return lines(of: then, else: otherwise, step, indentation)
    case .repeatWhile(let condition, let body): return lines(of: body, while: condition, step, indentation)
    case .gradient(let block):
      return ["\(indentation)let \(name(step.results[0])) = gradient(at: \(operands[0])) { v\(block.parameters[0]) in"]
        + lines(of: block, indentation + "  ")
        + ["\(indentation)  return \(name(block.results[0])).sum()", "\(indentation)}"]
    case .split(let parts, let axis):
      let all = "\(indentation)let split\(step.results[0]) = \(operands[0]).split(\(parts), along: \(axis))"
      return [all]
        + step.results.enumerated().map { "\(indentation)let v\($1) = split\(step.results[0])[\($0)]" }
    default:
      return ["\(indentation)let v\(step.results[0]) = \(step.action.expression(operands, elementType))"]
    }
  }

  private func lines(
    of then: Program.Block, else otherwise: Program.Block, _ step: Program.Step, _ indentation: String
  ) -> [String] {
    func branch(_ block: Program.Block) -> [String] {
      lines(of: block, indentation + "  ") + ["\(indentation)  return \(list(block.results))"]
    }
    let result = "branch\(step.results[0])"
    return ["\(indentation)let \(result) = conditional(\(name(step.operands[0]))) { () -> [Tensor] in"] + branch(then)
      + ["\(indentation)} else: {"] + branch(otherwise) + ["\(indentation)}"]
      + step.results.enumerated().map { "\(indentation)let v\($1) = \(result)[\($0)]" }
  }

  private func lines(
    of body: Program.Block, while condition: Program.Block, _ step: Program.Step, _ indentation: String
  ) -> [String] {
    func closure(_ block: Program.Block, _ results: String) -> [String] {
      block.parameters.enumerated().map { "\(indentation)  let v\($1) = state[\($0)]" }
        + lines(of: block, indentation + "  ") + ["\(indentation)  return \(results)"]
    }
    let result = "loop\(step.results[0])"
    return ["\(indentation)let \(result) = repeatWhile(from: \(list(step.operands))) { (state: [Tensor]) -> Tensor in"]
      + closure(condition, name(condition.results[0])) + ["\(indentation)} body: { (state: [Tensor]) -> [Tensor] in"]
      + closure(body, list(body.results)) + ["\(indentation)}"]
      + step.results.enumerated().map { "\(indentation)let v\($1) = \(result)[\($0)]" }
  }

  private func lines(of loop: Action.Loop, _ step: Program.Step, _ indentation: String) -> [String] {
    let (carries, sequences) = (step.operands[..<loop.carryCount], step.operands[loop.carryCount...])
    let (result, outputs) = ("loop\(step.results[0])", loop.givesLastOnly ? "output" : "outputs")
    let parameters = loop.body.parameters.enumerated().map { index, name in
      index < loop.carryCount
        ? "\(indentation)  let v\(name) = state[\(index)]"
        : "\(indentation)  let v\(name) = element[\(index - loop.carryCount)]"
    }
    let (next, given) = (loop.body.results[..<loop.carryCount], loop.body.results[loop.carryCount...])
    return [
      "\(indentation)let \(result) = \(loop.givesLastOnly ? "scanToLast" : "scan")(over: \(list(Array(sequences))), "
        + "from: \(list(Array(carries))), reverse: \(loop.isReversed), unroll: unroll\(loop.memory.argument)) {",
      "\(indentation)  (state: [Tensor], element: [Tensor]) -> ([Tensor], [Tensor]) in",
    ] + parameters + lines(of: loop.body, indentation + "  ") + [
      "\(indentation)  return (\(list(Array(next))), \(list(Array(given))))", "\(indentation)}",
    ]
      + step.results.enumerated().map { index, name in
        index < loop.carryCount
          ? "\(indentation)let v\(name) = \(result).state[\(index)]"
          : "\(indentation)let v\(name) = \(result).\(outputs)[\(index - loop.carryCount)]"
      }
  }
}

extension Action {
  /// The call, as Swift.
  fileprivate func expression(_ x: [String], _ elementType: ElementType) -> String {
    switch self {
    case .map(.negate): "-\(x[0])"
    case .map(.not): ".!\(x[0])"
    case .map(let map): "\(map)(\(x[0]))"
    case .number(let pairing, let number): pairing.expression(x[0], "\(number)")
    case .pair(let pairing): pairing.expression(x[0], x[1])
    case .select: "select(\(x.joined(separator: ", ")))"
    case .matmul(let left, let right): "\(x[0]).matmul(\(x[1]), transposingSelf: \(left), transposingOther: \(right))"
    case .fold(let fold, let axes, let keepDims):
      "\(x[0]).\(fold)(along: \(axes.map { "\($0)" } ?? "nil"), keepDims: \(keepDims))"
    case .normalize(let normalization, let axis): "\(normalization)(\(x[0]), along: \(axis))"
    case .place(let isMax, let axis): "\(x[0]).\(isMax ? "argMax" : "argMin")(along: \(axis))"
    case .cumulativeSum(let axis, let exclusive, let reverse):
      "\(x[0]).cumulativeSum(along: \(axis), exclusive: \(exclusive), reverse: \(reverse))"
    case .concatenate(let axis): "concatenated([\(x.joined(separator: ", "))], along: \(axis))"
    case .stack(let axis): "stacked([\(x.joined(separator: ", "))], along: \(axis))"
    case .gather(let axis): "\(x[0]).gathered(at: \(x[1]), along: \(axis))"
    case .scatterAdd(let extent, let axis): "\(x[0]).scatterAdded(at: \(x[1]), extent: \(extent), along: \(axis))"
    default: x.isEmpty ? source(elementType) : moved(x[0])
    }
  }

  private func moved(_ x: String) -> String {
    switch self {
    case .reshape(let shape): "\(x).reshaped(to: \(shape))"
    case .transpose(let order): "\(x).transposed(\(order))"
    case .broadcast(let shape): "\(x).broadcasted(to: \(shape))"
    case .slice(let start, let end, let axis, let step): "\(x).sliced(\(start)..<\(end), along: \(axis), step: \(step))"
    case .part(let index, let axis): "\(x).part(at: \(index), along: \(axis))"
    case .reverse(let axis): "\(x).reversed(along: \(axis))"
    case .pad(let before, let after, let axis, let value):
      "\(x).padded(before: \(before), after: \(after), along: \(axis), with: \(value))"
    case .windows(let size, let stride, let dilation, let axis):
      "\(x).windows(of: \(size), stride: \(stride), dilation: \(dilation), along: \(axis))"
    case .overlapAdd(let extent, let stride, let dilation, let axis):
      "\(x).overlapAdded(extent: \(extent), stride: \(stride), dilation: \(dilation), along: \(axis))"
    case .convert(let elementType): "\(x).converted(to: .\(elementType.swiftName))"
    case .stopGradient: "stopGradient(\(x))"
    case .oneHot(let depth): "\(x).oneHot(\(depth))"
    default: "\(self)"
    }
  }

  private func source(_ elementType: ElementType) -> String {
    switch self {
    case .indices(let indices, let shape): "Tensor(\(indices) as [Int32], shape: \(shape))"
    case .fill(let value, let shape):
      "Tensor(repeating: \(value), shape: \(shape), elementType: .\(elementType.swiftName))"
    case .iota(let count): "Tensor.iota(\(count)).converted(to: .\(elementType.swiftName))"
    case .uniform(let seed, let shape):
      "Tensor.randomUniform(\(shape), key: RandomKey(seed: \(seed)), elementType: .\(elementType.swiftName))"
    default: "\(self)"
    }
  }
}

extension Action.Pairing {
  fileprivate func expression(_ a: String, _ b: String) -> String {
    switch self {
    case .maximum, .minimum, .power, .remainder: "\(rawValue)(\(a), \(b))"
    default: "\(a) \(rawValue) \(b)"
    }
  }
}

extension LoopMemory {
  /// What a call of `scan` says of it.
  fileprivate var argument: String {
    switch self {
    case .unlimited: ""
    case .checkpoints(let steps): ", checkpointEvery: unroll == .full ? nil : \(steps)"
    case .atMost(let bytes): ", memory: unroll == .full ? .unlimited : .atMost(\(bytes))"
    }
  }
}

extension ElementType {
  fileprivate var swiftName: String {
    switch self {
    case .float32: "float32"
    case .float64: "float64"
    case .int32: "int32"
    case .bool: "bool"
    }
  }
}
