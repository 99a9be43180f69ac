#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The marks of an axis: numbers that people like (1, 2 or 5 times a power of ten) that cover some values.
struct Ticks: Hashable, Sendable {
  /// The marks, in rising order.
  let values: [Double]
  /// Their labels, all with as many digits as tell them apart.
  let labels: [String]
  /// What the axis reaches over.
  let range: ClosedRange<Double>

  /// - Parameters:
  ///   - values: What is to be seen; what is not finite does not count.
  ///   - count: About how many marks there is room for.
  ///   - wholeNumbers: Whether marks stand at whole numbers only, as for epochs.
  ///   - isTight: Whether the axis ends at the values instead of at marks.
  init(covering values: some Sequence<Double>, count: Int = 5, wholeNumbers: Bool = false, isTight: Bool = false) {
    let finite = values.filter { $0.isFinite && abs($0) < 1e300 }
    var low = finite.min() ?? 0
    var high = finite.max() ?? 1
    if low == high {
      // One value stands in the middle.
      let margin = wholeNumbers ? 0.5 : low == 0 ? 1 : abs(low) / 2
      (low, high) = (low - margin, high + margin)
    }
    var step = Self.niceStep((high - low) / Double(max(count, 1)))
    if wholeNumbers { step = max(step.rounded(.up), 1) }
    let first = isTight ? (low / step - 1e-9).rounded(.up) : (low / step + 1e-9).rounded(.down)
    let last = isTight ? (high / step + 1e-9).rounded(.down) : (high / step - 1e-9).rounded(.up)
    let marks = stride(from: first, through: last, by: 1).map { $0 * step }
    self.values = marks
    range = isTight ? low...high : (marks.first ?? low)...(marks.last ?? high)
    labels = Self.labels(marks, step: step)
  }

  /// The least of 1, 2, 5 and 10 times a power of ten that is not below a number.
  private static func niceStep(_ least: Double) -> Double {
    let power = pow(10, log10(least).rounded(.down))
    let share = least / power
    return power * (share <= 1.0001 ? 1 : share <= 2.0001 ? 2 : share <= 5.0001 ? 5 : 10)
  }

  /// The marks with the digits that tell them apart: as they are, or with one power of ten for all.
  private static func labels(_ marks: [Double], step: Double) -> [String] {
    let largest = marks.map { abs($0) }.max() ?? 0
    let stepPower = Int(log10(step * 1.0000001).rounded(.down))
    if largest < 1e6 && stepPower >= -5 { return marks.map { NumberText.fixed($0, digits: max(-stepPower, 0)) } }
    let power = Int(log10(max(largest, step) * 1.0000001).rounded(.down))
    return marks.map { mark in
      mark == 0 ? "0" : NumberText.fixed(mark / pow(10, Double(power)), digits: max(power - stepPower, 0)) + "e\(power)"
    }
  }
}

/// Numbers as people read them.
enum NumberText {
  /// A number with so many digits after the point.
  static func fixed(_ value: Double, digits: Int) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return value.isNaN ? "no number" : "\(value)" }
    let scale = pow(10, Double(digits))
    let scaled = (abs(value) * scale).rounded()
    guard scaled < 1e18 else { return "\(value)" }
    let whole = Int(scaled)
    let sign = value < 0 && whole != 0 ? "-" : ""
    if digits == 0 { return sign + "\(whole)" }
    let (front, rest) = whole.quotientAndRemainder(dividingBy: Int(scale))
    let tail = "\(rest)"
    return sign + "\(front)." + String(repeating: "0", count: digits - tail.count) + tail
  }

  /// A number with about four digits in all, without zeros at its end.
  static func short(_ value: Double) -> String {
    guard value.isFinite else { return value.isNaN ? "no number" : value > 0 ? "∞" : "-∞" }
    let size = abs(value)
    if size == 0 { return "0" }
    if size >= 1e6 || size < 1e-4 {
      let power = log10(size).rounded(.down)
      return trimmed(fixed(value / pow(10, power), digits: 2)) + "e\(Int(power))"
    }
    return trimmed(fixed(value, digits: size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4))
  }

  /// A number without zeros at the end of its fraction.
  private static func trimmed(_ number: String) -> String {
    guard number.contains(".") else { return number }
    let kept = number.reversed().drop { $0 == "0" }
    return String((kept.first == "." ? kept.dropFirst() : kept).reversed())
  }

  /// A count with its thousands apart.
  static func grouped(_ count: Int) -> String {
    var digits = "\(count.magnitude)"
    var parts: [Substring] = []
    while digits.count > 3 {
      parts.insert(digits.suffix(3), at: 0)
      digits.removeLast(3)
    }
    return (count < 0 ? "-" : "") + ([digits[...]] + parts).joined(separator: ",")
  }
}
