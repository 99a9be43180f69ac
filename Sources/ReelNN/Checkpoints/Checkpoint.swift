import Reel

/// All that a training needs to go on where it stopped, bit for bit: weights, the variables of the optimizer, the states of
/// stateful layers, the stream of random numbers, and how far it was.
///
///     try Checkpoint(of: model, optimizer: adam, epoch: epoch, step: step).write(to: "run.safetensors")
///
///     let checkpoint = try Checkpoint(path: "run.safetensors")      // in another process
///     try checkpoint.restore(model, optimizer: adam)
///     for epoch in checkpoint.epoch..<100 { … }
///
/// It is one safetensors file that is replaced in one step, so that a process can be killed at any time.
/// ``Module/loadWeights(from:allowing:)`` takes the weights alone from it.
public struct Checkpoint: Sendable {
  /// The values of the parameters by path.
  public var weights: [String: Tensor]
  /// The variables of the optimizer by name: `step`, `lstm.kernel.momentum`.
  public var optimizer: [String: Tensor]
  /// What stateful recurrent layers carry from call to call, by path and place: `lstm.state.0`.
  public var states: [String: Tensor]
  /// How many epochs are done.
  public var epoch: Int
  /// How many steps are done, or which numbers them.
  public var step: Int
  /// Where the stream of random numbers of the process is; nil to leave it alone.
  public var randomKey: RandomKey?
  /// Further tensors by name.
  public var tensors: [String: Tensor]
  /// Further text by name.
  public var notes: [String: String]
  /// The paths of parameters that had no value.
  private var unmade: Set<String>

  /// What a model, its optimizer and the stream of random numbers are now.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - optimizer: What changes it; none if nil, the default.
  ///   - epoch: How many epochs are done.
  ///   - step: How many steps are done, or which numbers them.
  ///   - tensors: Further tensors by name; none by default.
  ///   - notes: Further text by name; none by default.
  public init(
    of model: some Module, optimizer: (any Optimizer)? = nil, epoch: Int, step: Int, tensors: [String: Tensor] = [:],
    notes: [String: String] = [:]
  ) {
    self.init(
      of: model, variables: optimizer?.variables(of: model) ?? [], epoch: epoch, step: step, tensors: tensors,
      notes: notes)
  }

  /// What a model and the variables of its optimizer are now.
  package init(
    of model: some Module, variables: [(name: String, variable: Variable)], epoch: Int, step: Int,
    tensors: [String: Tensor] = [:], notes: [String: String] = [:]
  ) {
    weights = model.weights
    optimizer = Dictionary(uniqueKeysWithValues: variables.map { ($0.name, $0.variable.concrete) })
    states = model.carriedStates
    self.epoch = epoch
    self.step = step
    randomKey = .stream
    self.tensors = tensors
    self.notes = notes
    unmade = Set(model.parameters.filter { $0.parameter.variable == nil }.map(\.name))
  }

  // MARK: - Files

  /// Writes a file, or replaces one in one step.
  ///
  /// - Parameter path: The file; its folder exists.
  /// - Throws: ``DataError`` if it cannot be written; a file that was there is then as before.
  public func write(to path: String) throws(DataError) {
    var file = Safetensors([:])
    let sections: [(CheckpointLayout.Section, [String: Tensor])] = [
      (.weights, weights), (.optimizer, optimizer), (.state, states), (.extra, tensors),
    ]
    for (section, tensors) in sections {
      for (name, tensor) in tensors { file.tensors[section.name(name)] = tensor }
    }
    file.tensors[CheckpointLayout.randomStream] = randomKey?.words
    for (name, note) in notes { file.metadata["note.\(name)"] = note }
    file.metadata[CheckpointLayout.formatKey] = CheckpointLayout.format
    file.metadata["epoch"] = "\(epoch)"
    file.metadata["step"] = "\(step)"
    if !unmade.isEmpty { file.metadata[CheckpointLayout.unmadeKey] = unmade.sorted().joined(separator: "\n") }
    try file.write(to: path)
  }

