import Foundation
import Reel

/// What a recurrent layer does with one batch, step by step: states, gates and gradients. ``Model/inspectSteps(_:_:sampleWeight:)``
/// makes it, for any cell.
public struct StepInspection: Sendable {
  /// Some numbers in a few words.
  public struct Statistics: Hashable, Sendable {
    /// The mean of the elements.
    public let mean: Double
    /// The smallest and the largest element.
    public let range: ClosedRange<Double>
    /// √(Σ x²).
    public let norm: Double

    init?(_ tensor: Tensor) {
      let numbers = tensor.numbers
      guard tensor.elementType.isFloatingPoint, let least = numbers.min(), let most = numbers.max(), least <= most
      else {
        return nil
      }
      mean = numbers.reduce(0, +) / Double(numbers.count)
      range = least...most
      norm = numbers.reduce(0) { $0 + $1 * $1 }.squareRoot()
    }
  }

  /// One step.
  public struct Step: Sendable {
    /// The place along the time axis.
    public let time: Int
    /// The state after the step by name, each `[batch, ...]`.
    public let states: [(name: String, value: Tensor)]
    /// The results of functions that are more than arithmetic, by name, in the order the cell computes them: of an LSTM
    /// `sigmoid`, `sigmoid_1` and `sigmoid_2` are i, f and o.
    public let functions: [(name: String, value: Tensor)]
    /// The norm of the derivative of the loss by the state before the step, by the name of its part; none where the loss
    /// does not depend on it.
    public let gradientNorms: [(name: String, norm: Double)]
    /// The names of states and functions that are not finite.
    public let notFinite: [String]
  }

  /// The path of the layer.
  public let layer: String
  /// The steps in the order in which they are done.
  public let steps: [Step]

  /// The first step with a number that is not finite, and what it belongs to; nil if all are finite.
  public var firstNotFinite: (time: Int, name: String)? {
    steps.lazy.compactMap { step in step.notFinite.first.map { (step.time, $0) } }.first
  }

  init(_ loop: RecordedLoop, stateNames: [String]?) {
    layer = loop.path.joined(separator: ".")
    steps = loop.steps.map { step in
      let names = step.carries.indices.map { index in
        // A loop may carry more than the state: the output that a mask shows again.
        stateNames.flatMap { index < $0.count ? $0[index] : nil } ?? "carry \(index)"
      }
      let states = Array(zip(names, step.carries)).map { (name: $0, value: $1) }
      let functions = Self.numbered(step.functions)
      let norms = zip(names, step.gradients).compactMap { name, gradient in
        gradient.map { (name: name, norm: $0.numbers.reduce(0) { $0 + $1 * $1 }.squareRoot()) }
      }
      return Step(
        time: step.time, states: states, functions: functions, gradientNorms: norms,
        notFinite: (functions + states).filter { !$0.value.isAllFinite }.map(\.name))
    }
  }

  private static func numbered(_ functions: [(name: String, value: Tensor)]) -> [(name: String, value: Tensor)] {
    var counts: [String: Int] = [:]
    return functions.map { name, value in
      defer { counts[name, default: 0] += 1 }
      return (counts[name].map { "\(name)_\($0)" } ?? name, value)
    }
  }
}

extension StepInspection: CustomStringConvertible {
  /// A table: a row for each step, with the mean of each function, and the norms of the states and of the gradients.
  public var description: String {
    guard let first = steps.first else { return "\(layer): no steps" }
    func cell(_ text: String) -> String { String(repeating: " ", count: max(12 - text.count, 0)) + text }
    func number(_ value: Double?) -> String { cell(value.map { String(format: "%.4g", $0) } ?? "-") }
    let head =
      first.functions.map { "mean \($0.name)" } + first.states.map { "|\($0.name)|" }
      + first.states.map { "|d/d\($0.name)|" }
    let width = max(12, head.map(\.count).max() ?? 0)
    func line(_ time: String, _ cells: [String]) -> String {
      String(repeating: " ", count: max(5 - time.count, 0)) + time
        + cells.map { " " + String(repeating: " ", count: max(width - $0.count, 0)) + $0 }.joined()
    }
    let rows = steps.map { step in
      let norms = Dictionary(step.gradientNorms.map { ($0.name, $0.norm) }) { first, _ in first }
      let cells =
        step.functions.map { number(Statistics($0.value)?.mean) }
        + step.states.map { number(Statistics($0.value)?.norm) }
        + step.states.map { number(norms[$0.name]) }
      return line("\(step.time)", cells)
        + (step.notFinite.isEmpty ? "" : "  not finite: \(step.notFinite.joined(separator: ", "))")
    }
    return (["\(layer), by step", line("step", head)] + rows).joined(separator: "\n")
  }
}

