internal import ReelKernels

/// Two operations of arithmetic as one instruction: `(a ∘ b) ∘ c`, or `c - (a ∘ b)`. Each is rounded, so that the bits are
/// those of two instructions; but what lies between them never goes through memory.
struct ElementwisePair: Sendable {
  let name: String
  let code: ScalarCode
  private let first, second: ScalarCode
  /// Whether the second operation takes the result of the first as its right operand, and the order matters.
  private let isReversed: Bool

  private init(
    _ first: Elementwise, _ second: Elementwise, isReversed: Bool = false, _ name: String, _ opcode: reel_opcode
  ) {
    self.name = name
    code = ScalarCode(opcode: UInt8(opcode.rawValue))
    (self.first, self.second) = (first.scalarCode!, second.scalarCode!)
    self.isReversed = isReversed
  }

  static let all: [ElementwisePair] = [
    ElementwisePair(.add, .add, "addAdd", REEL_OP_ADD_ADD),
    ElementwisePair(.add, .subtract, "addSubtract", REEL_OP_ADD_SUBTRACT),
    ElementwisePair(.add, .subtract, isReversed: true, "addSubtractFrom", REEL_OP_ADD_SUBTRACT_FROM),
    ElementwisePair(.add, .multiply, "addMultiply", REEL_OP_ADD_MULTIPLY),
    ElementwisePair(.subtract, .add, "subtractAdd", REEL_OP_SUBTRACT_ADD),
    ElementwisePair(.subtract, .subtract, "subtractSubtract", REEL_OP_SUBTRACT_SUBTRACT),
    ElementwisePair(.subtract, .subtract, isReversed: true, "subtractSubtractFrom", REEL_OP_SUBTRACT_SUBTRACT_FROM),
    ElementwisePair(.subtract, .multiply, "subtractMultiply", REEL_OP_SUBTRACT_MULTIPLY),
    ElementwisePair(.multiply, .add, "multiplyAdd", REEL_OP_MULTIPLY_ADD),
    ElementwisePair(.multiply, .subtract, "multiplySubtract", REEL_OP_MULTIPLY_SUBTRACT),
    ElementwisePair(.multiply, .subtract, isReversed: true, "multiplySubtractFrom", REEL_OP_MULTIPLY_SUBTRACT_FROM),
    ElementwisePair(.multiply, .multiply, "multiplyMultiply", REEL_OP_MULTIPLY_MULTIPLY),
  ]

  /// The pair of an operation and the one that takes its result as its operand `position`; nil if there is none.
  static func joining(_ first: ScalarCode?, _ second: ScalarCode?, at position: Int) -> ElementwisePair? {
    all.first { pair in
      pair.first == first && pair.second == second
        && pair.isReversed == (position == 1 && pair.second == Elementwise.subtract.scalarCode)
    }
  }
}
