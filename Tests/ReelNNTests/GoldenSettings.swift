import Reel
import ReelNN
import ReelTestSupport

/// What a golden case asks for that nothing here knows.
struct UnknownSetting: Error, CustomStringConvertible {
  let reason: String

  init(_ reason: String) { self.reason = reason }

  var description: String { "unknown: \(reason)" }
}

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
    guard let values = json.object else { throw UnknownSetting("settings that are no object") }
    for (key, value) in values.sorted(by: { $0.key < $1.key })
    where !known.contains(key) && !Self.idle.contains(key) && ![.null, .truth(false), .number(0)].contains(value) {
      throw UnknownSetting("the setting \(key) = \(value)")
    }
    if let format = values["data_format"], ![.null, .string("channels_last")].contains(format) {
      throw UnknownSetting("the setting data_format = \(format)")
    }
    self.values = values
  }

  /// The value of a setting; null if there is none.
  subscript(key: String) -> JSONValue { values[key] ?? .null }

  func has(_ key: String) -> Bool { values[key].map { $0 != .null } ?? false }

  func truth(_ key: String) -> Bool { values[key]?.truth ?? false }

  func number(_ key: String) throws -> Double {
    guard let number = values[key]?.number else { throw UnknownSetting("\(key) = \(values[key] ?? .null)") }
    return number
  }

  func integer(_ key: String) throws -> Int {
    guard let integer = values[key]?.integer else { throw UnknownSetting("\(key) = \(values[key] ?? .null)") }
    return integer
  }

  func activation(_ key: String) throws -> Activation {
    guard let name = values[key]?.string else { throw UnknownSetting("the activation \(values[key] ?? .null)") }
    return try makeActivation(name)
  }

  func initializer(_ key: String) throws -> Initializer? { try makeInitializer(values[key]) }

  func regularizer(_ key: String) throws -> Regularizer? { try makeRegularizer(values[key]) }

  func constraint(_ key: String) throws -> Constraint? { try makeConstraint(values[key]) }
}
