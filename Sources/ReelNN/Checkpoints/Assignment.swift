import Reel

/// Tensors that were found to fit, and where they go: checking comes first, and assigning cannot fail.
struct Assignment {
  /// A place for a tensor.
  struct Slot {
    let name: String
    /// The type it must have; nil if any floating-point type will do.
    let type: TensorType?
    /// Whether a tensor is not needed.
    var isOptional = false
    let assign: (Tensor) -> Void

    /// A parameter, made by the assignment if it has no value yet.
    init(_ name: String, _ parameter: Parameter, isOptional: Bool = false) {
      self.name = name
      self.isOptional = isOptional
      type = parameter.variable.map { TensorType($0.concrete.shape, $0.concrete.elementType) }
      assign = { parameter.value = $0 }
    }

    /// A variable.
    init(_ name: String, _ variable: Variable) {
      self.name = name
      type = TensorType(variable.concrete.shape, variable.concrete.elementType)
      assign = { variable.value = $0 }
    }
  }

  private var pairs: [(slot: Slot, tensor: Tensor)] = []

  /// The names of what is assigned, in the order of the slots.
  var names: [String] { pairs.map(\.slot.name) }

  /// Checks names, shapes and element types, all of them.
  ///
  /// - Parameters:
  ///   - tensors: The tensors by name.
  ///   - slots: The places.
  ///   - differences: What is no error.
  ///   - path: What the error calls the file.
  init(
    _ tensors: [String: Tensor], to slots: [Slot], allowing differences: WeightDifferences, path: String
  ) throws(WeightsError) {
    var error = WeightsError(path: path)
    for slot in slots {
      guard let tensor = tensors[slot.name] else {
        if !slot.isOptional { error.missing.append(slot.name) }
        continue
      }
      let type = TensorType(tensor.shape, tensor.elementType)
      if slot.type.map({ $0 == type }) ?? type.elementType.isFloatingPoint {
        pairs.append((slot, tensor))
      } else {
        let expected = slot.type.map { "\($0)" } ?? "floating-point numbers"
        error.mismatched.append(WeightsError.Mismatch(name: slot.name, found: type, expected: expected))
      }
    }
    error.unexpected = Set(tensors.keys).subtracting(slots.map(\.name)).sorted()
    if differences.contains(.missing) { error.missing = [] }
    if differences.contains(.unexpected) { error.unexpected = [] }
    if differences.contains(.mismatched) { error.mismatched = [] }
    guard error.isEmpty else { throw error }
  }

  func run() {
    for (slot, tensor) in pairs { slot.assign(tensor) }
  }
}
