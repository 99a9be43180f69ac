/// Computes values of a loop's body outside of the loop: once if they do not depend on the step, and else for all steps
/// at once, stacked along a leading axis, by the batching rules of the operations.
struct AllSteps {
  /// A value outside the loop, stacked if it depends on the step.
  typealias Result = (tensor: Tensor, isStacked: Bool)

  let loop: OpenLoop
  let tape: Tape
  private var known: [Value: Result] = [:]
  private var parts: [Value: OpenLoop.Part] = [:]
  private var totals: [Value: Tensor] = [:]

  /// - Parameters:
  ///   - loop: A tidy loop.
  ///   - tape: The tape around it.
  init(_ loop: OpenLoop, on tape: Tape) {
    self.loop = loop
    self.tape = tape
    for port in loop.captures { known[port.inner] = (tape.tensor(port.outer), false) }
    for port in loop.sequences { known[port.inner] = (tape.tensor(port.outer), true) }
  }

  /// Says what a value is outside the loop.
  mutating func know(_ value: Value, stacked: Tensor) { known[value] = (stacked, true) }

  /// Says that a value is a part of one that is known.
  mutating func know(_ value: Value, as part: OpenLoop.Part) {
    known[value] = (part.slice(self(part.whole).tensor), true)
    parts[value] = part
  }

  func isKnown(_ value: Value) -> Bool { known[value] != nil }

  /// A value outside the loop, from what is known.
  mutating func callAsFunction(_ value: Value) -> Result {
    if let known = known[value] { return known }
    for index in unknownAncestors(of: value) { compute(index) }
    return known[value]!
  }

  /// A value for all steps, repeated if it does not depend on them.
  mutating func stacked(_ value: Value) -> Tensor {
    let (tensor, isStacked) = self(value)
    return isStacked ? tensor : tensor.repeated(loop.length)
  }

  private func unknownAncestors(of value: Value) -> [Int] {
    var found: Set<Int> = [Int(value.node)]
    var queue = [Int(value.node)]
    while let index = queue.popLast() {
      for operand in loop.nodes[index].operands where known[operand] == nil {
        if found.insert(Int(operand.node)).inserted { queue.append(Int(operand.node)) }
      }
    }
    return found.sorted()
  }

  private mutating func compute(_ index: Int) {
    let node = loop.nodes[index]
    let operands = node.operands.map { known[$0]! }
    let isStacked = operands.contains { $0.isStacked }
    let results = Recording.$path.withValue(node.path) {
      isStacked
        ? node.operation.vectorized(operands.map(\.tensor), isBatched: operands.map(\.isStacked), count: loop.length)
        : node.operation.apply(operands.map(\.tensor))
    }
    for (result, tensor) in results.enumerated() {
      let value = Value(index, result)
      if known[value] == nil { known[value] = (tensor, isStacked) }
    }
  }
}

// MARK: - Sums over the steps

extension AllSteps {
  /// The sum of a value over all steps, as few large operations: a sum of products is one product over all rows of all
  /// steps, and a sum of sums one sum.
  mutating func total(_ value: Value) -> Tensor {
    if let known = totals[value] { return known }
    let total = known[value] == nil ? makeTotal(value) : sum(value)
    totals[value] = total
    return total
  }

  /// The values of all steps, added up.
  private mutating func sum(_ value: Value) -> Tensor {
    let (tensor, isStacked) = self(value)
    return isStacked ? tensor.sum(along: [0]) : tensor * Tensor(.number(Double(loop.length)))
  }

  private mutating func makeTotal(_ value: Value) -> Tensor {
    let node = loop.node(value)
    let operands = node.operands
    switch node.operation {
    case let product as MatrixProduct:
      return self.product(product, operands[0], operands[1]) ?? sum(value)
    case let fold as Reduction where fold.kind == .sum:
      return self.fold(fold, operands[0]).reshaped(to: loop.type(of: value).shape)
    case let reshape as Reshape where loop.node(operands[0]).operation is Reduction || loop.isMadeOfProducts(value):
      return total(operands[0]).reshaped(to: reshape.shape)
    default:
      guard loop.isMadeOfProducts(value) else { return sum(value) }
      return node.operation.apply(operands.map { total($0) })[0]
    }
  }

  /// Σ_t left_t · right_t as one product over the rows of all steps: steps and rows become one axis, in order.
  private mutating func product(_ product: MatrixProduct, _ left: Value, _ right: Value) -> Tensor? {
    guard loop.type(of: left).shape.rank == 2, loop.type(of: right).shape.rank == 2 else { return nil }
    let (a, b) = (self(left), self(right))
    guard a.isStacked && b.isStacked else {
      // A factor that is the same at every step waits for the sum of the other one.
      if !a.isStacked && !b.isStacked { return nil }
      return a.isStacked ? product(total(left), b.tensor) : product(a.tensor, total(right))
    }
    func rows(_ stack: Tensor, isTransposed: Bool) -> Tensor {
      let stack = isTransposed ? stack.movingAxis(1, to: 2) : stack
      return stack.reshaped(to: [stack.shape[0] * stack.shape[1], stack.shape[2]])
    }
    return rows(a.tensor, isTransposed: !product.transposesLeft)
      .matmul(rows(b.tensor, isTransposed: product.transposesRight), transposingSelf: true)
  }

  /// The sum over steps and axes at once, which stay with extent 1. Of a part of a known whole, it is the part of the
  /// whole's sum, so that parts share one sum.
  private mutating func fold(_ fold: Reduction, _ operand: Value) -> Tensor {
    if let part = parts[operand] ?? loop.sliceOfWhole(operand), isKnown(part.whole),
      !fold.axes.contains(part.slice.axis)
    {
      return part.slice(folded(self(part.whole), fold.axes))
    }
    return folded(self(operand), fold.axes)
  }

  private func folded(_ value: Result, _ axes: [Int]) -> Tensor {
    guard value.isStacked else {
      return value.tensor.sum(along: axes, keepDims: true) * Tensor(.number(Double(loop.length)))
    }
    let sum = value.tensor.sum(along: [0] + axes, keepDims: true)
    return sum.reshaped(to: Shape(Array(sum.shape.extents.dropFirst())))
  }
}

extension OpenLoop {
  /// Whether a value is a product, or products behind operations that a sum over the steps goes through.
  func isMadeOfProducts(_ value: Value) -> Bool {
    let node = node(value)
    switch node.operation {
    case is MatrixProduct: return true
    case is Reshape, is Slice, is Unslice, is Transpose: return isMadeOfProducts(node.operands[0])
    case is Concatenate: return node.operands.allSatisfy(isMadeOfProducts)
    case let operation as Elementwise where operation == .negate: return isMadeOfProducts(node.operands[0])
    case let sum as Elementwise where sum == .add || sum == .accumulate || sum == .subtract:
      return node.operands.allSatisfy { type(of: $0) == type(of: value) }
        && node.operands.contains(where: isMadeOfProducts)
    default: return false
    }
  }
}