/// Something whose loop carries a state with names.
protocol StateNaming {
  var stateNames: [String] { get }
}

extension RNN: StateNaming {
  var stateNames: [String] { cell.initialState(batchSize: 1).tensorPaths.map { $0.isEmpty ? "state" : $0 } }
}

extension Model {
  /// Looks at what recurrent layers do with a batch, step by step, in training. Nothing is changed.
  ///
  /// Loops are run one step after another and differentiated one step after another, whatever the cell is made of, so this
  /// takes far longer than a training step. It shows plain loops: layers that are unrolled, or keep checkpoints, have no
  /// such loop, and are not shown step by step.
  ///
  /// - Parameters:
  ///   - x: The input, `[batch, ...]`.
  ///   - y: The targets, as the loss says.
  ///   - sampleWeight: What the samples count; all 1 if nil.
  /// - Returns: An inspection for each loop that the loss depends on, in the order they ran in.
  /// - Throws: ``Reel/TensorError`` if the batch does not fit the network.
  public func inspectSteps(
    _ x: Network.Input, _ y: Network.Output, sampleWeight: Tensor? = nil
  ) throws -> [StepInspection] {
    try build(like: x)
    var names: [String: [String]] = [:]
    visitMembers(of: network, at: "") { path, value in
      if let naming = value as? any StateNaming { names[path] = naming.stateNames }
      return false
    }
    let state = RandomKey.stream
    defer { RandomKey.stream = state }
    let loops = try network.restoringState {
      try Recording.throwingErrors {
        withTraining {
          recordedLoops {
            objective.value(predicted: network(x), expected: y, sampleWeight: sampleWeight).total
          }.loops
        }
      }
    }
    return loops.map { loop in
      let path = loop.path.joined(separator: ".")
      return StepInspection(loop, stateNames: names[path] ?? (names.count == 1 ? names.values.first : nil))
    }
  }

  /// A callback that looks at one batch, step by step, every so many epochs, and keeps and shows what it saw.
  ///
  /// - Parameters:
  ///   - x: The input of the batch.
  ///   - y: Its targets.
  ///   - frequency: The number of epochs from one look to the next; 1 by default.
  ///   - verbose: Whether to show the tables; true by default.
  public func stepInspector(
    _ x: Network.Input, _ y: Network.Output, every frequency: Int = 1, verbose: Bool = true
  ) -> StepInspector {
    StepInspector(every: frequency, verbose: verbose) { try self.inspectSteps(x, y) }
  }
}

/// Looks at the steps of recurrent layers while a model is trained; ``Model/stepInspector(_:_:every:verbose:)`` makes it.
public final class StepInspector: Callback {
  private let frequency: Int
  private let verbose: Bool
  private let inspect: () throws -> [StepInspection]

  /// What was seen, by epoch.
  public private(set) var inspections: [Int: [StepInspection]] = [:]

  init(every frequency: Int, verbose: Bool, _ inspect: @escaping () throws -> [StepInspection]) {
    precondition(frequency > 0, "a step inspector looks every epoch or less often, not every \(frequency)")
    (self.frequency, self.verbose, self.inspect) = (frequency, verbose, inspect)
  }

  /// Forgets the training before.
  public func onTrainBegin(_ run: TrainingRun) { inspections = [:] }

  /// Looks, if it is time.
  public func onEpochEnd(_ epoch: Int, _ run: TrainingRun) throws {
    guard (epoch + 1) % frequency == 0 else { return }
    let found = try inspect()
    inspections[epoch] = found
    if verbose { for inspection in found { run.say("\(inspection)") } }
  }
}
