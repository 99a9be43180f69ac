import Foundation
import Reel

/// The layers of a network, what they give and how many numbers they have. Keras's `summary`.
///
///     print(try network.summary(inputShape: [nil, 28, 28]))
public struct ModelSummary: Hashable, Sendable {
  /// One layer.
  public struct Row: Hashable, Sendable {
    /// The name in the model.
    public let name: String
    /// The type of the layer.
    public let kind: String
    /// The extents of each output; nil for those that may be any. None if they are not known.
    public let outputShapes: [[Int?]]
    /// The numbers of all its parameters; 0 before they are made.
    public let parameterCount: Int
    /// Whether its parameters are made.
    public let isBuilt: Bool
    /// How many layers it is nested in.
    public let depth: Int
  }

  /// A number of numbers, and the bytes that they take.
  public struct Size: Hashable, Sendable {
    /// The numbers.
    public var count = 0
    /// The bytes.
    public var byteCount = 0

    mutating func add(_ tensor: Tensor) {
      count += tensor.count
      byteCount += tensor.count * tensor.elementType.byteCount
    }
  }

  /// The name of the network.
  public let name: String
  /// The layers in order; a layer that is made of layers comes before them.
  public let rows: [Row]
  /// The parameters that optimizers change.
  public let trainable: Size
  /// The other parameters.
  public let nonTrainable: Size
  /// The variables of the optimizer; nil if there is none, or it has made no step yet.
  public let optimizer: Size?

  init(of network: some Layer, calls: [[LayerCalls.Call]], optimizer: Size? = nil) {
    name = network.defaultName
    var rows: [Row] = []
    let children = LayerTree.children(of: network, opened: true)
    if children.isEmpty {
      rows = [LayerTree.row(network, network.defaultName, at: [], depth: 0, calls)]
    } else {
      for child in children { LayerTree.append(child.layer, child.name, at: [], depth: 0, calls, to: &rows) }
    }
    self.rows = rows
    var (trainable, nonTrainable) = (Size(), Size())
    for (_, parameter) in network.parameters {
      guard let value = parameter.variable?.concrete else { continue }
      if parameter.isTrainable { trainable.add(value) } else { nonTrainable.add(value) }
    }
    (self.trainable, self.nonTrainable, self.optimizer) = (trainable, nonTrainable, optimizer)
  }
}

/// The layers of a network as its summary goes through them.
private enum LayerTree {
  /// The layers that a layer is made of. Those of the library are one row each; what a ``Sequential`` or a layer of the
  /// user's own is made of is shown.
  ///
  /// - Parameter opened: Whether it is the network itself.
  static func children(of layer: any Layer, opened: Bool) -> [(name: String, layer: any Layer)] {
    let isOfLibrary = String(reflecting: type(of: layer)).hasPrefix("ReelNN.")
    guard layer is Sequential || !isOfLibrary else { return [] }
    return layer.reflectedChildren.flatMap { layers(in: $0.value, named: $0.name) }
  }

  private static func layers(in value: Any, named name: String) -> [(name: String, layer: any Layer)] {
    if let layer = value as? any Layer { return [(name, layer)] }
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .collection: return mirror.children.enumerated().flatMap { layers(in: $1.value, named: "\(name).\($0)") }
    case .optional, .tuple: return mirror.children.flatMap { layers(in: $0.value, named: name) }
    default: return []
    }
  }

  static func append(
    _ layer: any Layer, _ name: String, at path: [String], depth: Int, _ calls: [[LayerCalls.Call]],
    to rows: inout [ModelSummary.Row]
  ) {
    rows.append(row(layer, name, at: path + [name], depth: depth, calls))
    for child in children(of: layer, opened: false) {
      append(child.layer, child.name, at: path + [name], depth: depth + 1, calls, to: &rows)
    }
  }

  static func row(
    _ layer: any Layer, _ name: String, at path: [String], depth: Int, _ calls: [[LayerCalls.Call]]
  ) -> ModelSummary.Row {
    let values = layer.parameters.map { $0.parameter.variable?.concrete }
    return ModelSummary.Row(
      name: name, kind: kind(of: layer), outputShapes: shapes(layer, path, calls),
      parameterCount: values.reduce(0) { $0 + ($1?.count ?? 0) },
      isBuilt: values.isEmpty || values.contains { $0 != nil }, depth: depth)
  }

  /// The extents that are alike in all recordings, and nil for the others.
  private static func shapes(_ layer: any Layer, _ path: [String], _ calls: [[LayerCalls.Call]]) -> [[Int?]] {
    let found = calls.map { LayerCalls.call(of: layer, at: path, in: $0)?.shapes ?? [] }
    guard let first = found.first, found.allSatisfy({ $0.map(\.rank) == first.map(\.rank) }) else { return [] }
    return first.indices.map { index in
      (0..<first[index].rank).map { axis in
        let extents = found.map { $0[index][axis] }
        return Set(extents).count == 1 ? extents[0] : nil
      }
    }
  }

  /// The name of the type; of a recurrent layer, that of its cell without `Cell`: `LSTM`.
  private static func kind(of layer: any Layer) -> String {
    let full = "\(type(of: layer))"
    guard full.hasPrefix("RNN<") else { return String(full.prefix { $0 != "<" }) }
    let cell = String(full.dropFirst(4).prefix { $0 != "<" && $0 != ">" })
    return cell.hasSuffix("Cell") && cell.count > 4 ? String(cell.dropLast(4)) : cell
  }
}

// MARK: - The table

