import Reel

/// A function as a layer: Keras's `Lambda`.
///
///     Sequential {
///       Lambda { $0 / 255 }
///       Dense(10)
///     }
///
/// What the function closes over is not trained; a layer with parameters is a struct of one's own. The mask of the output is
/// what the function gives it: none, unless it says `.withMask($0.mask)`.
public struct Lambda<Input, Output>: Layer {
  private let function: (Input) -> Output

  /// - Parameter function: What the layer computes.
  public init(_ function: @escaping (Input) -> Output) {
    self.function = function
  }

  /// Applies the function.
  public func callAsFunction(_ input: Input) -> Output { inOwnScope { function(input) } }
}
