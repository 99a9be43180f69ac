import Foundation
import Reel
import ReelNN
import ReelTestSupport
import Testing

/// The golden files that the tests were built with.
enum Golden {
  static let folder = Bundle.module.resourceURL!.appendingPathComponent("Golden")

  /// Every case of both indices, whether it is run or not.
  static let cases: [(backend: String, golden: GoldenCase)] = ["keras", "torch"].flatMap { backend in
    do {
      return try GoldenIndex(folder: folder.appendingPathComponent(backend)).cases.map { (backend, $0) }
    } catch {
      fatalError("the index of \(backend) cannot be read: \(error)")
    }
  }

  /// The cases of a kind that are run.
  static func covered(_ kind: String) -> [GoldenCase] {
    cases.map(\.golden).filter { $0.kind == kind && reasonOutsideScope($0) == nil }
  }

  /// The tensors of a case, which are those that the index says.
  static func tensors(of golden: GoldenCase) throws -> [String: Tensor] {
    let backend = golden.kind.hasPrefix("torch") ? "torch" : "keras"
    let file = folder.appendingPathComponent(backend).appendingPathComponent(golden.file)
    let tensors = try Safetensors(contentsOf: file).tensors
    let codes: [ElementType: String] = [.float32: "F32", .float64: "F64", .int32: "I32", .bool: "BOOL"]
    for part in [golden.inputs, golden.weights, golden.cotangents, golden.outputs] {
      for (name, expected) in part {
        let found = try #require(tensors[name], "\(golden.file) has no tensor '\(name)'")
        #expect(found.shape == expected.shape && codes[found.elementType] == expected.elementType)
      }
    }
    return tensors
  }
}

extension GoldenCase: CustomTestStringConvertible {
  /// The name.
  public var testDescription: String { name }
}

/// Compares what was computed with every output and gradient of a case that is in scope.
func expectGolden(_ found: [String: Tensor], _ expected: [String: Tensor], of golden: GoldenCase, _ how: String) {
  for name in golden.outputs.keys.sorted() + golden.gradients
  where reasonOutsideScope(tensor: name, of: golden) == nil {
    guard let value = found[name], let reference = expected[name] else {
      Issue.record("\(golden.name), \(how): '\(name)' was not computed, or is not in the file")
      continue
    }
    let tolerance = golden.tolerance(of: name)
    expectClose(
      value, reference, relative: tolerance.relative, absolute: tolerance.absolute, "\(golden.name), \(how): \(name)")
    #expect(value.elementType == reference.elementType)
  }
}

/// The Keras name of a parameter: `lstm.recurrent_kernel` for `lstm.recurrentKernel`.
func kerasName(_ path: String) -> String {
  path.reduce(into: "") { $0 += $1.isUppercase ? "_\($1.lowercased())" : "\($1)" }
}

/// Gives each parameter of a module its value by Keras name, and expects all to have a place.
func setParameters(of module: some Module, to values: [String: Tensor]) throws {
  let parameters = Dictionary(uniqueKeysWithValues: module.parameters.map { (kerasName($0.name), $0.parameter) })
  for (name, value) in values {
    try #require(parameters[name], "no parameter \(name) among \(parameters.keys.sorted())").value = value
  }
}

// MARK: - One layer

/// A recurrent layer, whatever its cell, with its states as lists of tensors.
protocol WithStates: Layer where Input == Tensor, Output == Tensor {
  var states: (_ x: Tensor, _ initial: [Tensor]) -> [Tensor] { get }
}

extension RNN: WithStates {
  /// The outputs of ``outputs(of:initialState:)`` from a flat initial state.
  var states: (_ x: Tensor, _ initial: [Tensor]) -> [Tensor] {
    { x, initial in
      guard !initial.isEmpty else { return self.outputs(of: x) }
      var rest = initial[...]
      return self.outputs(
        of: x, initialState: self.cell.initialState(batchSize: 1).mapTensors { _ in rest.removeFirst() })
    }
  }
}

