extension OpenLoop {
  /// A value that lies inside another one.
  struct Part {
    let whole: Value
    let slice: Slice
  }

  /// The values that lie inside a concatenation: its operands, and concatenations of some that are neighbours in it.
  ///
  /// Where the whole is stacked, the stack of a part is a slice of it, and costs nothing.
  func partsOfConcatenations() -> [Value: [Part]] {
    var parts: [Value: [Part]] = [:]
    let joins = nodes.enumerated().compactMap { index, node in
      (node.operation as? Concatenate).map { (axis: $0.axis, value: Value(index), operands: node.operands) }
    }
    for join in joins {
      let starts = join.operands.reduce(into: [0]) { $0.append($0.last! + type(of: $1).shape[join.axis]) }
      func add(_ value: Value, _ range: Range<Int>) {
        let (start, end) = (starts[range.lowerBound], starts[range.upperBound])
        parts[value, default: []].append(
          Part(whole: join.value, slice: Slice(axis: join.axis, start: start, step: 1, count: end - start)))
      }
      for (position, operand) in join.operands.enumerated() { add(operand, position..<position + 1) }
      for inner in joins
      where inner.axis == join.axis && inner.value != join.value && inner.operands.count < join.operands.count {
        let count = inner.operands.count
        let position = (0...join.operands.count - count).first {
          Array(join.operands[$0..<$0 + count]) == inner.operands
        }
        if let position { add(inner.value, position..<position + count) }
      }
    }
    return parts
  }

  /// The value that a slice is a part of.
  func sliceOfWhole(_ value: Value) -> Part? {
    (node(value).operation as? Slice).map { Part(whole: node(value).operands[0], slice: $0) }
  }
}
