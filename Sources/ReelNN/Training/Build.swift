import Reel

extension Layer where Input: TensorStructure, Output: TensorStructure {
  /// Makes the parameters for input of the types of `x`, and computes nothing: the network is recorded, and the recording
  /// thrown away. The states of recurrent layers stay as they are.
  ///
  /// - Parameter x: Input of the types that the network will be called with; its elements play no part.
  /// - Throws: ``Reel/TensorError`` if the input does not fit the network.
  public func build(like x: Input) throws { _ = try outputTypes(like: x) }

  /// The types of the output for input of the types of `x`.
  func outputTypes(like x: Input) throws -> [TensorType] {
    // Listed first, so that parameters know their names in errors.
    _ = parameters
    let tensors = x.tensors
    let masks = tensors.map(\.mask)
    let types = (tensors + masks.compactMap(\.self)).map { TensorType($0.shape, $0.elementType) }
    var found: [TensorType] = []
    _ = try restoringState {
      try Graph(tracing: types) { operands in
        var maskOperands = operands[tensors.count...]
        let inputs = zip(operands, masks).map { $1 == nil ? $0 : $0.withMask(maskOperands.removeFirst()) }
        var rest = inputs[...]
        let output = self(x.mapTensors { _ in rest.removeFirst() }).tensors
        found = output.map { TensorType($0.shape, $0.elementType) }
        return output
      }
    }
    return found
  }
}

extension Layer where Input == Tensor, Output: TensorStructure {
  /// Makes the parameters for input of a shape, and computes nothing. Keras's `build`.
  ///
  ///     network.build(inputShape: [nil, 28, 28])
  ///
  /// - Parameters:
  ///   - inputShape: The extents of the input, the batch first; nil for those that may be any.
  ///   - elementType: The element type of the input; ``Reel/ElementType/default`` if nil, `int32` for an embedding.
  /// - Throws: ``Reel/TensorError`` if the input does not fit the network.
  public func build(inputShape: [Int?], elementType: ElementType? = nil) throws {
    try build(like: .zeros(Self.example(of: inputShape, open: openExtents.0), elementType: elementType))
  }

  /// A shape in which open extents have a value.
  static func example(of shape: [Int?], open extent: Int) -> Shape { Shape(shape.map { $0 ?? extent }) }
}

/// Two values for extents that may be any: what differs between them is open in the output too.
let openExtents = (24, 25)

extension Model {
  /// Makes the parameters for input of the types of `x`, and computes nothing.
  ///
  /// - Parameter x: Input of the types that the network will be called with; its elements play no part.
  /// - Throws: ``Reel/TensorError`` if the input does not fit the network.
  public func build(like x: Network.Input) throws {
    if network.parameters.contains(where: { $0.parameter.variable == nil }) { try network.build(like: x) }
    lastInput = x.mapTensors { tensor in
      tensor.rank == 0 ? tensor : Tensor.zeros(tensor.shape.replacing(0, with: 0), elementType: tensor.elementType)
    }
  }
}

extension Model where Network.Input == Tensor {
  /// Makes the parameters for input of a shape, and computes nothing. Keras's `build`.
  ///
  /// - Parameters:
  ///   - inputShape: The extents of the input, the batch first; nil for those that may be any.
  ///   - elementType: The element type of the input; ``Reel/ElementType/default`` if nil.
  /// - Throws: ``Reel/TensorError`` if the input does not fit the network.
  public func build(inputShape: [Int?], elementType: ElementType? = nil) throws {
    try build(like: .zeros(Network.example(of: inputShape, open: openExtents.0), elementType: elementType))
  }
}
