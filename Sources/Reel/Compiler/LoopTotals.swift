/// Sums of values over the steps of a loop, each as few large operations: a sum of products is one product over all rows
/// of all steps.
///
/// A sum starts from what its accumulator held before the loop, and goes on in the order of the steps, which is that of the
/// rows of a product. So it does not matter to the bits where a loop over many steps is divided into several loops.
struct LoopTotals {
  /// What an accumulator held before the loop, or a part of that.
  private struct Start {
    let tensor: Tensor
    /// Where it lies in the value; the whole of it if nil.
    let slice: Slice?
  }

  private var steps: AllSteps
  /// What is given before any sum is computed: what the loop stacks, and what enters it.
  private let given: AllSteps
  private var starts: [Value: [Start]] = [:]
  private var totals: [Value: Tensor] = [:]
  /// Whether one value would have to start from two tensors.
  private var hasConflict = false

  private var loop: OpenLoop { steps.loop }

  private init(_ steps: AllSteps) {
    self.steps = steps
    given = steps
  }
}

// MARK: - Where sums start

extension LoopTotals {
  /// The sums of values over all steps, in addition to some initial tensors.
  ///
  /// - Parameters:
  ///   - values: The values, each with what its accumulator held before the loop.
  ///   - steps: The values of the loop's body outside of it.
  static func sums(of values: [(value: Value, initial: Tensor)], _ steps: AllSteps) -> [Tensor] {
    // Accumulators of the same terms that held different things have sums of their own.
    var groups: [LoopTotals] = []
    let places = values.map { value, initial -> (group: Int, rest: Tensor?) in
      for (index, group) in groups.enumerated() {
        var joined = group
        let rest = joined.start(value, from: initial)
        if joined.hasConflict { continue }
        groups[index] = joined
        return (index, rest)
      }
      var own = LoopTotals(steps)
      let rest = own.start(value, from: initial)
      groups.append(own.hasConflict ? LoopTotals(steps) : own)
      return (groups.count - 1, own.hasConflict ? initial : rest)
    }
    return zip(values, places).map { value, place in
      let total = groups[place.group](value.value)
      return place.rest.map { Elementwise.accumulate($0, total) } ?? total
    }
  }

  /// Lets the sum of a value start from a tensor: the products, or other terms, that the value is made of
  /// start from the parts of it that are theirs.
  ///
  /// - Returns: What has no place there, and is to be added to the sum; nil for nothing.
  private mutating func start(_ value: Value, from initial: Tensor) -> Tensor? {
    let node = loop.node(value)
    let operand = node.operands.first
    switch node.operation {
    case _ where products(in: value) != nil: return place(Start(tensor: initial, slice: nil), in: value)
    case is Reshape where isMadeOfProducts(value):
      return start(operand!, from: initial.reshaped(to: loop.type(of: operand!).shape))?.reshaped(to: initial.shape)
    case let transpose as Transpose where isMadeOfProducts(value):
      let order = transpose.order(of: initial.rank)
      return start(operand!, from: initial.transposed(order.indices.map { order.firstIndex(of: $0)! }))
        .map { transpose($0) }
    case let slice as Slice where slice.step == 1 && isMadeOfProducts(value) && products(in: operand!) != nil:
      return place(Start(tensor: initial, slice: slice), in: operand!)
    case let join as Concatenate where isMadeOfProducts(value):
      return start(join, node.operands, from: initial)
    case let unslice as Unslice where unslice.step == 1 && isMadeOfProducts(value):
      return start(unslice, operand!, from: initial)
    case let operation as Elementwise where operation == .negate && isMadeOfProducts(value):
      return start(operand!, from: -initial).map { -$0 }
    case is Elementwise where isMadeOfProducts(value):
      node.operands.dropFirst().forEach { startFromZero($0) }
      return start(operand!, from: initial)
    case _ where isMadeOfProducts(value):
      node.operands.forEach { startFromZero($0) }
      return initial
    default: return place(Start(tensor: initial, slice: nil), in: value)
    }
  }

  private mutating func startFromZero(_ value: Value) { _ = start(value, from: zeros(loop.type(of: value))) }

  private mutating func place(_ start: Start, in value: Value) -> Tensor? {
    func range(_ slice: Slice) -> Range<Int> { slice.start..<slice.start + slice.count }
    let isFree = starts[value, default: []].allSatisfy { other in
      guard let slice = start.slice, let otherSlice = other.slice else { return false }
      return slice.axis == otherSlice.axis && !range(slice).overlaps(range(otherSlice))
    }
    guard isFree else {
      hasConflict = true
      return start.tensor
    }
    starts[value, default: []].append(start)
    return nil
  }

  private mutating func start(_ join: Concatenate, _ operands: [Value], from initial: Tensor) -> Tensor? {
    var rest: [Tensor?] = []
    var position = 0
    for operand in operands {
      let count = loop.type(of: operand).shape[join.axis]
      rest.append(start(operand, from: initial.sliced(position..<position + count, along: join.axis)))
      position += count
    }
    if rest.allSatisfy({ $0 == nil }) { return nil }
    return concatenated(zip(rest, operands).map { $0 ?? zeros(loop.type(of: $1)) }, along: join.axis)
  }

  /// What lies around the part that is summed stays as it was.
  private mutating func start(_ unslice: Unslice, _ operand: Value, from initial: Tensor) -> Tensor? {
    let type = loop.type(of: operand)
    let end = unslice.start + type.shape[unslice.axis]
    let rest = start(operand, from: initial.sliced(unslice.start..<end, along: unslice.axis))
    if rest == nil && type.shape == initial.shape { return nil }
    return concatenated(
      [
        initial.sliced(0..<unslice.start, along: unslice.axis), rest ?? zeros(type),
        initial.sliced(end..<unslice.extent, along: unslice.axis),
      ], along: unslice.axis)
  }