extension ModelSummary: CustomStringConvertible {
  /// Keras's table, 88 columns wide, or wider where names are long.
  public var description: String {
    let head = ["Layer (type)", "Output Shape", "Param #"]
    let cells = rows.map { row in
      let indent = row.depth == 0 ? "" : String(repeating: "  ", count: row.depth - 1) + "└ "
      let count = row.isBuilt ? Self.number(row.parameterCount) : "0 (unbuilt)"
      return ["\(indent)\(row.name) (\(row.kind))", Self.text(row.outputShapes), count]
    }
    let widths = zip([36, 27, 15], 0...).map { width, column in
      ([head] + cells).map { $0[column].count }.max().map { max($0, width) } ?? width
    }
    func line(_ cells: [String], _ wall: String) -> String {
      let padded = zip(cells, widths).enumerated().map { column, cell in
        let space = String(repeating: " ", count: cell.1 - cell.0.count)
        return " " + (column == 2 ? space + cell.0 : cell.0 + space) + " "
      }
      return wall + padded.joined(separator: wall) + wall
    }
    func rule(_ left: String, _ fill: String, _ middle: String, _ right: String) -> String {
      left + widths.map { String(repeating: fill, count: $0 + 2) }.joined(separator: middle) + right
    }
    let body = cells.map { line($0, "│") }.joined(separator: "\n\(rule("├", "─", "┼", "┤"))\n")
    return """
      Model: "\(name)"
      \(rule("┏", "━", "┳", "┓"))
      \(line(head, "┃"))
      \(rule("┡", "━", "╇", "┩"))
      \(body)
      \(rule("└", "─", "┴", "┘"))
      \(totals)
      """
  }

  private var totals: String {
    let parts = [trainable, nonTrainable] + (optimizer.map { [$0] } ?? [])
    let total = Size(
      count: parts.reduce(0) { $0 + $1.count }, byteCount: parts.reduce(0) { $0 + $1.byteCount })
    let named =
      [("Total", total), ("Trainable", trainable), ("Non-trainable", nonTrainable)]
      + (optimizer.map { [("Optimizer", $0)] } ?? [])
    return named.map { " \($0.0) params: \(Self.number($0.1.count)) (\(Self.bytes($0.1.byteCount)))" }
      .joined(separator: "\n")
  }

  private static func text(_ shapes: [[Int?]]) -> String {
    let texts = shapes.map { shape in
      let extents = shape.map { $0.map(String.init) ?? "None" }
      return "(\(extents.joined(separator: ", "))\(extents.count == 1 ? "," : ""))"
    }
    return texts.count > 1 ? "[\(texts.joined(separator: ", "))]" : texts.first ?? "?"
  }

  /// With a comma after each thousand.
  private static func number(_ value: Int) -> String {
    let digits = Array("\(value)")
    return digits.enumerated().map { index, digit in
      (index > 0 && (digits.count - index) % 3 == 0 ? "," : "") + String(digit)
    }.joined()
  }

  private static func bytes(_ count: Int) -> String {
    var (size, units) = (Double(count), ["B", "KB", "MB", "GB", "TB"][...])
    while size >= 1024 && units.count > 1 {
      size /= 1024
      units.removeFirst()
    }
    return String(format: "%.2f", size) + " \(units.first!)"
  }
}

// MARK: - Making one

extension Layer {
  /// The layers of the network, without their outputs: those need input to be known. A layer without values yet is
  /// `unbuilt`.
  public func summary() -> ModelSummary { ModelSummary(of: self, calls: []) }
}

extension Layer where Input == Tensor, Output: TensorStructure {
  /// The layers of the network with their outputs for input of a shape; makes the parameters that are missing.
  ///
  /// - Parameters:
  ///   - inputShape: The extents of the input, the batch first; nil for those that may be any.
  ///   - elementType: The element type of the input; ``Reel/ElementType/default`` if nil.
  /// - Throws: ``Reel/TensorError`` if the input does not fit the network.
  public func summary(inputShape: [Int?], elementType: ElementType? = nil) throws -> ModelSummary {
    let calls = try [openExtents.0, openExtents.1].map { extent in
      try self.calls(like: .zeros(Self.example(of: inputShape, open: extent), elementType: elementType))
    }
    return ModelSummary(of: self, calls: calls)
  }
}

extension Layer where Input: TensorStructure, Output: TensorStructure {
  /// The layers of the network with their outputs for input like `x`, whose leading axes are batches of any size; makes the
  /// parameters that are missing.
  ///
  /// - Parameter x: Input of the types that the network will be called with; its elements play no part.
  /// - Throws: ``Reel/TensorError`` if the input does not fit the network.
  public func summary(like x: Input) throws -> ModelSummary {
    ModelSummary(of: self, calls: try callsForTwoBatchSizes(like: x))
  }

  func callsForTwoBatchSizes(like x: Input) throws -> [[LayerCalls.Call]] {
    try [openExtents.0, openExtents.1].map { extent in
      try self.calls(
        like: x.mapTensors { tensor in
          tensor.rank == 0
            ? tensor : Tensor.zeros(tensor.shape.replacing(0, with: extent), elementType: tensor.elementType)
        })
    }
  }

  /// What the layers of the network give for input of the types of `x`.
  func calls(like x: Input) throws -> [LayerCalls.Call] {
    let calls = LayerCalls()
    try LayerCalls.$current.withValue(calls) { try build(like: x) }
    return calls.calls
  }
}

extension Model {
  /// The layers of the network, and the parameters of the optimizer once it has made some. Outputs are shown once the model
  /// has been built, trained or used.
  public func summary() throws -> ModelSummary {
    let calls = try lastInput.map { try network.callsForTwoBatchSizes(like: $0) } ?? []
    var size = ModelSummary.Size()
    if hasTrained { for (_, variable) in optimizer.variables(of: network) { size.add(variable.concrete) } }
    return ModelSummary(of: network, calls: calls, optimizer: hasTrained ? size : nil)
  }
}
