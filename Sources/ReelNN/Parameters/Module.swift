import Reel

/// Something with parameters: a layer, a cell, a model of one's own.
///
/// Its parameters are those of its stored properties, found by reflection, in the order of the source.
public protocol Module {
  /// What reflection is to look into, by name; the stored properties unless a type says otherwise.
  var reflectedChildren: [(name: String, value: Any)] { get }
}

extension Module {
  /// The stored properties, but for those that a switch beside them turns off: `bias` where `useBias` is false. A parameter
  /// that is never made is then no part of the model, and nobody misses it in a file.
  public var reflectedChildren: [(name: String, value: Any)] {
    let children = storedProperties
    let off = Set(children.filter { $0.value as? Bool == false && $0.name.hasPrefix("use") }.map(\.name))
    return children.filter { child in
      off.isEmpty || !off.contains("use\(child.name.prefix(1).uppercased())\(child.name.dropFirst())")
    }
  }

  /// The stored properties, all of them.
  var storedProperties: [(name: String, value: Any)] {
    Mirror(reflecting: self).children.map { ($0.label ?? "", $0.value) }
  }

  /// The parameters with their paths, such as `lstm.recurrentKernel`, each once. A parameter has no value before its first
  /// use: call the model, or build it, first.
  public var parameters: [(name: String, parameter: Parameter)] {
    let found = members(of: Parameter.self).map { (name: $0, parameter: $1) }
    for (name, parameter) in found { parameter.name = name }
    return found
  }

  /// The objects of a class that reflection finds, with their paths, each once.
  func members<Member: AnyObject>(of type: Member.Type) -> [(name: String, member: Member)] {
    var found: [(name: String, member: Member)] = []
    var known: Set<ObjectIdentifier> = []
    visitMembers(of: self, at: "") { name, value in
      guard let member = value as? Member else { return false }
      if known.insert(ObjectIdentifier(member)).inserted { found.append((name, member)) }
      return true
    }
    return found
  }

  /// The number of trained numbers that have been made so far.
  public var parameterCount: Int { parameters.reduce(0) { $0 + ($1.parameter.variable?.concrete.count ?? 0) } }

  /// The sum of the penalties that the regularizers put on the trainable parameters, a scalar; nil if there are none. Each
  /// parameter counts once, and one without a value yet does not. Differentiable; ``valueWithGradient(of:training:_:)`` adds it.
  public var penalty: Tensor? { parameters.penalty }
}

extension [(name: String, parameter: Parameter)] {
  /// The sum of the penalties on those that are trainable; see ``Module/penalty``.
  var penalty: Tensor? {
    let penalties = compactMap { _, parameter -> Tensor? in
      // Reading the value of any other would make the loss depend on it.
      guard parameter.isTrainable, let regularizer = parameter.regularizer else { return nil }
      return parameter.value.map { regularizer($0) }
    }
    return penalties.first.map { penalties.dropFirst().reduce($0, +) }
  }
}

/// Visits what a value is made of, and what that is made of unless `visit` says that it is the end.
func visitMembers(of value: Any, at path: String, _ visit: (_ path: String, _ value: Any) -> Bool) {
  func join(_ name: String) -> String { name.isEmpty ? path : path.isEmpty ? name : "\(path).\(name)" }
  if visit(path, value) { return }
  switch value {
  case let module as any Module:
    for child in module.reflectedChildren { visitMembers(of: child.value, at: join(child.name), visit) }
  default:
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .collection:
      for (index, child) in mirror.children.enumerated() { visitMembers(of: child.value, at: join("\(index)"), visit) }
    case .dictionary:
      // Its children are pairs, in an order that changes from run to run.
      let entries = mirror.children.map { Array(Mirror(reflecting: $0.value).children.map(\.value)) }
      for entry in entries.map({ ("\($0[0])", $0[1]) }).sorted(by: { $0.0 < $1.0 }) {
        visitMembers(of: entry.1, at: join(entry.0), visit)
      }
    case .optional, .tuple:
      for child in mirror.children {
        visitMembers(of: child.value, at: join(child.label == "some" ? "" : child.label ?? ""), visit)
      }
    default: break
    }
  }
}
