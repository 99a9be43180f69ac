import Reel

/// A trained vector for each of the whole numbers `0..<inputDimension`: Keras's `Embedding`.
///
/// Ids of shape `[batch, time]` (or any other) → `[batch, time, outputDimension]`. Parameter:
/// `embeddings [inputDimension, outputDimension]`. An id out of range is a ``Reel/TensorError``; inside `compiled { }`, where ids
/// are not known yet, its vector is NaN.
public struct Embedding: Layer {
  /// How many ids there are.
  public let inputDimension: Int
  /// The extent of a vector.
  public let outputDimension: Int
  /// Whether id 0 is padding: it gets a vector, and the output a mask of the steps with other ids.
  public let maskZero: Bool
  /// `[inputDimension, outputDimension]`.
  public let embeddings: Parameter
  /// A penalty on the output.
  public let activityRegularizer: Regularizer?

  /// - Parameters:
  ///   - inputDimension: How many ids there are.
  ///   - outputDimension: The extent of a vector.
  ///   - maskZero: Whether id 0 is padding, so that the output has a mask; false by default.
  ///   - embeddingsInitializer: Uniform in ±0.05 by default.
  ///   - embeddingsRegularizer: The penalty on the vectors; none by default.
  ///   - activityRegularizer: A penalty on the output, divided by the batch size; none by default.
  ///   - embeddingsConstraint: What an optimizer makes of the vectors; nothing by default.
  public init(
    _ inputDimension: Int, _ outputDimension: Int, maskZero: Bool = false,
    embeddingsInitializer: Initializer = .randomUniform(), embeddingsRegularizer: Regularizer? = nil,
    activityRegularizer: Regularizer? = nil, embeddingsConstraint: Constraint? = nil
  ) {
    precondition(
      inputDimension > 0 && outputDimension > 0,
      "Embedding needs ids, and vectors of at least one element, not \(inputDimension) of \(outputDimension)")
    self.inputDimension = inputDimension
    self.outputDimension = outputDimension
    self.maskZero = maskZero
    self.activityRegularizer = activityRegularizer
    embeddings = Parameter(
      embeddingsInitializer, regularizer: embeddingsRegularizer, constraint: embeddingsConstraint)
  }

  /// Applies the layer to ids: `int32`, or whole numbers of a floating-point type.
  public func callAsFunction(_ ids: Tensor) -> Tensor {
    inOwnScope {
      guard ids.elementType.isNumeric else {
        TensorError(
          operation: defaultName, problem: "ids of type \(ids.elementType)\(ids.shape)", expected: "i32[batch, time]"
        ).report()
        return .zeros([1, 1, outputDimension])
      }
      let ids = ids.converted(to: .int32)
      let vectors = vectors(at: ids)
      ActivityPenalties.add(activityRegularizer, on: vectors)
      return vectors.withMask(maskZero ? ids .!= 0 : nil)
    }
  }

  private func vectors(at ids: Tensor) -> Tensor {
    let vectors = embeddings([inputDimension, outputDimension]).gathered(at: ids)
    guard ids.isReadable else {
      let isKnown = (ids .>= 0) .& (ids .< Tensor(floatLiteral: Double(inputDimension)))
      return select(isKnown.expanded(at: -1), vectors, Tensor(floatLiteral: .nan))
    }
    if let unknown = ids.scalars(as: Int32.self).first(where: { !(0..<inputDimension).contains(Int($0)) }) {
      TensorError(
        operation: defaultName, problem: "the id \(unknown) among ids of shape \(ids.shape)",
        expected: "ids in 0..<\(inputDimension)"
      ).report()
    }
    return vectors
  }
}
