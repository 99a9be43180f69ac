/// What a callback watches: a number of the logs, and which of two is better.
struct Monitor {
  let name: String
  /// Whether higher numbers are better.
  let isUp: Bool

  /// - Throws: ``MonitorError`` if it is not known which is better.
  init(_ name: String, _ mode: MonitorMode, of run: TrainingRun, for callback: String) throws(MonitorError) {
    self.name = name
    switch mode {
    case .min: isUp = false
    case .max: isUp = true
    case .automatic:
      guard let direction = run.objective.direction(of: name) else {
        throw MonitorError(callback: callback, monitor: name, logged: run.logs.names, problem: .noDirection)
      }
      isUp = direction == .up
    }
  }

  /// Whether a number is better than another by more than a difference. Nothing is better than NaN.
  func isBetter(_ value: Double, than other: Double, by difference: Double = 0) -> Bool {
    isUp ? value - abs(difference) > other : value + abs(difference) < other
  }

  /// The number in the logs of an epoch.
  ///
  /// - Throws: ``MonitorError`` that lists what is logged, if there is no such number.
  static func value(_ name: String, in run: TrainingRun, for callback: String) throws(MonitorError) -> Double {
    guard let value = run.logs[name] else {
      throw MonitorError(callback: callback, monitor: name, logged: run.logs.names, problem: .notLogged)
    }
    return value
  }
}

/// Which numbers are better. Keras's `mode`.
public enum MonitorMode: Hashable, Sendable {
  /// Lower ones.
  case min
  /// Higher ones.
  case max
  /// Lower losses, and whatever the metric of the name says is better.
  case automatic
}

/// A callback that watches what it cannot.
public struct MonitorError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong.
  public enum Problem: Hashable, Sendable {
    /// Nothing of that name is logged.
    case notLogged
    /// Nothing says whether higher or lower numbers are better.
    case noDirection
  }

  /// The callback.
  public let callback: String
  /// The name that it watches.
  public let monitor: String
  /// The names that are logged.
  public let logged: [String]
  /// What is wrong.
  public let problem: Problem

  /// One line: the callback, the name, and what there is or what to do.
  public var description: String {
    switch problem {
    case .notLogged:
      let names = logged.map { "'\($0)'" }.joined(separator: ", ")
      let hint = monitor.hasPrefix("val_") ? "; validation needs validationData or validationSplit" : ""
      return "\(callback): nothing is logged as '\(monitor)', only \(names)\(hint)"
    case .noDirection:
      return "\(callback): whether '\(monitor)' is better high or low is not known; say mode: .max or .min"
    }
  }
}