  /// Reads a file.
  ///
  /// - Parameter path: The file.
  /// - Throws: ``DataError`` if it is missing, broken, or no checkpoint.
  public init(path: String) throws(DataError) {
    let file = try Safetensors(path: path)
    guard CheckpointLayout.isCheckpoint(file) else {
      throw DataError(path: path, problem: "is no checkpoint (\"\(CheckpointLayout.format)\")")
    }
    func count(_ key: String) throws(DataError) -> Int {
      guard let count = file.metadata[key].flatMap({ Int($0) }) else {
        throw DataError(path: path, place: "metadata '\(key)'", problem: "is no whole number")
      }
      return count
    }
    epoch = try count("epoch")
    step = try count("step")
    let stream = file.tensors[CheckpointLayout.randomStream]
    if let stream, stream.shape != [2] || stream.elementType != .int32 {
      throw DataError(path: path, place: "tensor '\(CheckpointLayout.randomStream)'", problem: "is no i32[2]")
    }
    randomKey = stream.map { RandomKey(words: $0) }
    let prefixes = CheckpointLayout.Section.allCases.map { $0.name("") }
    for name in file.tensors.keys.sorted() where name != CheckpointLayout.randomStream {
      guard prefixes.contains(where: { name.hasPrefix($0) }) else {
        throw DataError(path: path, place: "tensor '\(name)'", problem: "belongs to no part of a checkpoint")
      }
    }
    weights = CheckpointLayout.Section.weights.tensors(of: file)
    optimizer = CheckpointLayout.Section.optimizer.tensors(of: file)
    states = CheckpointLayout.Section.state.tensors(of: file)
    tensors = CheckpointLayout.Section.extra.tensors(of: file)
    let noted = file.metadata.filter { $0.key.hasPrefix("note.") }
    notes = Dictionary(uniqueKeysWithValues: noted.map { (String($0.key.dropFirst(5)), $0.value) })
    unmade = Set(file.metadata[CheckpointLayout.unmadeKey]?.split(separator: "\n").map(String.init) ?? [])
  }

  // MARK: - Restoring

  /// Gives a model, its optimizer and the stream of random numbers what they had, and makes parameters that have no value
  /// yet. Names, shapes and element types of all of it are checked first.
  ///
  /// - Parameters:
  ///   - model: A model like the one that was saved.
  ///   - optimizer: An optimizer with the settings of the one that was saved; nil to restore none, the default.
  /// - Throws: ``WeightsError`` that lists every difference; all is then as before.
  public func restore(_ model: some Module, optimizer: (any Optimizer)? = nil) throws(WeightsError) {
    guard let optimizer else {
      var others = self
      others.optimizer = [:]
      return try others.restore(model) { [] }
    }
    try restore(model) { optimizer.variables(of: model) }
  }

  /// Gives a model, the variables of its optimizer and the stream of random numbers what they had.
  ///
  /// - Parameter variables: Called when the parameters have their values, for variables are made like them.
  package func restore(
    _ model: some Module, variables: () -> [(name: String, variable: Variable)]
  ) throws(WeightsError) {
    let weights = try Assignment(self.weights, to: model.weightSlots(unmade: unmade), allowing: [], path: "checkpoint")
    let states = try model.carriedStateAssignment(self.states)
    let before = model.parameters.map { ($0.parameter, $0.parameter.variable?.concrete) }
    weights.run()
    do {
      let slots = variables().map { Assignment.Slot($0.name, $0.variable) }
      try Assignment(optimizer, to: slots, allowing: [], path: "checkpoint, optimizer").run()
    } catch {
      for (parameter, value) in before { parameter.value = value }
      throw error
    }
    states()
    if let randomKey { RandomKey.stream = randomKey }
  }
}

// MARK: - Stateful layers

extension Module {
  /// What each stateful layer would start its next call from, by path and place; nothing for layers that start anew.
  fileprivate var carriedStates: [String: Tensor] {
    var states: [String: Tensor] = [:]
    for (name, member) in members(of: CarriedState.self) {
      for (place, tensor) in (member.kept ?? []).enumerated() { states["\(name).\(place)"] = tensor }
    }
    return states
  }

  /// What gives stateful layers their states, after a check that each state has a layer; layers without one start anew.
  fileprivate func carriedStateAssignment(_ states: [String: Tensor]) throws(WeightsError) -> () -> Void {
    var rest = states
    var found: [(CarriedState, [Tensor])] = []
    for (name, member) in members(of: CarriedState.self) {
      var tensors: [Tensor] = []
      while let tensor = rest.removeValue(forKey: "\(name).\(tensors.count)") { tensors.append(tensor) }
      found.append((member, tensors))
    }
    guard rest.isEmpty else { throw WeightsError(path: "checkpoint, states", unexpected: rest.keys.sorted()) }
    return { for (member, tensors) in found { tensors.isEmpty ? member.reset() : member.set(tensors) } }
  }
}
