import Foundation
import Reel
import ReelNN
import ReelTestSupport
import Testing

/// The golden files that the tests were built with.
enum Golden {
  static let folder =
    ProcessInfo.processInfo.environment["REEL_GOLDEN"].map { URL(fileURLWithPath: $0) }
    ?? Bundle.module.resourceURL!.appendingPathComponent("Golden")

  static let backends = ["keras", "torch"]

  static func index(of backend: String) throws -> GoldenIndex {
    try GoldenIndex(folder: folder.appendingPathComponent(backend))
  }

  /// Every case of both indices.
  static let cases: [GoldenCase] = backends.flatMap { backend in
    do {
      return try index(of: backend).cases
    } catch {
      fatalError("the index of \(backend) cannot be read: \(error)")
    }
  }

  /// The tensors of a case, which are those that the index says.
  static func tensors(of golden: GoldenCase) throws -> [String: Tensor] {
    let backend = golden.kind.hasPrefix("torch") ? "torch" : "keras"
    let file = folder.appendingPathComponent(backend).appendingPathComponent(golden.file)
    let tensors = try Safetensors(path: file.path).tensors
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

/// Compares what was computed with every output and gradient of a case.
func expectGolden(_ found: [String: Tensor], _ expected: [String: Tensor], of golden: GoldenCase, _ how: String) {
  for name in golden.outputs.keys.sorted() + golden.gradients {
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
func kerasName(_ path: String) -> String { KerasWeights.name(path) }

/// Gives the parameters of a module their values by Keras names, and expects all to have a place.
func setParameters(of module: some Module, to values: [String: Tensor]) throws {
  try KerasWeights(values).load(into: module, allowing: .missing)
}

// MARK: - One layer

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
    try self.init(golden) {
      try makeLayer(golden.layer, golden.config, unroll: $0)
    } translate: {
      $0
    } restore: {
      $0
    }
  }

  init(
    _ golden: GoldenCase, make: @escaping (Unroll) throws -> any Layer<Tensor, Tensor>,
    translate: @escaping ([String: Tensor]) -> [String: Tensor],
    restore: @escaping ([String: Tensor]) -> [String: Tensor]
  ) throws {
    let stems = Set(golden.inputs.keys.map { $0.replacing(/^batch\d+\./, with: "").prefix { $0 != "." } })
    if let unknown = stems.subtracting(["x", "mask", "initial_state"]).sorted().first {
      throw UnknownSetting("the input '\(unknown)'")
    }
    self.golden = golden
    self.make = make
    self.translate = translate
    self.restore = restore
    _ = try make(.never)
  }

  private var isTraining: Bool { golden.call["training"]?.truth ?? false }

  /// The parameters of the layer by Keras names, made or not.
  private func weights(of layer: any Layer<Tensor, Tensor>, _ tensors: [String: Tensor]) -> [String: Tensor] {
    let names = Set(layer.parameters.map { kerasName($0.name) })
    return tensors.filter { names.contains($0.key) }
  }

  /// Runs the layer every way there is, and compares outputs and gradients with the file.
  func check() throws {
    let file = try Golden.tensors(of: golden)
    let tensors = translate(file)
    try ElementType.withDefault(golden.elementType) {
      var first: [String: Tensor]?
      let isRecurrent = try make(.never) is any WithStates
      for unroll in isRecurrent ? [Unroll.never, .by(3), .full] : [.never] {
        for mode in ["eager", "compiled"] {
          let how = "unroll \(unroll), \(mode)"
          let layer = try make(unroll)
          try setParameters(of: layer, to: weights(of: layer, tensors))
          let found = try run(layer, tensors, isCompiled: mode == "compiled")
          expectGolden(restore(found), file, of: golden, how)
          let reference = first ?? found
          first = reference
          for name in reference.keys.sorted() where !name.contains("grad.") && !name.hasPrefix("after.") {
            expectSameBits(found[name]!, reference[name]!, "\(golden.name), \(how): \(name)")
          }
        }
      }
    }
  }

  /// The results of one call, or of several in order, each with names under a prefix.
  private func run(
    _ layer: any Layer<Tensor, Tensor>, _ tensors: [String: Tensor], isCompiled: Bool
  ) throws -> [String: Tensor] {
    let objective = try #require(golden.objective.array)
    let outputs = golden.outputs.keys.filter { $0.contains("state.") }
    let differentiate = { (part: [String: Tensor], pairs: [JSONValue], states: [String]) in
      withTraining(isTraining) { results(of: layer, part, pairs: pairs, states: states) }
    }
    guard let count = golden.call["batches"]?.integer else {
      let states = outputs.sorted { $0.localizedStandardCompare($1) == .orderedAscending }
      let step = compiled { differentiate($0, objective, states) }
      return try isCompiled
        ? withTraining(isTraining) { try step(tensors) } : differentiate(tensors, objective, states)
    }
    // A first call makes the variables of the state; a staged function could not put back what is not there yet.
    _ = layer(tensors["batch0.x"]!)
    layer.resetState()
    var all: [String: Tensor] = [:]
    // One staged function for all calls: the state that the layer keeps goes in and out.
    let pairs = { (batch: Int) in
      objective[batch].array!.map { pair in
        JSONValue.array(pair.array!.map { .string(String($0.string!.trimmingPrefix("batch\(batch)."))) })
      }
    }
    let states = outputs.filter { $0.hasPrefix("batch0.") }.map { String($0.dropFirst("batch0.".count)) }.sorted()
    let step = compiled { differentiate($0, pairs(0), states) }
    for batch in 0..<count {
      if golden.call["reset_before_batch"]?.array?.contains(.number(Double(batch))) == true { layer.resetState() }
      let prefix = "batch\(batch)."
      let part = Dictionary(
        uniqueKeysWithValues: tensors.filter { $0.key.hasPrefix(prefix) }
          .map { (String($0.key.dropFirst(prefix.count)), $0.value) })
      let found = try isCompiled ? step(part) : differentiate(part, pairs(batch), states)
      for (name, value) in found { all[prefix + name] = value }
    }
    return all
  }
}

/// A recurrent layer with its states as lists of tensors.
protocol WithStates: Layer where Input == Tensor, Output == Tensor {
  /// The outputs, then the states, from a flat initial state.
  func outputs(of x: Tensor, flatState: [Tensor]) -> (outputs: [Tensor], states: [Tensor])
}

extension WithStates {
  /// The outputs and states in one list.
  func states(_ x: Tensor, _ initial: [Tensor]) -> [Tensor] {
    let (outputs, states) = outputs(of: x, flatState: initial)
    return outputs + states
  }
}

extension RNN: WithStates {
  func outputs(of x: Tensor, flatState: [Tensor]) -> (outputs: [Tensor], states: [Tensor]) {
    var rest = flatState[...]
    let initial = cell.initialState(inputShape: x.shape.removing(1)).mapTensors { rest.popFirst() ?? $0 }
    let outputs = outputs(of: x, initialState: flatState.isEmpty ? nil : initial)
    return ([returnSequences ? outputs[0].withMask(x.mask) : outputs[0]], Array(outputs[1...]))
  }
}

extension Bidirectional: WithStates {
  func outputs(of x: Tensor, flatState: [Tensor]) -> (outputs: [Tensor], states: [Tensor]) {
    var rest = flatState[...]
    let shape = x.shape.removing(1)
    let own = Pair(
      forward.cell.initialState(inputShape: shape), backward.cell.initialState(inputShape: shape))
    let initial = own.mapTensors { rest.popFirst() ?? $0 }
    let outputs = outputs(of: x, initialState: flatState.isEmpty ? nil : initial)
    let count = merge == nil ? 2 : 1
    return (outputs[..<count].map { forward.returnSequences ? $0.withMask(x.mask) : $0 }, Array(outputs[count...]))
  }
}

/// Outputs, and the gradients of Σ output · cotangent by parameters and inputs, by their names in the files.
private func results(
  of layer: any Layer<Tensor, Tensor>, _ tensors: [String: Tensor], pairs: [JSONValue], states: [String]
) -> [String: Tensor] {
  let inputs = tensors.filter { $0.key == "x" || $0.key.hasPrefix("initial_state.") }
  func outputs(_ inputs: [String: Tensor]) -> [String: Tensor] {
    let x = inputs["x"]!.withMask(tensors["mask"])
    var found: [String: Tensor] = [:]
    var outputs = [Tensor]()
    if let recurrent = layer as? any WithStates {
      let names = inputs.keys.filter { $0 != "x" }.sorted { $0.localizedStandardCompare($1) == .orderedAscending }
      let (first, last) = recurrent.outputs(of: x, flatState: names.map { inputs[$0]! })
      outputs = first
      for (name, state) in zip(states, last) { found[name] = state }
    } else {
      outputs = [layer(x)]
    }
    for (index, output) in outputs.enumerated() { found[outputs.count == 1 ? "output" : "output.\(index)"] = output }
    if let mask = outputs[0].mask { found["output_mask"] = mask }
    return found
  }
  func objective(_ inputs: [String: Tensor]) -> Tensor {
    let outputs = outputs(inputs)
    let terms = pairs.map { (outputs[$0.array![0].string!]! * tensors[$0.array![1].string!]!).sum() }
    return terms.dropFirst().reduce(terms[0], +)
  }
  // The gradients first: the call whose outputs are compared is the last one to change what the layer keeps.
  var gradients: [String: Tensor] = [:]
  let byParameters = layer.restoringState {
    valueWithGradient(of: layer, training: Training.isActive) { objective(inputs) }.gradients
  }
  for (name, parameter) in byParameters.parameters { gradients["grad.\(kerasName(name))"] = byParameters[parameter] }
  let byInputs: [String: Tensor] = layer.restoringState {
    gradient(at: inputs.filter { $0.value.elementType.isFloatingPoint }) { floats in
      objective(inputs.merging(floats) { $1 })
    }
  }
  for (name, value) in byInputs { gradients["grad.\(name)"] = value }
  var results = outputs(inputs).merging(gradients) { $1 }
  for (name, parameter) in layer.parameters where !parameter.isTrainable {
    results["after.\(kerasName(name))"] = parameter.value
  }
  return results
}