  private func zeros(_ type: TensorType) -> Tensor { .zeros(type.shape, elementType: type.elementType) }

  /// What the sum of a value starts from.
  private func initial(_ value: Value) -> Tensor {
    let type = loop.type(of: value)
    guard let starts = starts[value] else { return zeros(type) }
    guard let axis = starts[0].slice?.axis else { return starts[0].tensor }
    var parts: [Tensor] = []
    var end = 0
    func fill(to next: Int) {
      let shape = type.shape.replacing(axis + type.shape.rank, with: next - end)
      if next > end { parts.append(zeros(TensorType(shape, type.elementType))) }
    }
    for start in starts.sorted(by: { $0.slice!.start < $1.slice!.start }) {
      fill(to: start.slice!.start)
      parts.append(start.tensor)
      end = start.slice!.start + start.slice!.count
    }
    fill(to: type.shape[axis])
    return concatenated(parts, along: axis)
  }
}

// MARK: - Sums

extension LoopTotals {
  private mutating func callAsFunction(_ value: Value) -> Tensor {
    if let known = totals[value] { return known }
    let total = makeTotal(value)
    totals[value] = total
    return total
  }

  private mutating func makeTotal(_ value: Value) -> Tensor {
    if let products = products(in: value) { return product(products, from: initial(value)) }
    let node = loop.node(value)
    guard isMadeOfProducts(value) else { return sum(each(value), from: initial(value)) }
    if let reshape = node.operation as? Reshape { return self(node.operands[0]).reshaped(to: reshape.shape) }
    return node.operation.apply(node.operands.map { self($0) })[0]
  }

  /// Whether a value is summed by summing products. What the loop gives step by step is no product any more.
  private func isMadeOfProducts(_ value: Value) -> Bool { !given.isKnown(value) && loop.isMadeOfProducts(value) }

  /// The products of matrices that a value is the sum of, in order; nil if it is anything else.
  private func products(in value: Value) -> [Value]? {
    let node = loop.node(value)
    guard loop.type(of: value).shape.rank == 2, !given.isKnown(value) else { return nil }
    if node.operation is MatrixProduct { return isMadeOfProducts(value) ? [value] : nil }
    guard let sum = node.operation as? Elementwise, sum == .accumulate || sum == .add,
      node.operands.allSatisfy({ loop.type(of: $0) == node.results[0] }),
      let left = products(in: node.operands[0]), let right = products(in: node.operands[1])
    else { return nil }
    return left + right
  }

  /// Σ_t (left_t · right_t + …) as one product over the rows of all steps: steps, products and rows become one axis, in
  /// order.
  private mutating func product(_ products: [Value], from initial: Tensor) -> Tensor {
    let ordered = loop.isReversed ? products.reversed() : products
    let factors = ordered.map { value in
      let product = loop.node(value).operation as! MatrixProduct
      return [!product.transposesLeft, product.transposesRight].enumerated().map { index, isTransposed in
        let stack = steps.stacked(loop.node(value).operands[index])
        return isTransposed ? stack.movingAxis(1, to: 2) : stack
      }
    }
    func rows(_ index: Int) -> Tensor {
      let stack = factors.count == 1 ? factors[0][index] : concatenated(factors.map { $0[index] }, along: 1)
      return stack.reshaped(to: [stack.shape[0] * stack.shape[1], stack.shape[2]])
    }
    return accumulated(rows(0), rows(1), from: initial)
  }

  private func accumulated(_ left: Tensor, _ right: Tensor, from initial: Tensor) -> Tensor {
    let product = MatrixProduct(transposesLeft: true, transposesRight: false, descends: loop.isReversed)
    return AddedProduct(product: product, placement: .prologue).apply([left, right, initial])[0]
  }

  /// The values of all steps, added up one after the other: a product with ones.
  private func sum(_ values: Tensor, from initial: Tensor) -> Tensor {
    let count = initial.shape.count
    let ones = Tensor.ones([loop.length, 1], elementType: initial.elementType)
    return accumulated(ones, values.reshaped(to: [loop.length, count]), from: initial.reshaped(to: [1, count]))
      .reshaped(to: initial.shape)
  }

  /// The values of all steps. A fold of a part of a known whole is the part of the whole's fold, so that parts share one.
  private mutating func each(_ value: Value) -> Tensor {
    let node = loop.node(value)
    if let reshape = node.operation as? Reshape, !given.isKnown(value) {
      return each(node.operands[0]).reshaped(to: Shape([loop.length] + reshape.shape.extents))
    }
    guard let fold = node.operation as? Reduction, !given.isKnown(value),
      let part = given.parts[node.operands[0]] ?? loop.sliceOfWhole(node.operands[0]), given.isKnown(part.whole),
      !fold.axes.contains(part.slice.axis)
    else { return steps.stacked(value) }
    let whole = Reduction(kind: fold.kind, axes: fold.axes, keepsDims: true)
    return part.slice(whole(steps.stacked(part.whole))).reshaped(
      to: Shape([loop.length] + node.results[0].shape.extents))
  }
}

extension OpenLoop {
  /// Whether a value is a product, or products behind operations that a sum over the steps goes through.
  func isMadeOfProducts(_ value: Value) -> Bool {
    let node = node(value)
    switch node.operation {
    case is MatrixProduct: return node.operands.allSatisfy { type(of: $0).shape.rank == 2 }
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
