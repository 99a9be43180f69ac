import Reel

/// A function of tensors with parameters: what models are made of, and a model itself.
///
/// A struct with layers or parameters as stored properties and a `callAsFunction` is a layer.
public protocol Layer<Input, Output>: Module {
  /// What the layer takes; mostly a tensor.
  associatedtype Input = Tensor
  /// What it gives; mostly a tensor.
  associatedtype Output = Tensor

  /// Applies the layer.
  func callAsFunction(_ input: Input) -> Output
}

extension Layer {
  /// The name of the layer in a model that does not name it: the type's, in lower camel case.
  package var defaultName: String { (self as? any NamedLayer)?.layerName ?? lowerCamelCase("\(Self.self)") }

  /// Runs `body` under the layer's name, unless the model around the call has named it already.
  func inOwnScope<Result>(_ body: () -> Result) -> Result {
    let name = defaultName
    if let last = Recording.path.last, last == name || last.hasPrefix("\(name)_") { return noted(body) }
    return Recording.inScope(name) { noted(body) }
  }

  private func noted<Result>(_ body: () -> Result) -> Result {
    let result = body()
    LayerCalls.note(self, gave: result)
    return result
  }

  /// As ``inOwnScope(_:)``, for a layer whose output has the steps of its input: the mask passes through.
  func inOwnScope(passingMaskOf x: Tensor, _ body: () -> Tensor) -> Tensor { inOwnScope(body).withMask(x.mask) }
}

/// A layer whose type's name is not what a user calls it.
package protocol NamedLayer {
  /// The name in lower camel case.
  var layerName: String { get }
}

/// `LSTM` as `lstm`, `SimpleRNN` as `simpleRNN`, `Dense` as `dense`.
func lowerCamelCase(_ typeName: String) -> String {
  let name = typeName.prefix { $0 != "<" }
  let capitals = name.prefix { $0.isUppercase || $0.isNumber }
  let lowered = capitals.count == name.count ? capitals.count : max(1, capitals.count - 1)
  return name.prefix(lowered).lowercased() + name.dropFirst(lowered)
}
