extension Graph: CustomStringConvertible {
  /// The program in a typed normal form, one operation a line, bodies of loops indented:
  ///
  ///     graph (%0: f32[2,3], %1 "kernel": f32[3,4]) {
  ///       %2: f32[2,4] = matmul %0 %1 @dense
  ///       %3: f32[2,2] = slice %2 {axis=-1, start=0, step=1, count=2}
  ///       return %3
  ///     }
  ///
  /// An input may have a name. Behind `@` are the layers that the operation was recorded in; `∇` stands for the reverse
  /// sweep. ``init(parsing:)`` reads it.
  public var description: String { "graph " + text(indentation: "") }

  private func text(indentation: String) -> String {
    let names = valueNames
    func name(_ value: Value) -> String { names[value] ?? "%?" }
    var lines = ["(" + inputs.map { "\(name($0))\(label($0)): \(type(of: $0))" }.joined(separator: ", ") + ") {"]
    for (index, node) in nodes.enumerated() where !(node.operation is Input) {
      let results = node.results.enumerated().map { "\(name(Value(index, $0))): \($1)" }.joined(separator: ", ")
      var line =
        "\(indentation)  \(results) = "
        + ([Self.word(node.operation.name)] + node.operands.map(name)).joined(separator: " ")
      if !node.operation.attributes.isEmpty { line += " {\(node.operation.attributes)}" }
      if !node.path.isEmpty { line += " @" + node.path.map(Self.word).joined(separator: ".") }
      for body in (node.operation as? any ReadableOperation)?.writtenBodies ?? [] {
        line += " " + body.text(indentation: indentation + "  ")
      }
      lines.append(line)
    }
    lines.append("\(indentation)  return " + outputs.map(name).joined(separator: ", "))
    lines.append("\(indentation)}")
    return lines.joined(separator: "\n")
  }

  /// The name of an input, quoted, behind a space.
  private func label(_ input: Value) -> String {
    let label = nodes[Int(input.node)].operation.attributes
    return label.isEmpty ? "" : " " + Self.quoted(label)
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

  /// A name as it stands in the text: in quotes if it is more than a word.
  private static func word(_ name: String) -> String {
    !name.isEmpty && name.unicodeScalars.allSatisfy(isInWord) ? name : quoted(name)
  }

  /// Whether a name with the character needs no quotes.
  package static func isInWord(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "_", "-", "[", "]", "∇": true
    default: false
    }
  }

  private static func quoted(_ name: String) -> String {
    var text = "\""
    for scalar in name.unicodeScalars {
      switch scalar {
      case "\"", "\\": text += "\\\(scalar)"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
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
