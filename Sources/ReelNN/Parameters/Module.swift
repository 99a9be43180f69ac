import Reel

/// Something with parameters: a layer, a cell, a model of one's own.
///
/// Its parameters are those of its stored properties, found by reflection, in the order of the source.
public protocol Module {
  /// What reflection is to look into, by name; the stored properties unless a type says otherwise.
  var reflectedChildren: [(name: String, value: Any)] { get }
}

extension Module {
  /// The stored properties.
  public var reflectedChildren: [(name: String, value: Any)] {
    Mirror(reflecting: self).children.map { ($0.label ?? "", $0.value) }
  }

  /// The parameters with their paths, such as `lstm.recurrentKernel`, each once. A parameter has no value before its first
  /// use: call the model, or build it, first.
  public var parameters: [(name: String, parameter: Parameter)] {
    var found: [(name: String, parameter: Parameter)] = []
    var known: Set<ObjectIdentifier> = []
    collectParameters(self, at: "") { name, parameter in
      guard known.insert(ObjectIdentifier(parameter)).inserted else { return }
      parameter.name = name
      found.append((name, parameter))
    }
    return found
  }

  /// The number of trained numbers that have been made so far.
  public var parameterCount: Int { parameters.reduce(0) { $0 + ($1.parameter.variable?.concrete.count ?? 0) } }

  /// The sum of the penalties that the regularizers put on the trainable parameters, a scalar; nil if there are none. Each
  /// parameter counts once, and one without a value yet does not. Differentiable:
  ///
  ///     valueWithGradient(of: model) {
  ///       let loss = softmaxCrossEntropy(logits: model(images), labels: labels)
  ///       return model.penalty.map { loss + $0 } ?? loss
  ///     }
  public var penalty: Tensor? {
    let penalties = parameters.compactMap { _, parameter -> Tensor? in
      guard parameter.isTrainable, let value = parameter.value else { return nil }
      return parameter.regularizer?(value)
    }
    return penalties.first.map { penalties.dropFirst().reduce($0, +) }
  }
}

private func collectParameters(_ value: Any, at path: String, _ found: (String, Parameter) -> Void) {
  func join(_ name: String) -> String { name.isEmpty ? path : path.isEmpty ? name : "\(path).\(name)" }
  switch value {
  case let parameter as Parameter:
    found(path, parameter)
  case let module as any Module:
    for child in module.reflectedChildren { collectParameters(child.value, at: join(child.name), found) }
  default:
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .collection:
      for (index, child) in mirror.children.enumerated() { collectParameters(child.value, at: join("\(index)"), found) }
    case .dictionary:
      // Its children are pairs, in an order that changes from run to run.
      let entries = mirror.children.map { Array(Mirror(reflecting: $0.value).children.map(\.value)) }
      for entry in entries.map({ ("\($0[0])", $0[1]) }).sorted(by: { $0.0 < $1.0 }) {
        collectParameters(entry.1, at: join(entry.0), found)
      }
    case .optional, .tuple:
      for child in mirror.children {
        collectParameters(child.value, at: join(child.label == "some" ? "" : child.label ?? ""), found)
      }
    default: break
    }
  }
}