/// A case of one layer: how to make it, and how the tensors of the file are those of the layer.
struct LayerCase {
  let golden: GoldenCase
  let make: (Unroll) throws -> any Layer<Tensor, Tensor>
  /// From the file's tensors to the layer's, by Keras names.
  let translate: ([String: Tensor]) -> [String: Tensor]
  /// From the layer's results to the file's.
  let restore: ([String: Tensor]) -> [String: Tensor]

  /// A case of Keras, which needs no translation.
  init(keras golden: GoldenCase) throws {
    try Self.checkInputs(golden)
    self.golden = golden
    make = { try makeLayer(golden.layer, golden.config, unroll: $0) }
    (translate, restore) = ({ $0 }, { $0 })
    _ = try make(.never)
  }

  init(
    _ golden: GoldenCase, make: @escaping (Unroll) throws -> any Layer<Tensor, Tensor>,
    translate: @escaping ([String: Tensor]) -> [String: Tensor],
    restore: @escaping ([String: Tensor]) -> [String: Tensor]
  ) throws {
    try Self.checkInputs(golden)
    self.golden = golden
    self.make = make
    self.translate = translate
    self.restore = restore
    _ = try make(.never)
  }

  private static func checkInputs(_ golden: GoldenCase) throws {
    for name in golden.inputs.keys.sorted() where name != "x" && !name.hasPrefix("initial_state.") {
      throw OutsideScope("the input '\(name)'")
    }
  }

  /// Runs the layer every way there is, and compares outputs and gradients with the file.
  func check() throws {
    let file = try Golden.tensors(of: golden)
    let tensors = translate(file)
    let inputs = tensors.filter { $0.key == "x" || $0.key.hasPrefix("initial_state.") }
    let cotangents = tensors.filter { $0.key.hasPrefix("cotangent") }
    let pairs = try #require(golden.objective.array).map { ($0.array![0].string!, $0.array![1].string!) }
    let parameterNames =
      golden.kind == "layer" ? Set(golden.weights.keys) : ["kernel", "recurrent_kernel", "bias"]
    try ElementType.withDefault(golden.elementType) {
      var first: [String: Tensor]?
      for unroll in try make(.never) is any WithStates ? [.never, .by(3), .full] : [Unroll.never] {
        let layer = try make(unroll)
        try setParameters(of: layer, to: tensors.filter { parameterNames.contains($0.key) })
        let run = { (inputs: [String: Tensor], cotangents: [String: Tensor]) in
          results(of: layer, inputs: inputs, cotangents: cotangents, pairs: pairs)
        }
        for (mode, found) in [
          ("eager", run(inputs, cotangents)), ("compiled", try compiled(run)(inputs, cotangents)),
        ] {
          expectGolden(restore(found), file, of: golden, "unroll \(unroll), \(mode)")
          let reference = first ?? found
          first = reference
          for name in reference.keys.sorted() where !name.hasPrefix("grad.") {
            expectSameBits(found[name]!, reference[name]!, "\(golden.name), unroll \(unroll), \(mode): \(name)")
          }
        }
      }
    }
  }
}

/// Outputs, and the gradients of Σ output · cotangent by parameters and inputs, by their names in the files.
private func results(
  of layer: any Layer<Tensor, Tensor>, inputs: [String: Tensor], cotangents: [String: Tensor],
  pairs: [(output: String, cotangent: String)]
) -> [String: Tensor] {
  func outputs(_ inputs: [String: Tensor]) -> [String: Tensor] {
    let x = inputs["x"]!
    guard let recurrent = layer as? any WithStates else { return ["output": layer(x)] }
    let initial = (0..<inputs.count - 1).map { inputs["initial_state.\($0)"]! }
    let found = recurrent.states(x, initial)
    return Dictionary(uniqueKeysWithValues: zip(["output"] + found.indices.map { "state.\($0)" }, found))
  }
  func objective(_ inputs: [String: Tensor]) -> Tensor {
    let outputs = outputs(inputs)
    let terms = pairs.map { (outputs[$0.output]! * cotangents[$0.cotangent]!).sum() }
    return terms.dropFirst().reduce(terms[0], +)
  }
  var results = outputs(inputs)
  let gradients = valueWithGradient(of: layer) { objective(inputs) }.gradients
  for (name, parameter) in gradients.parameters { results["grad.\(kerasName(name))"] = gradients[parameter] }
  let inputGradients: [String: Tensor] = gradient(at: inputs, of: objective)
  for (name, value) in inputGradients { results["grad.\(name)"] = value }
  return results
}

