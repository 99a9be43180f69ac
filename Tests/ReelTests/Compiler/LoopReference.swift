import Reel

extension Graph {
  /// Runs the graph operation by operation, loops step by step: a reference that shares nothing with the runtime but the
  /// kernels.
  func interpreted(_ arguments: [Tensor]) -> [Tensor] {
    var values: [Value: Tensor] = Dictionary(zip(inputs, arguments)) { first, _ in first }
    for (index, node) in nodes.enumerated() where node.operation.name != "input" {
      let operands = node.operands.map { values[$0]! }
      let results =
        node.operation.name == "scan" ? Self.steps(node.operation, operands) : node.operation.apply(operands)
      for (result, tensor) in results.enumerated() { values[Value(index, result)] = tensor }
    }
    return outputs.map { values[$0]! }
  }

  private static func steps(_ loop: any Operation, _ operands: [Tensor]) -> [Tensor] {
    let body = (loop as! any OperationWithBodies).bodies[0]
    func attribute(_ name: String) -> Int {
      Int(loop.attributes.split(separator: ", ").first { $0.hasPrefix(name) }!.split(separator: "=")[1])!
    }
    let (length, captured, carries) = (attribute("length"), attribute("captured"), attribute("carries"))
    let isReversed = loop.attributes.contains("reverse")
    var carry = Array(operands[captured..<captured + carries])
    var slices = [[Tensor]](repeating: [], count: length)
    for step in 0..<length {
      let time = isReversed ? length - 1 - step : step
      let elements = operands[(captured + carries)...].map { $0[time] }
      let results = body.interpreted(operands[..<captured] + carry + elements)
      carry = Array(results[..<carries])
      slices[time] = Array(results[carries...])
    }
    return carry + slices[0].indices.map { index in stacked(slices.map { $0[index] }) }
  }
}
