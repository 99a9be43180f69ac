import Synchronization

/// A value made of tensors: what functions that are differentiated, staged or looped over take and return.
///
/// Tensors, optionals, arrays and dictionaries of structures are structures. A struct of tensors becomes one by naming
/// its fields once:
///
///     struct LSTMState: TensorFields {
///       var hidden, cell: Tensor
///       static var fields: Fields<Self> { .init(\.hidden, \.cell) }
///     }
public protocol TensorStructure {
  /// Calls `visit` with each tensor and its path, such as `cells.0.hidden`, always in the same order, and lets it be
  /// exchanged.
  mutating func visitTensors(_ visit: (_ path: String, _ tensor: inout Tensor) -> Void)
}

extension TensorStructure {
  /// The tensors, in order.
  public var tensors: [Tensor] {
    var copy = self
    var tensors: [Tensor] = []
    copy.visitTensors { tensors.append($1) }
    return tensors
  }

  /// The path of each tensor, in order.
  public var tensorPaths: [String] {
    var copy = self
    var paths: [String] = []
    copy.visitTensors { path, _ in paths.append(path) }
    return paths
  }

  /// The same structure with each tensor replaced.
  public func mapTensors(_ transform: (Tensor) -> Tensor) -> Self {
    var copy = self
    copy.visitTensors { $1 = transform($1) }
    return copy
  }

  /// The same structure with its tensors taken from the front of `tensors`, which loses them.
  func replacingTensors(from tensors: inout ArraySlice<Tensor>) -> Self {
    mapTensors { _ in tensors.removeFirst() }
  }

  /// The same structure with other tensors.
  package func replacingTensors(_ tensors: [Tensor]) -> Self {
    var rest = tensors[...]
    return replacingTensors(from: &rest)
  }

  /// The same structure with other tensors, which get the masks of these.
  package func replacingValues(_ tensors: [Tensor]) -> Self {
    var rest = tensors[...]
    return mapTensors { rest.removeFirst().withMask($0.mask) }
  }
}

/// The tensors of several structures one after another; literals are tensors of their element type.
func flattened<each Structure: TensorStructure>(_ structure: repeat each Structure) -> [Tensor] {
  var tensors: [Tensor] = []
  for part in repeat each structure { tensors += part.tensors.map { $0.adopting($0.elementType) } }
  return tensors
}

/// Hands out tensors one structure after another.
final class StructureParts {
  private var rest: ArraySlice<Tensor>

  init(_ tensors: [Tensor]) { rest = tensors[...] }

  func next<Structure: TensorStructure>(like structure: Structure) -> Structure {
    structure.replacingTensors(from: &rest)
  }
}

private func join(_ prefix: String, _ path: String) -> String { path.isEmpty ? prefix : "\(prefix).\(path)" }

extension Tensor: TensorStructure {
  /// Visits the tensor itself, with an empty path.
  public mutating func visitTensors(_ visit: (String, inout Tensor) -> Void) { visit("", &self) }
}

extension Optional: TensorStructure where Wrapped: TensorStructure {
  /// Visits what is there.
  public mutating func visitTensors(_ visit: (String, inout Tensor) -> Void) {
    self?.visitTensors(visit)
  }
}

extension Array: TensorStructure where Element: TensorStructure {
  /// Visits the elements by index.
  public mutating func visitTensors(_ visit: (String, inout Tensor) -> Void) {
    for index in indices {
      self[index].visitTensors { visit(join("\(index)", $0), &$1) }
    }
  }
}

extension Dictionary: TensorStructure where Key == String, Value: TensorStructure {
  /// Visits the values in the order of their keys.
  public mutating func visitTensors(_ visit: (String, inout Tensor) -> Void) {
    for key in keys.sorted() {
      self[key]!.visitTensors { visit(join(key, $0), &$1) }
    }
  }
}

/// The structure without tensors: the carry of a loop that carries nothing, the output of one that gives nothing.
public struct Empty: TensorStructure, Hashable, Sendable {
  /// The only value.
  public init() {}

  /// Visits nothing.
  public mutating func visitTensors(_ visit: (String, inout Tensor) -> Void) {}
}

/// A pair of structures, where a struct with names would say no more.
public struct Pair<First: TensorStructure, Second: TensorStructure>: TensorStructure {
  /// The first part.
  public var first: First
  /// The second part.
  public var second: Second

  /// A pair of its parts.
  public init(_ first: First, _ second: Second) {
    self.first = first
    self.second = second
  }

  /// Visits the first part, then the second.
  public mutating func visitTensors(_ visit: (String, inout Tensor) -> Void) {
    first.visitTensors { visit(join("first", $0), &$1) }
    second.visitTensors { visit(join("second", $0), &$1) }
  }
}

extension Pair: Sendable where First: Sendable, Second: Sendable {}

/// A struct that is a ``TensorStructure`` by the list of its fields.
public protocol TensorFields: TensorStructure {
  /// The fields that hold tensors or structures of them, in the order they are visited.
  static var fields: Fields<Self> { get }
}

extension TensorFields {
  /// Visits the fields by name.
  public mutating func visitTensors(_ visit: (String, inout Tensor) -> Void) {
    for field in Self.fields.visitors {
      var copy = self
      field.visit(&copy) { visit(join(field.name, $0), &$1) }
      self = copy
    }
  }
}

/// The fields of a struct that is made of tensors.
public struct Fields<Root> {
  struct Visitor {
    let name: String
    let visit: (inout Root, (String, inout Tensor) -> Void) -> Void
  }

  let visitors: [Visitor]

  /// The fields at some key paths.
  public init<each Field: TensorStructure>(_ field: repeat WritableKeyPath<Root, each Field>) {
    let known = FieldNames.known(of: Root.self)
    var visitors: [Visitor] = []
    var names: [String] = []
    for path in repeat each field {
      let name = known?[visitors.count] ?? "\(path)".split(separator: ".").last.map(String.init) ?? ""
      names.append(name)
      visitors.append(Visitor(name: name) { root, visit in root[keyPath: path].visitTensors(visit) })
    }
    self.visitors = visitors
    if known == nil { FieldNames.remember(names, of: Root.self) }
  }
}

/// The names of fields by type: reading them off key paths costs more than a small program takes to run.
private enum FieldNames {
  private static let names = Mutex<[ObjectIdentifier: [String]]>([:])

  static func known(of type: Any.Type) -> [String]? { names.withLock { $0[ObjectIdentifier(type)] } }

  static func remember(_ fields: [String], of type: Any.Type) {
    names.withLock { $0[ObjectIdentifier(type)] = fields }
  }
}
