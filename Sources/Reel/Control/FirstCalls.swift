extension Scan: OperationDifferentiatedByBodies {
  /// The body on the operands of the first steps; of the very first, a state of zeros may hide what is wrong.
  package func firstCalls(_ operands: [Tensor]) -> [(body: Graph, arguments: [Tensor])] {
    var carry = Array(operands[carries])
    return (0..<min(length, 3)).map { step in
      let time = isReversed ? length - 1 - step : step
      let arguments = operands[captures] + carry + operands[sequences].map { $0[time] }
      carry = Array(body.graph(Array(arguments))[..<carryCount])
      return (body.graph, Array(arguments))
    }
  }
}

extension Rematerialized: OperationDifferentiatedByBodies {
  package func firstCalls(_ operands: [Tensor]) -> [(body: Graph, arguments: [Tensor])] { [(body.graph, operands)] }
}

extension RepeatWhile: OperationDifferentiatedByBodies {
  /// The body on the operands of the first steps, as far as the loop goes.
  package func firstCalls(_ operands: [Tensor]) -> [(body: Graph, arguments: [Tensor])] {
    var arguments = operands
    var calls: [(body: Graph, arguments: [Tensor])] = []
    while calls.count < 3, condition.graph(arguments)[0].item != 0 {
      calls.append((body.graph, arguments))
      arguments.replaceSubrange(carries, with: body.graph(arguments))
    }
    return calls
  }
}