// MARK: - PyTorch

extension LayerCase {
  /// A recurrent layer of PyTorch: transposed weights, gates in another order, two biases, states with a leading axis for
  /// layers, perhaps time before batch.
  init(torch golden: GoldenCase) throws {
    let known: Set = ["input_size", "hidden_size", "num_layers", "bias", "batch_first", "nonlinearity"]
    let settings = try Settings(golden.config, known: known)
    guard try settings.integer("num_layers") == 1 else { throw OutsideScope("several layers in one") }
    let (units, useBias) = (try settings.integer("hidden_size"), settings.truth("bias"))
    let timeFirst = !settings.truth("batch_first")
    let isGRU = golden.layer == "torch.nn.GRU"
    let activation = golden.layer == "torch.nn.RNN" ? try settings.activation("nonlinearity") : .tanh
    try self.init(golden) { unroll in
      switch golden.layer {
      case "torch.nn.LSTM":
        LSTM(units, useBias: useBias, returnSequences: true, returnState: true, unroll: unroll)
      case "torch.nn.GRU":
        GRU(units, useBias: useBias, returnSequences: true, returnState: true, unroll: unroll)
      case "torch.nn.RNN":
        SimpleRNN(
          units, activation: activation, useBias: useBias, returnSequences: true, returnState: true, unroll: unroll)
      case let name: throw OutsideScope("the layer \(name)")
      }
    } translate: { file in
      var tensors = file.mapValues(\.self)
      for name in ["x", "cotangent"] where timeFirst { tensors[name] = file[name]!.transposed([1, 0, 2]) }
      for (name, value) in file where name.contains("state.") { tensors[name] = value.squeezed(at: 0) }
      tensors["kernel"] = reordered(file["weight_ih_l0"]!, isGRU: isGRU).transposed()
      tensors["recurrent_kernel"] = reordered(file["weight_hh_l0"]!, isGRU: isGRU).transposed()
      if let input = file["bias_ih_l0"], let recurrent = file["bias_hh_l0"] {
        tensors["bias"] =
          isGRU
          ? stacked([reordered(input, isGRU: true), reordered(recurrent, isGRU: true)]) : input + recurrent
      }
      return tensors
    } restore: { found in
      var tensors = found
      for name in ["output", "grad.x"] where timeFirst { tensors[name] = found[name]!.transposed([1, 0, 2]) }
      for (name, value) in found where name.contains("state.") { tensors[name] = value.expanded(at: 0) }
      tensors["grad.weight_ih_l0"] = reordered(found["grad.kernel"]!.transposed(), isGRU: isGRU)
      tensors["grad.weight_hh_l0"] = reordered(found["grad.recurrent_kernel"]!.transposed(), isGRU: isGRU)
      if let bias = found["grad.bias"] {
        tensors["grad.bias_ih_l0"] = isGRU ? reordered(bias[0], isGRU: true) : bias
        tensors["grad.bias_hh_l0"] = isGRU ? reordered(bias[1], isGRU: true) : bias
      }
      return tensors
    }
  }
}

/// The rows of a GRU's gates from r, z, n to z, r, n or back; those of others as they are.
private func reordered(_ weights: Tensor, isGRU: Bool) -> Tensor {
  guard isGRU else { return weights }
  let gates: (Tensor, Tensor, Tensor) = weights.split(into: 3, along: 0)
  return concatenated([gates.1, gates.0, gates.2])
}
