import Reel

/// A variable that a formula keeps for each parameter, such as a moment.
///
///     ["momentum", OptimizerSlot("accumulator", startingAt: 0.1)]
public struct OptimizerSlot: ExpressibleByStringLiteral, Sendable {
  private enum Start: Sendable {
    case number(Double, isScalar: Bool)
    case weight
  }

  /// What the formula calls it; it comes after the path of the parameter in checkpoints.
  public let name: String
  private let start: Start

  private init(_ name: String, _ start: Start) {
    self.name = name
    self.start = start
  }

  /// A variable of the element type of the parameter.
  ///
  /// - Parameters:
  ///   - name: What the formula calls it.
  ///   - number: The first value, everywhere; 0 by default.
  ///   - isScalar: Whether it is one number, not of the shape of the parameter; false by default.
  public init(_ name: String, startingAt number: Double = 0, isScalar: Bool = false) {
    self.init(name, .number(number, isScalar: isScalar))
  }

  /// A variable of the type of the parameter that starts at 0.
  public init(stringLiteral name: String) { self.init(name) }

  /// The sum of the gradients since the last update.
  static let gradientAccumulator: OptimizerSlot = "gradientAccumulator"

  /// The moving average of the weight, which starts where the weight does.
  static let average = OptimizerSlot("average", .weight)

  /// The first value for a parameter.
  func first(for weight: Tensor) -> Tensor {
    switch start {
    case .weight: weight
    case .number(let number, let isScalar):
      Recording.suspended {
        Tensor(repeating: number, shape: isScalar ? .scalar : weight.shape, elementType: weight.elementType)
      }
    }
  }
}

/// The update of one parameter, as a formula sees it.
public struct ParameterUpdate {
  /// w: the value before the update, decayed if weights do; the formula gives it its next value.
  public var weight: Tensor
  /// g: the gradient, of the type of the weight, accumulated and clipped.
  public let gradient: Tensor
  /// α: the learning rate, a scalar of the weight's element type.
  public let learningRate: Tensor
  /// t: the number of this update, from 1, a scalar of the weight's element type.
  public let count: Tensor

  var slots: [(name: String, value: Tensor)]

  /// The value of a slot; the formula gives it its next value. A slot that ``Optimizer/slots`` does not have is a
  /// programming error.
  public subscript(slot: String) -> Tensor {
    get { slots[index(of: slot)].value }
    set { slots[index(of: slot)].value = newValue }
  }

  /// A number as a scalar of the element type of what it meets.
  public func scalar(_ value: Double) -> Tensor { Tensor(floatLiteral: value) }

  private func index(of slot: String) -> Int {
    guard let index = slots.firstIndex(where: { $0.name == slot }) else {
      preconditionFailure("a formula uses the slot '\(slot)'; its optimizer has \(slots.map { $0.name })")
    }
    return index
  }
}
