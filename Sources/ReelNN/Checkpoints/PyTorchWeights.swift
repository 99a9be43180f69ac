import Reel

/// Weights as PyTorch has them: the `state_dict` of a module, saved with `safetensors.torch.save_file`.
///
///     // self.rnn = nn.LSTM(3, 5, num_layers=2);  self.fc = nn.Linear(5, 3)
///     let (first, second, last) = (LSTM(5, returnSequences: true), LSTM(5), Dense(3))
///     try PyTorchWeights(path: "model.safetensors").load(into: ["rnn": [first, second], "fc": [last]])
///     try PyTorchWeights(of: ["rnn": [first, second], "fc": [last]]).write(to: "back.safetensors")
///
/// `nn.Linear` is ``Dense``, `nn.Embedding` ``Embedding``; `nn.LSTM` and `nn.RNN` are ``LSTM`` and ``SimpleRNN``, one for each of their layers, or one
/// ``RNN`` of ``StackedRNNCells``; `nn.GRU` is ``GRU`` with `resetAfter`; a bidirectional one is ``Bidirectional``, its
/// first layer forward; `nn.LSTM` with `proj_size` is ``RNN`` of ``ProjectedLSTMCell``.
///
/// What is different: matrices are transposed; the gates of a GRU are r, z, n there and z, r, h here; an LSTM or RNN adds
/// two biases there, of which Reel has the sum (written back as the sum and zeros), and a GRU has both in one parameter.
public struct PyTorchWeights: Sendable {
  /// The tensors by PyTorch's names.
  public var tensors: [String: Tensor]

  /// Tensors by PyTorch's names.
  public init(_ tensors: [String: Tensor]) { self.tensors = tensors }

  /// Reads a safetensors file.
  ///
  /// - Throws: ``DataError`` if it is missing or broken.
  public init(path: String) throws(DataError) { tensors = try Safetensors(path: path).tensors }

  /// The weights of layers, in PyTorch's form.
  ///
  /// - Parameter modules: For each attribute of the PyTorch module, such as `rnn`, the layers it stands for; the empty name
  ///   for a module that is one of PyTorch's own.
  /// - Throws: ``DataError`` for a layer that PyTorch does not have, or one without weights yet.
  public init(of modules: [String: [any Module]]) throws(DataError) {
    tensors = [:]
    for entry in try Self.forms(of: modules) {
      guard let value = entry.form.parameter.variable?.concrete else {
        throw DataError(
          path: "PyTorch", place: "tensor '\(entry.prefix)\(entry.form.parts[0].name)'",
          problem: "would have no value: call the layer, or build it, first")
      }
      let written = Recording.suspended { entry.form.write(value) }
      for (part, tensor) in zip(entry.form.parts, written) { tensors[entry.prefix + part.name] = tensor }
    }
  }

  /// Writes a safetensors file that `safetensors.torch.load_file` reads.
  ///
  /// - Throws: ``DataError`` if it cannot be written; a file that was there is then as before.
  public func write(to path: String) throws(DataError) {
    try Safetensors(tensors, metadata: ["format": "pt"]).write(to: path)
  }

  /// Gives layers their weights, and makes parameters that have none yet.
  ///
  /// - Parameters:
  ///   - modules: For each attribute of the PyTorch module, such as `rnn`, the layers it stands for; the empty name for a
  ///     module that is one of PyTorch's own.
  ///   - differences: What may be missing, unexpected or of another type, by PyTorch's names; nothing by default.
  /// - Throws: ``DataError`` for a layer that PyTorch does not have, ``WeightsError`` that lists every difference; the
  ///   layers are then as before.
  public func load(into modules: [String: [any Module]], allowing differences: WeightDifferences = []) throws {
    var error = WeightsError(path: "PyTorch")
    var known: Set<String> = []
    var values: [(parameter: Parameter, value: Tensor)] = []
    for (prefix, form) in try Self.forms(of: modules) {
      let names = form.parts.map { prefix + $0.name }
      known.formUnion(names)
      let missing = names.filter { tensors[$0] == nil }
      error.missing += missing
      guard missing.isEmpty else { continue }
      let parts = names.map { tensors[$0]! }
      let misfits = zip(names, zip(parts, form.parts)).compactMap { Self.misfit($0, $1.0, $1.1.extents) }
      error.mismatched += misfits
      guard misfits.isEmpty else { continue }
      let value = Recording.suspended { form.read(parts) }
      if let made = form.parameter.variable?.concrete,
        made.shape != value.shape || made.elementType != value.elementType
      {
        let expected = "a parameter of type \(TensorType(made.shape, made.elementType))"
        error.mismatched.append(.init(name: names[0], found: Self.type(parts[0]), expected: expected))
      } else {
        values.append((form.parameter, value))
      }
    }
    error.unexpected = Set(tensors.keys).subtracting(known).sorted()
    if differences.contains(.missing) { error.missing = [] }
    if differences.contains(.unexpected) { error.unexpected = [] }
    if differences.contains(.mismatched) { error.mismatched = [] }
    guard error.isEmpty else { throw error }
    for (parameter, value) in values { parameter.value = value }
  }

  private static func misfit(_ name: String, _ tensor: Tensor, _ extents: [Int?]) -> WeightsError.Mismatch? {
    let fits = tensor.rank == extents.count && zip(tensor.shape.extents, extents).allSatisfy { $1 == nil || $0 == $1 }
    if fits && tensor.elementType.isFloatingPoint { return nil }
    let shape = extents.map { $0.map { "\($0)" } ?? "_" }.joined(separator: ",")
    return .init(name: name, found: type(tensor), expected: "floating-point [\(shape)]")
  }

  private static func type(_ tensor: Tensor) -> TensorType { TensorType(tensor.shape, tensor.elementType) }

  // MARK: - Modules

  private static func forms(
    of modules: [String: [any Module]]
  ) throws(DataError) -> [(prefix: String, form: PyTorchForm)] {
    var forms: [(prefix: String, form: PyTorchForm)] = []
    for (name, layers) in modules.sorted(by: { $0.key < $1.key }) {
      for (module, suffix) in try parts(of: layers, name) {
        guard let module = module as? any PyTorchConvertible else {
          throw DataError(path: "PyTorch", place: "'\(name)'", problem: "has no form for \(Swift.type(of: module))")
        }
        let prefix = name.isEmpty ? "" : "\(name)."
        do {
          forms += try module.pyTorchForms(suffix: suffix).map { (prefix, $0) }
        } catch {
          throw DataError(path: error.path, place: "'\(name)'", problem: error.problem)
        }
      }
    }
    return forms
  }

  /// The modules that have parameters, with what PyTorch puts behind their names.
  private static func parts(
    of layers: [any Module], _ name: String
  ) throws(DataError) -> [(module: any Module, suffix: String)] {
    let recurrent = layers.compactMap { $0 as? any PyTorchRecurrent }
    if recurrent.isEmpty, layers.count == 1 { return [(layers[0], "")] }
    guard recurrent.count == layers.count, !layers.isEmpty else {
      throw DataError(
        path: "PyTorch", place: "'\(name)'",
        problem: "stands for one layer, or for the recurrent layers of one module, not for \(layers.count) of any kind")
    }
    return recurrent.flatMap(\.cellsByLayer).enumerated().flatMap { index, directions in
      zip(directions, ["", "_reverse"]).map { ($0, "_l\(index)\($1)") }
    }
  }
}
