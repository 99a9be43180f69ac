extension Graph {
  /// The graph's computation for every index of a new leading axis, from the batching rules of its operations.
  ///
  /// - Parameters:
  ///   - arguments: One tensor for each input, with a new leading axis of extent `count` where `isBatched` says so.
  ///   - isBatched: Which arguments have the axis.
  ///   - count: The extent of the axis.
  /// - Returns: The outputs, and which of them have the axis: those that depend on an argument that has it.
  package func vectorized(
    _ arguments: [Tensor], isBatched: [Bool], count: Int
  ) -> (outputs: [Tensor], isBatched: [Bool]) {
    var values = [[Tensor]](repeating: [], count: nodes.count)
    var flags = [Bool](repeating: false, count: nodes.count)
    for (index, input) in inputs.enumerated() {
      values[Int(input.node)] = [arguments[index]]
      flags[Int(input.node)] = isBatched[index]
    }
    for (index, node) in nodes.enumerated() where !(node.operation is Input) {
      let operands = node.operands.map { values[Int($0.node)][Int($0.result)] }
      let isBatched = node.operands.map { flags[Int($0.node)] }
      flags[index] = isBatched.contains(true)
      values[index] =
        flags[index]
        ? node.operation.vectorized(operands, isBatched: isBatched, count: count) : node.operation.apply(operands)
    }
    return (outputs.map { values[Int($0.node)][Int($0.result)] }, outputs.map { flags[Int($0.node)] })
  }
}

/// A function for every index of a new axis of its arguments, from one that is written for a single index.
///
///     let products = vectorize { (a: Tensor, b: Tensor) in (a * b).sum() }
///     products(x, y)                                      // [batch, n], [batch, n] → [batch]
///
/// The result is that of calling the function for every index and stacking what it gives, but the function is called once,
/// with tensors that have types but no values, and each of its operations becomes one operation on the whole batch. What
/// the function captures is the same for every index, and stays without the axis where that saves work.
///
/// Gradients, loops and vectorized functions in it are vectorized with it: `vectorize { x in gradient(at: x, of: f) }`
/// gives the gradient of each example. The other way round, the result can be differentiated. Random numbers are drawn
/// from keys: a key among the arguments draws anew for every index, a key captured draws the same numbers for all. To
/// assign a variable in the function is an error, and so is drawing without a key, which assigns the stream's. Masks of
/// tensors are not passed on.
///
/// - Parameters:
///   - axes: For each argument the axis of its tensors to go along, or nil for one that is the same for every index;
///     negative axes count from the end. The leading axis of every argument if left out.
///   - resultAxis: Where the axis is in the results; leading by default, negative ones count from the end.
///   - function: The function, of tensors or structures of tensors.
/// - Returns: A callable with the same arguments, but with the axis. It reports a ``TensorError`` if they have no axis of
///   one extent.
public func vectorize<each Input: TensorStructure, Output: TensorStructure>(
  along axes: [Int?]? = nil, resultAxis: Int = 0, _ function: @escaping (repeat each Input) -> Output
) -> Vectorized<Output, repeat each Input> {
  Vectorized(axes: axes, resultAxis: resultAxis, function: function)
}

/// A function for every index of an axis; see ``vectorize(along:resultAxis:_:)``.
public struct Vectorized<Output: TensorStructure, each Input: TensorStructure> {
  let axes: [Int?]?
  let resultAxis: Int
  let function: (repeat each Input) -> Output

  /// The results for every index of the axis.
  public func callAsFunction(_ x: repeat each Input) -> Output {
    var places: [Int?] = []
    var argument = 0
    for part in repeat each x {
      let axis = axes.map { argument < $0.count ? $0[argument] : nil } ?? 0
      places += part.tensors.map { _ in axis }
      argument += 1
    }
    let batch = Batch(flattened(repeat each x), along: places, isComplete: axes.map { $0.count == argument } ?? true)
    var output: Output?
    let recorded = RecordedFunction(batch.rowTypes, takesAssignments: false) { tensors in
      let parts = StructureParts(tensors)
      output = function(repeat parts.next(like: each x))
      return flattened(output!)
    }
    if batch.hasFailed || Recording.boundary?.hasFailed == true {
      return output!.mapTensors { .zeros($0.shape, elementType: $0.elementType) }
    }
    let results = recorded.vectorized(batch.tensors, isBatched: batch.isBatched, count: batch.count)
    return output!.replacingTensors(results.map { $0.movingAxis(0, to: resultAxis) })
  }
}

/// The tensors of a vectorized call, with the batch axis in front.
private struct Batch {
  private(set) var tensors: [Tensor]
  let isBatched: [Bool]
  private(set) var count = 0
  private(set) var hasFailed = false

  init(_ tensors: [Tensor], along axes: [Int?], isComplete: Bool) {
    self.tensors = tensors
    isBatched = axes.map { $0 != nil }
    let places = zip(tensors, axes).map { tensor, axis in axis.map { $0 < 0 ? $0 + tensor.rank : $0 } }
    let exist = zip(tensors, places).allSatisfy { tensor, place in place.map { 0..<tensor.rank ~= $0 } ?? true }
    let extents = exist ? Set(zip(tensors, places).compactMap { tensor, place in place.map { tensor.shape[$0] } }) : []
    guard isComplete, extents.count == 1 else {
      TensorError(
        operation: "vectorize", operands: tensors.map(\.type),
        problem: isComplete
          ? "axes \(axes.map { $0.map(String.init) ?? "nil" }.joined(separator: ", ")) without one extent"
          : "a list of axes that is not as long as that of the arguments",
        expected: "an axis, or nil, for each argument, at least one, of the same extent in all tensors that have it"
      ).report()
      hasFailed = true
      return
    }
    count = extents.first!
    self.tensors = zip(tensors, places).map { tensor, place in place.map { tensor.movingAxis($0, to: 0) } ?? tensor }
  }

  /// The types of the arguments for one index.
  var rowTypes: [TensorType] {
    zip(tensors, isBatched).map { tensor, isBatched in
      isBatched && !hasFailed ? TensorType(tensor.shape.removing(0), tensor.elementType) : tensor.type
    }
  }
}
