import Reel
import Synchronization

/// What layers gave while a network was recorded, for its summary.
final class LayerCalls: Sendable {
  /// The record of the network that is being recorded; nil almost always.
  @TaskLocal static var current: LayerCalls?

  struct Call: Sendable {
    let path: [String]
    let typeName: String
    /// The first parameter, which says which of several layers of a type it is; nil if it has none.
    let parameter: ObjectIdentifier?
    let shapes: [Shape]
  }

  private let found = Mutex<[Call]>([])

  /// The calls in the order in which they came to their ends.
  var calls: [Call] { found.withLock { $0 } }

  /// Takes note of a layer that runs in the innermost scope.
  static func note(_ layer: some Layer, gave output: @autoclosure () -> Any) {
    guard let current else { return }
    let call = Call(
      path: Recording.path, typeName: "\(type(of: layer))", parameter: identity(layer), shapes: shapes(of: output()))
    current.found.withLock { $0.append(call) }
  }

  /// The call of a layer that a network has at a path. A network of layers one after another calls them by their names;
  /// any other is searched for a layer of the type with the same parameters.
  static func call(of layer: any Layer, at path: [String], in calls: [Call]) -> Call? {
    if let named = calls.last(where: { $0.path == path && $0.typeName == "\(type(of: layer))" }) { return named }
    let parameter = identity(layer)
    return calls.last { $0.typeName == "\(type(of: layer))" && $0.parameter == parameter }
  }

  private static func identity(_ layer: any Module) -> ObjectIdentifier? {
    layer.members(of: Parameter.self).first.map { ObjectIdentifier($0.member) }
  }

  private static func shapes(of output: Any) -> [Shape] {
    if let structure = output as? any TensorStructure { return structure.tensors.map(\.shape) }
    // The output and the last state of a recurrent layer, of which the first is the output.
    return Mirror(reflecting: output).children.first.map { shapes(of: $0.value) } ?? []
  }
}
