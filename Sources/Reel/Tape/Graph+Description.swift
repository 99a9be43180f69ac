extension Graph: CustomStringConvertible {
  /// The program in a typed normal form, one operation a line, bodies of loops indented:
  ///
  ///     graph (%0: f32[2,3], %1: f32[3,4]) {
  ///       %2: f32[2,4] = matmul %0 %1
  ///       %3: f32[2,4] = tanh %2
  ///       return %3
  ///     }
  public var description: String { "graph " + text(indentation: "") }

  private func text(indentation: String) -> String {
    let names = valueNames
    func name(_ value: Value) -> String { names[value] ?? "%?" }
    var lines = ["(" + inputs.map { "\(name($0)): \(type(of: $0))" }.joined(separator: ", ") + ") {"]
    for (index, node) in nodes.enumerated() where !(node.operation is Input) {
      let results = node.results.enumerated().map { "\(name(Value(index, $0))): \($1)" }.joined(separator: ", ")
      var line =
        "\(indentation)  \(results) = " + ([node.operation.name] + node.operands.map(name)).joined(separator: " ")
      if !node.operation.attributes.isEmpty { line += " {\(node.operation.attributes)}" }
      for body in (node.operation as? any OperationWithBodies)?.bodies ?? [] {
        line += " " + body.text(indentation: indentation + "  ")
      }
      lines.append(line)
    }
    lines.append("\(indentation)  return " + outputs.map(name).joined(separator: ", "))
    lines.append("\(indentation)}")
    return lines.joined(separator: "\n")
  }

  /// Inputs are numbered first, then results in order.
  private var valueNames: [Value: String] {
    var names: [Value: String] = [:]
    for input in inputs { names[input] = "%\(names.count)" }
    for (index, node) in nodes.enumerated() where !(node.operation is Input) {
      for result in node.results.indices { names[Value(index, result)] = "%\(names.count)" }
    }
    return names
  }
}

/// An operation that holds programs, such as a loop.
package protocol OperationWithBodies: Operation {
  /// The programs.
  var bodies: [Graph] { get }

  /// The operation with other programs in the place of these, of the same types and with the same meaning.
  func replacingBodies(_ bodies: [Graph]) -> any Operation

  /// The operation without the results that nothing depends on, and the operands that it still takes; nil if it knows no
  /// such operation.
  func narrowed(to isUsed: [Bool]) -> (operation: any Operation, operands: [Int])?
}

extension OperationWithBodies {
  package func narrowed(to isUsed: [Bool]) -> (operation: any Operation, operands: [Int])? { nil }
}
