import Foundation

/// What was measured and of what: one line of JSON, in the order in which it was said.
struct Report: CustomStringConvertible {
  private var fields: [String] = []

  init() {}

  /// The figures that every form has.
  init(_ measurement: Measurement) {
    add("median_ms", measurement.median.milliseconds)
    add("min_ms", measurement.minimum.milliseconds)
    add("compile_ms", measurement.compilation.milliseconds)
  }

  mutating func add(_ name: String, _ value: Double) { add(name, json: String(format: "%.4f", value)) }
  mutating func add(_ name: String, _ value: Int) { add(name, json: "\(value)") }
  mutating func add(_ name: String, _ value: Bool) { add(name, json: "\(value)") }
  mutating func add(_ name: String, _ value: String) { add(name, json: "\"\(value)\"") }
  /// Puts a field in front. Names and values are words of this program's own, with nothing in them to escape.
  mutating func insert(_ name: String, _ value: String) { fields.insert("\"\(name)\": \"\(value)\"", at: 0) }

  private mutating func add(_ name: String, json: String) { fields.append("\"\(name)\": \(json)") }

  var description: String { "{\(fields.joined(separator: ", "))}" }
}
