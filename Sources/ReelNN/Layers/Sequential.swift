import Reel

/// Layers one after another, each taking what the one before gives.
///
///     let model = Sequential {
///       LSTM(64)
///       Dense(10)
///     }
public struct Sequential: Layer {
  /// The layers in order.
  public let layers: [any Layer<Tensor, Tensor>]
  /// The name of each layer: its type's in lower camel case, numbered from the second of a kind on (`dense`, `dense_1`).
  public let names: [String]

  /// The layers of a list.
  public init(_ layers: [any Layer<Tensor, Tensor>]) {
    self.layers = layers
    var counts: [String: Int] = [:]
    names = layers.map { layer in
      let name = layer.defaultName
      let count = counts[name, default: 0]
      counts[name] = count + 1
      return count == 0 ? name : "\(name)_\(count)"
    }
  }

  /// The layers of a block; `if`, `else`, `switch`, optionals and loops work in it.
  public init(@LayerBuilder _ layers: () -> [any Layer<Tensor, Tensor>]) {
    self.init(layers())
  }

  /// The layers by name.
  public var reflectedChildren: [(name: String, value: Any)] { zip(names, layers).map { ($0, $1) } }

  /// Applies the layers in order.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    zip(names, layers).reduce(input) { x, layer in
      Recording.inScope(layer.0) {
        let output = layer.1(x)
        LayerCalls.note(layer.1, gave: output)
        return output
      }
    }
  }
}

/// Collects the layers of a ``Sequential``.
@resultBuilder
public enum LayerBuilder {
  /// The layers of one kind of part.
  public typealias Layers = [any Layer<Tensor, Tensor>]

  /// One layer.
  public static func buildExpression(_ layer: any Layer<Tensor, Tensor>) -> Layers { [layer] }

  /// Layers made elsewhere.
  public static func buildExpression(_ layers: Layers) -> Layers { layers }

  /// Parts one after another.
  public static func buildBlock(_ parts: Layers...) -> Layers { parts.flatMap { $0 } }

  /// The parts of a loop.
  public static func buildArray(_ parts: [Layers]) -> Layers { parts.flatMap { $0 } }

  /// An `if` without `else`.
  public static func buildOptional(_ part: Layers?) -> Layers { part ?? [] }

  /// The first branch.
  public static func buildEither(first part: Layers) -> Layers { part }

  /// The other branch.
  public static func buildEither(second part: Layers) -> Layers { part }
}
