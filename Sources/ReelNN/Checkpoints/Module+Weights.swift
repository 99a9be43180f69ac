import Foundation
import Reel

extension Module {
  /// The values of the parameters by path, such as `lstm.recurrentKernel`; those without a value yet are left out.
  public var weights: [String: Tensor] {
    var weights: [String: Tensor] = [:]
    for (name, parameter) in parameters { weights[name] = parameter.variable?.concrete }
    return weights
  }

  /// Gives the parameters values by path, and makes those that have none yet.
  ///
  /// - Parameters:
  ///   - weights: The values, as ``weights`` has them.
  ///   - differences: What may be missing, unexpected or of another type; nothing by default.
  /// - Returns: The paths of the parameters that were given values, in the order of the model.
  /// - Throws: ``WeightsError`` that lists every difference; the model is then as before.
  @discardableResult
  public func setWeights(
    _ weights: [String: Tensor], allowing differences: WeightDifferences = []
  ) throws(WeightsError) -> [String] {
    let assignment = try Assignment(weights, to: weightSlots(), allowing: differences, path: "")
    assignment.run()
    return assignment.names
  }

  /// Writes the values of the parameters into a safetensors file, by path.
  ///
  /// The file is replaced in one step: whoever reads it finds the old weights or the new ones, even after a crash.
  ///
  /// - Parameters:
  ///   - path: The file; its folder exists.
  ///   - metadata: Notes by name; none by default.
  /// - Throws: ``DataError`` if the file cannot be written, or no parameter of the model has a value yet.
  public func saveWeights(to path: String, metadata: [String: String] = [:]) throws(DataError) {
    let weights = try savableWeights(for: path)
    try Safetensors(weights, metadata: metadata.merging(unmadeNote) { $1 }).write(to: path)
  }

  /// Gives the parameters the values of a file that ``saveWeights(to:metadata:)`` or ``Checkpoint/write(to:)`` wrote, and
  /// makes those that have none yet.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - differences: What may be missing, unexpected or of another type; nothing by default.
  /// - Returns: The paths of the parameters that were given values, in the order of the model.
  /// - Throws: ``DataError`` if the file cannot be read, ``WeightsError`` that lists every difference if it has other
  ///   weights; the model is then as before.
  @discardableResult
  public func loadWeights(from path: String, allowing differences: WeightDifferences = []) throws -> [String] {
    let file = try Safetensors(path: path)
    let weights = CheckpointLayout.weights(of: file)
    let assignment = try Assignment(
      weights, to: weightSlots(unmade: unmadeParameters(in: file.metadata)), allowing: differences, path: path)
    assignment.run()
    return assignment.names
  }

  // MARK: - Parameters without a value

  /// A place for each parameter.
  ///
  /// - Parameter unmade: Those that had no value when the tensors were saved, and need none now.
  func weightSlots(unmade: Set<String> = []) -> [Assignment.Slot] {
    parameters.map { name, parameter in
      Assignment.Slot(name, parameter, isOptional: parameter.variable == nil && unmade.contains(name))
    }
  }

  /// What a file says of parameters that the model never made, so that they are not missed.
  var unmadeNote: [String: String] {
    let unmade = parameters.filter { $0.parameter.variable == nil }.map(\.name)
    return unmade.isEmpty ? [:] : [CheckpointLayout.unmadeKey: unmade.joined(separator: "\n")]
  }

  func unmadeParameters(in metadata: [String: String]) -> Set<String> {
    Set(metadata[CheckpointLayout.unmadeKey]?.split(separator: "\n").map(String.init) ?? [])
  }

  func savableWeights(for path: String) throws(DataError) -> [String: Tensor] {
    let (weights, parameters) = (weights, parameters)
    guard !weights.isEmpty || parameters.isEmpty else {
      throw DataError(
        path: path,
        problem: "would have no weights: call the model, or build it, before '\(parameters[0].name)' is saved")
    }
    return weights
  }
}
