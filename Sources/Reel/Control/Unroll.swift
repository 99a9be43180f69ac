/// How a loop is laid out. The values are the same, bit for bit; time and memory differ.
///
/// As in Keras, `true` unrolls the loop and `false` keeps it; a number unrolls blocks of so many steps.
public enum Unroll: Hashable, Sendable {
  /// One symbolic loop, whose graph does not grow with the length. Also `false`.
  case never
  /// A symbolic loop over blocks of so many steps, with the steps that are left over unrolled. Also an integer literal.
  case by(Int)
  /// Every step recorded for itself. Also `true`.
  case full

  /// The number of steps in a block of a sequence of the length, at least 1 and at most the length.
  func blockLength(of length: Int) -> Int {
    switch self {
    case .never: 1
    case .by(let steps): Swift.min(Swift.max(steps, 1), Swift.max(length, 1))
    case .full: Swift.max(length, 1)
    }
  }
}

extension Unroll: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral {
  /// `true` is ``full``, `false` is ``never``.
  public init(booleanLiteral value: Bool) { self = value ? .full : .never }

  /// Blocks of so many steps.
  public init(integerLiteral value: Int) { self = .by(value) }
}
