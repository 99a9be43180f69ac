import Reel

/// Weights as Keras has them, in a safetensors file: `Examples/Convert/keras_to_safetensors.py` makes one from a `.keras` or
/// `.weights.h5` file.
///
///     try KerasWeights(path: "model.safetensors").load(into: model)
///     try KerasWeights(of: model).write(to: "back.safetensors")
///
/// Values and layouts are the same; names are Keras's: `simple_rnn_1.recurrent_kernel` for `simpleRNN_1.recurrentKernel`,
/// `bidirectional.forward.kernel`, `rnn.cells.0.kernel`. The layers of a ``Sequential`` have the names that Keras gives in
/// its files.
public struct KerasWeights: Sendable {
  /// The tensors by Keras's names.
  public var tensors: [String: Tensor]

  /// Tensors by Keras's names.
  public init(_ tensors: [String: Tensor]) { self.tensors = tensors }

  /// Reads a safetensors file.
  ///
  /// - Throws: ``DataError`` if it is missing or broken.
  public init(path: String) throws(DataError) { tensors = try Safetensors(path: path).tensors }

  /// The weights of a model by Keras's names.
  ///
  /// - Throws: ``DataError`` if the model has no weights yet, or two of its parameters have one name in Keras.
  public init(of model: some Module) throws(DataError) {
    var tensors: [String: Tensor] = [:]
    for (path, tensor) in try model.savableWeights(for: "Keras") {
      guard tensors.updateValue(tensor, forKey: Self.name(path)) == nil else {
        throw DataError(path: "Keras", place: "tensor '\(Self.name(path))'", problem: "would stand for two parameters")
      }
    }
    self.tensors = tensors
  }

  /// Gives the parameters of a model their values, and makes those that have none yet.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - differences: What may be missing, unexpected or of another type, by Keras's names; nothing by default.
  /// - Returns: The paths of the parameters that were given values, by Keras's names, in the order of the model.
  /// - Throws: ``WeightsError`` that lists every difference; the model is then as before.
  @discardableResult
  public func load(
    into model: some Module, allowing differences: WeightDifferences = []
  ) throws(WeightsError) -> [String] {
    let slots = model.parameters.map { Assignment.Slot(Self.name($0.name), $0.parameter) }
    let assignment = try Assignment(tensors, to: slots, allowing: differences, path: "Keras")
    assignment.run()
    return assignment.names
  }

  /// Writes a safetensors file.
  ///
  /// - Throws: ``DataError`` if it cannot be written; a file that was there is then as before.
  public func write(to path: String) throws(DataError) { try Safetensors(tensors).write(to: path) }

  /// The name that Keras has for a path, by the rule that it makes names of classes with: an underscore before each word.
  package static func name(_ path: String) -> String {
    path.replacing(/(.)([A-Z][a-z]+)/) { "\($0.output.1)_\($0.output.2)" }
      .replacing(/([a-z])([A-Z])/) { "\($0.output.1)_\($0.output.2)" }
      .lowercased()
  }
}
