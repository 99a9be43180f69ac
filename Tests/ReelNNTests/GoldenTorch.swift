import Foundation
import Reel
import ReelNN
import ReelTestSupport
import Testing

/// A case of PyTorch: one recurrent module, alone or with a linear layer on its last output.
struct TorchCase {
  let golden: GoldenCase
  /// The names of the modules in the file; empty for a module alone.
  private let recurrentName, linearName: String
  private let recurrent, linear: JSONValue

  /// Takes a case if all that it says is known.
  init(_ golden: GoldenCase) throws {
    self.golden = golden
    if golden.kind == "torch_layer" {
      (recurrentName, linearName) = ("", "")
      recurrent = .object(golden.config.object!.merging(["class_name": .string(golden.layer)]) { $1 })
      linear = .null
    } else {
      let modules = golden.config.object ?? [:]
      let names = modules.keys.sorted()
      let isLinear = { (name: String) in modules[name]?["class_name"]?.string == "torch.nn.Linear" }
      guard let name = names.first(where: { !isLinear($0) }), let head = names.first(where: isLinear), names.count == 2
      else { throw UnknownSetting("the modules \(names)") }
      (recurrentName, linearName) = (name, head)
      (recurrent, linear) = (modules[name]!, modules[head]!)
    }
    _ = try makeNetwork(unroll: .never)
  }

  // MARK: - The network

  /// The layers of the case, as a module whose parameters are those of all of them.
  struct Network: Module {
    let recurrent: [any WithStates]
    let dense: [Dense]

    func modules(_ recurrentName: String, _ linearName: String) -> [String: [any Module]] {
      var modules: [String: [any Module]] = [recurrentName: recurrent]
      if !dense.isEmpty { modules[linearName] = dense }
      return modules
    }
  }

  private func makeNetwork(unroll: Unroll) throws -> Network {
    let settings = try Settings(
      recurrent,
      known: [
        "class_name", "input_size", "hidden_size", "num_layers", "bias", "batch_first", "nonlinearity", "bidirectional",
        "proj_size",
      ])
    let (units, useBias) = (try settings.integer("hidden_size"), settings.truth("bias"))
    let projection = settings.has("proj_size") ? try settings.integer("proj_size") : 0
    func layer() throws -> any WithStates {
      switch recurrent["class_name"]?.string {
      case "torch.nn.LSTM" where projection > 0:
        return both(ProjectedLSTMCell(units, projection: projection, useBias: useBias), unroll)
      case "torch.nn.LSTM": return both(LSTMCell(units, useBias: useBias), unroll)
      case "torch.nn.GRU": return both(GRUCell(units, useBias: useBias), unroll)
      case "torch.nn.RNN":
        let activation = try settings.activation("nonlinearity")
        return both(SimpleRNNCell(units, activation: activation, useBias: useBias), unroll)
      case let name: throw UnknownSetting("the layer \(name ?? "without a name")")
      }
    }
    func both<Cell: RecurrentCell>(_ cell: @autoclosure () -> Cell, _ unroll: Unroll) -> any WithStates {
      func layer() -> RNN<Cell> {
        RNN(cell(), returnSequences: true, returnState: true, unroll: unroll, zeroOutputForMask: true)
      }
      if settings.truth("bidirectional") { return Bidirectional(layer()) }
      return layer()
    }
    let dense =
      linear == .null ? nil : try Settings(linear, known: ["class_name", "in_features", "out_features", "bias"])
    return Network(
      recurrent: try (0..<(try settings.integer("num_layers"))).map { _ in try layer() },
      dense: try dense.map { [Dense(try $0.integer("out_features"), useBias: $0.truth("bias"))] } ?? [])
  }

  private var isBidirectional: Bool { recurrent["bidirectional"]?.truth ?? false }
  private var isTimeFirst: Bool { recurrent["batch_first"]?.truth != true }

  // MARK: - Running

  /// Loads the weights, runs the network every way there is, and compares outputs and gradients with the file; writes the
  /// weights back, too.
  func check() throws {
    let tensors = try Golden.tensors(of: golden)
    let weights = PyTorchWeights(try stateDictionary(tensors))
    try ElementType.withDefault(golden.elementType) {
      var first: [String: Tensor]?
      for unroll in [Unroll.never, .by(3), .full] {
        let network = try makeNetwork(unroll: unroll)
        try weights.load(into: network.modules(recurrentName, linearName))
        try checkRoundTrip(of: network, weights.tensors)
        let inputs = tensors.filter { golden.inputs[$0.key] != nil || golden.cotangents[$0.key] != nil }
        let run = { (inputs: [String: Tensor]) in results(of: network, inputs) }
        for (mode, found) in [("eager", run(inputs)), ("compiled", try compiled(run)(inputs))] {
          let how = "unroll \(unroll), \(mode)"
          expectGolden(try restored(found), tensors, of: golden, how)
          let reference = first ?? found
          first = reference
          for name in reference.keys.sorted() where !name.contains("grad.") {
            expectSameBits(found[name]!, reference[name]!, "\(golden.name), \(how): \(name)")
          }
        }
      }
    }
  }

