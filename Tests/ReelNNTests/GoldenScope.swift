import Reel
import ReelNN
import ReelTestSupport

/// What a golden case asks for that the library does not have.
struct OutsideScope: Error {
  let reason: String

  init(_ reason: String) { self.reason = reason }
}

/// Why a case is not run, or nil if it is: building what the case describes is the rule, so that whatever can be built is
/// run, and a setting that nothing here knows keeps its case out instead of being ignored.
func reasonOutsideScope(_ golden: GoldenCase) -> String? {
  do {
    switch golden.kind {
    case "layer", "layer_stateful": _ = try LayerCase(keras: golden)
    case "torch_layer", "torch_model": _ = try TorchCase(golden)
    case "loss": _ = try LossCase(golden)
    case "metric": _ = try makeMetric(golden.layer, golden.config)
    case "optimizer": _ = try makeOptimizer(golden.layer, golden.config)
    case "schedule": _ = try makeSchedule(golden.layer, golden.config)
    case "initializer": _ = try initializedLSTM(golden)
    case "model": _ = try ModelCase(golden, unroll: .never)
    case "activation": _ = try activationFunctions(golden)
    case "regularizer": _ = try RegularizerCase(golden)
    case "constraint": _ = try goldenConstraint(golden)
    default: throw OutsideScope("cases of kind \(golden.kind)")
    }
    return nil
  } catch let outside as OutsideScope {
    return outside.reason
  } catch {
    return "\(error)"
  }
}

// MARK: - Settings

/// The settings of a layer, cell or optimizer by their Keras names.
struct Settings {
  private let values: [String: JSONValue]

  /// Settings that do not change what is computed from given weights.
  private static let idle: Set = [
    "trainable", "dtype", "seed", "implementation", "unit_forget_bias", "kernel_initializer", "recurrent_initializer",
    "bias_initializer",
  ]

  /// Takes the settings if all that say anything are known.
  init(_ json: JSONValue, known: Set<String>) throws {
    guard let values = json.object else { throw OutsideScope("settings that are no object") }
    for (key, value) in values.sorted(by: { $0.key < $1.key })
    where !known.contains(key) && !Self.idle.contains(key) && ![.null, .truth(false), .number(0)].contains(value) {
      throw OutsideScope("the setting \(key) = \(value)")
    }
    if let format = values["data_format"], ![.null, .string("channels_last")].contains(format) {
      throw OutsideScope("the setting data_format = \(format)")
    }
    self.values = values
  }

  /// The value of a setting; null if there is none.
  subscript(key: String) -> JSONValue { values[key] ?? .null }

  func has(_ key: String) -> Bool { values[key].map { $0 != .null } ?? false }

  func truth(_ key: String) -> Bool { values[key]?.truth ?? false }

  func number(_ key: String) throws -> Double {
    guard let number = values[key]?.number else { throw OutsideScope("\(key) = \(values[key] ?? .null)") }
    return number
  }

  func integer(_ key: String) throws -> Int {
    guard let integer = values[key]?.integer else { throw OutsideScope("\(key) = \(values[key] ?? .null)") }
    return integer
  }

  func activation(_ key: String) throws -> Activation {
    guard let name = values[key]?.string else { throw OutsideScope("the activation \(values[key] ?? .null)") }
    return try makeActivation(name)
  }

  func initializer(_ key: String) throws -> Initializer? { try makeInitializer(values[key]) }

  func regularizer(_ key: String) throws -> Regularizer? { try makeRegularizer(values[key]) }

  func constraint(_ key: String) throws -> Constraint? { try makeConstraint(values[key]) }
}
