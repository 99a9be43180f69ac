/// What a gradient check looked at, and how well it agreed. It prints as a table; see ``checkGradients(of:at:order:mode:tolerance:)``.
public struct GradientReport: Sendable {
  /// One tensor, at one order.
  public struct Entry: Sendable {
    /// The name of the tensor, such as `lstm.recurrentKernel`.
    public let tensor: String
    /// Its shape.
    public let shape: Shape
    /// 1 for the gradient by the tensor, 2 for the gradient of the gradient by it, and so on.
    public let order: Int
    /// The elements looked at one by one.
    public internal(set) var elementCount = 0
    /// The random directions looked at.
    public internal(set) var directionCount = 0
    /// The largest |analytic - numeric| / max(|analytic|, |numeric|) of derivatives that could be told from noise.
    public internal(set) var worstRelativeError = 0.0
    /// Elements where the slopes on both sides differ, and the analytic value is one that may be taken.
    public internal(set) var kinks = 0
    /// Derivatives that differ by more than the tolerance, but no more than round-off explains: they are small against the
    /// noise of the function.
    public internal(set) var limitedByRoundOff = 0
    /// Derivatives that differ by more than the tolerance, where the numeric value does not settle either: the function
    /// bends too much for the smallest step.
    public internal(set) var limitedByTruncation = 0

    init(tensor: String, shape: Shape, order: Int) {
      (self.tensor, self.shape, self.order) = (tensor, shape, order)
    }

    /// Adds a derivative that is not wrong.
    mutating func count(_ slope: Slope, claim: Double) {
      switch slope.verdict {
      case .agrees:
        let size = max(abs(claim), abs(slope.numeric))
        if size > 0 { worstRelativeError = max(worstRelativeError, abs(claim - slope.numeric) / size) }
      case .roundOff: limitedByRoundOff += 1
      case .truncation: limitedByTruncation += 1
      // A claim that is wrong at a kink was excused.
      case .kink, .wrong: kinks += 1
      }
    }
  }

  /// The tensors in the order they were checked, orders one after another.
  public let entries: [Entry]

  /// The number of kinks met.
  public var kinks: Int { entries.reduce(0) { $0 + $1.kinks } }

  /// The largest relative error.
  public var worstRelativeError: Double { entries.reduce(0) { max($0, $1.worstRelativeError) } }
}

extension GradientReport: CustomStringConvertible {
  /// A table with a line for each tensor and order:
  ///
  ///     order  tensor           shape  checked      worst error  verdict
  ///     1      input            [2,3]  6 elements   2.1e-11      agrees
  ///     1      recurrentKernel  [9,9]  3 directions 4e-12        agrees, 1 kink
  public var description: String {
    let rows = [["order", "tensor", "shape", "checked", "worst error", "verdict"]] + entries.map(\.row)
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max()! }
    return rows.map { row in
      let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
      return String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
    }
    .joined(separator: "\n")
  }
}

extension GradientReport.Entry {
  fileprivate var row: [String] {
    let checked = [Self.counted(elementCount, "element"), Self.counted(directionCount, "direction")].compactMap { $0 }
    return [
      "\(order)", tensor, "\(shape)", checked.isEmpty ? "nothing" : checked.joined(separator: ", "),
      worstRelativeError.rounded(toDigits: 2), verdict,
    ]
  }

  /// What became of the derivatives, in words.
  public var verdict: String {
    let exceptions = [
      Self.counted(kinks, "kink"),
      limitedByRoundOff > 0 ? "\(limitedByRoundOff) below round-off" : nil,
      limitedByTruncation > 0 ? "\(limitedByTruncation) not settled (truncation)" : nil,
    ]
    return (["agrees"] + exceptions.compactMap { $0 }).joined(separator: ", ")
  }

  private static func counted(_ count: Int, _ what: String) -> String? {
    count == 0 ? nil : "\(count) \(what)\(count == 1 ? "" : "s")"
  }
}

extension Double {
  /// The number with so many significant digits, without trailing zeros: `0.25`, `3.1e-12`, `120000`.
  func rounded(toDigits digits: Int) -> String {
    guard isFinite, self != 0 else { return self == 0 ? "0" : "\(self)" }
    var exponent = 0
    var mantissa = magnitude
    while mantissa >= 10 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
    while mantissa < 1 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
    var scale = 1.0
    for _ in 1..<digits { scale *= 10 }
    var number = (mantissa * scale).rounded()
    if number >= 10 * scale { (number, exponent) = (number / 10, exponent + 1) }
    var text = "\(Int(number))"
    let isScientific = exponent < -4 || exponent >= 7
    let point = isScientific ? 1 : exponent + 1
    if point <= 0 { text = String(repeating: "0", count: 1 - point) + text }
    let whole = max(point, 1)
    if text.count < whole { text += String(repeating: "0", count: whole - text.count) }
    var fraction = text.dropFirst(whole)
    while fraction.last == "0" { fraction.removeLast() }
    text = text.prefix(whole) + (fraction.isEmpty ? "" : ".\(fraction)") + (isScientific ? "e\(exponent)" : "")
    return (self < 0 ? "-" : "") + text
  }
}