  /// The weights of the case: the bare file of them, if there is one.
  private func stateDictionary(_ tensors: [String: Tensor]) throws -> [String: Tensor] {
    let weights = tensors.filter { golden.weights[$0.key] != nil }
    guard let file = golden.checkpoint else { return weights }
    let bare = try PyTorchWeights(path: Golden.folder.appendingPathComponent("torch/\(file)").path).tensors
    #expect(Set(bare.keys) == Set(weights.keys))
    for (name, weight) in weights { expectSameBits(try #require(bare[name]), weight, "\(file): \(name)") }
    return bare
  }

  /// What is written loads into another network as the same values, and is what was read, but for a bias in two parts.
  private func checkRoundTrip(of network: Network, _ read: [String: Tensor]) throws {
    let written = try PyTorchWeights(of: network.modules(recurrentName, linearName))
    #expect(Set(written.tensors.keys) == Set(read.keys))
    let isGRU = recurrent["class_name"]?.string == "torch.nn.GRU"
    for (name, tensor) in read where isGRU || !name.contains("bias_") {
      expectSameBits(try #require(written.tensors[name]), tensor, "\(golden.name), written: \(name)")
    }
    for (name, tensor) in read where !isGRU && name.contains("bias_ih") {
      let other = name.replacing("bias_ih", with: "bias_hh")
      expectSameBits(written.tensors[name]! + written.tensors[other]!, tensor + read[other]!, "\(golden.name): \(name)")
    }
    let copy = try makeNetwork(unroll: .never)
    try written.load(into: copy.modules(recurrentName, linearName))
    #expect(Set(copy.weights.keys) == Set(network.weights.keys))
    for (name, tensor) in network.weights { expectSameBits(try #require(copy.weights[name]), tensor, name) }
  }

  private func outputs(of network: Network, _ inputs: [String: Tensor]) -> [String: Tensor] {
    var x = inputs["x"]!
    if isTimeFirst { x = x.transposed([1, 0, 2]) }
    if let lengths = inputs["lengths"] { x = x.withMask(lengths: lengths) }
    let initial = (0..<2).compactMap { inputs["initial_state.\($0)"]?.unstacked() }
    let directions = isBidirectional ? 2 : 1
    var last: [[Tensor]] = []
    for (layer, recurrent) in network.recurrent.enumerated() {
      let flat = (0..<directions).flatMap { direction in initial.map { $0[layer * directions + direction] } }
      let (outputs, states) = recurrent.outputs(of: x, flatState: flat)
      x = outputs[0]
      let each = states.count / directions
      for direction in 0..<directions { last.append(Array(states[direction * each..<(direction + 1) * each])) }
    }
    var found: [String: Tensor] = [:]
    for state in last[0].indices { found["state.\(state)"] = stacked(last.map { $0[state] }) }
    guard let dense = network.dense.first else {
      found["output"] = isTimeFirst ? x.transposed([1, 0, 2]) : x
      return found
    }
    let logits = dense(x.part(at: x.shape[1] - 1, along: 1))
    let labels = inputs["y_true"]!.oneHot(logits.shape.last, elementType: logits.elementType)
    return ["output": logits, "loss": -(labels * logSoftmax(logits)).sum(along: [-1]).mean()]
  }

  /// Outputs and gradients; those of parameters by their paths in the network.
  private func results(of network: Network, _ inputs: [String: Tensor]) -> [String: Tensor] {
    func objective(_ inputs: [String: Tensor]) -> Tensor {
      let found = outputs(of: network, inputs)
      guard let pairs = golden.objective.array else { return found["loss"]! }
      let terms = pairs.map { (found[$0.array![0].string!]! * inputs[$0.array![1].string!]!).sum() }
      return terms.dropFirst().reduce(terms[0], +)
    }
    var results = outputs(of: network, inputs)
    let byParameters = valueWithGradient(of: network) { objective(inputs) }.gradients
    for (name, parameter) in byParameters.parameters { results["path.grad.\(name)"] = byParameters[parameter] }
    let floats = inputs.filter { $0.value.elementType.isFloatingPoint && !$0.key.hasPrefix("cotangent") }
    let byInputs: [String: Tensor] = gradient(at: floats) { objective(inputs.merging($0) { $1 }) }
    for (name, value) in byInputs { results["grad.\(name)"] = value }
    return results
  }

  /// The gradients of parameters by PyTorch's names: matrices change their form as the weights do, and the gradient of a sum
  /// of two biases is that of both.
  private func restored(_ found: [String: Tensor]) throws -> [String: Tensor] {
    var results = found
    let shadow = try makeNetwork(unroll: .never)
    let gradients = found.filter { $0.key.hasPrefix("path.grad.") }
    try shadow.setWeights(
      Dictionary(uniqueKeysWithValues: gradients.map { (String($0.key.dropFirst("path.grad.".count)), $0.value) }))
    let written = try PyTorchWeights(of: shadow.modules(recurrentName, linearName)).tensors
    let isGRU = recurrent["class_name"]?.string == "torch.nn.GRU"
    for (name, value) in written {
      let twin = name.replacing("bias_hh", with: "bias_ih")
      results["grad.\(name)"] = isGRU ? value : written[twin]
    }
    return results
  }
}
