import Reel
import Testing

/// One row of the operation table: an operation through the public API, where to try it, and plain code for its value.
public struct OperationRow: Sendable, CustomTestStringConvertible {
  /// One operand: its shape, where its elements come from, and whether the result has a derivative by it.
  public struct Operand: Sendable {
    enum Domain: Sendable {
      case interval(ClosedRange<Double>)
      case choice([Double])
    }

    let shape: Shape
    let domain: Domain
    /// Nil for the floating-point type that the row is tried in.
    package let elementType: ElementType?
    let isDifferentiable: Bool

    /// Floating-point numbers of an interval.
    public static func real(
      _ shape: Shape, _ interval: ClosedRange<Double> = -2...2, isDifferentiable: Bool = true
    ) -> Operand {
      Operand(shape: shape, domain: .interval(interval), elementType: nil, isDifferentiable: isDifferentiable)
    }

    /// Floating-point numbers of a list.
    public static func real(_ shape: Shape, of choice: [Double], isDifferentiable: Bool = true) -> Operand {
      Operand(shape: shape, domain: .choice(choice), elementType: nil, isDifferentiable: isDifferentiable)
    }

    /// Integers of a list.
    public static func int(_ shape: Shape, of choice: [Double] = [-7, -3, -2, -1, 0, 1, 2, 5, 8]) -> Operand {
      Operand(shape: shape, domain: .choice(choice), elementType: .int32, isDifferentiable: false)
    }

    /// Truth values.
    public static func bool(_ shape: Shape) -> Operand {
      Operand(shape: shape, domain: .choice([0, 1]), elementType: .bool, isDifferentiable: false)
    }

    /// Numbers that `float32` represents too, so that every element type sees the same ones.
    func sample(_ floating: ElementType, _ generator: inout SplitMix) -> Tensor {
      let numbers: [Double]
      switch domain {
      case .interval(let interval):
        numbers = (0..<shape.count).map { _ in Double(Float(Double.random(in: interval, using: &generator))) }
      case .choice(let list):
        // As far as there is room, every number of the list occurs.
        let rest = (list.count..<max(shape.count, list.count)).map { _ in list.randomElement(using: &generator)! }
        numbers = Array((list + rest).prefix(shape.count)).shuffled(using: &generator)
      }
      return Tensor(numbers, shape: shape).converted(to: elementType ?? floating)
    }
  }

  /// What `Operation.name` is.
  public let name: String
  /// Which of the rows of the operation this is.
  public let variant: String
  public let operands: [Operand]
  /// The element type of the result; nil for the floating-point type that the row is tried in.
  public let resultType: ElementType?
  /// Whether the operation has no operands, so that it runs at once even where a graph is being traced.
  public let isSource: Bool
  /// The step of the numeric derivatives.
  public let step: Double
  public let apply: @Sendable ([Tensor]) -> Tensor
  public let reference: @Sendable ([Numbers]) -> Numbers

  public init(
    _ name: String, _ operands: [Operand], variant: String = "", gives resultType: ElementType? = nil,
    isSource: Bool = false, step: Double = 1e-5, _ apply: @escaping @Sendable ([Tensor]) -> Tensor,
    reference: @escaping @Sendable ([Numbers]) -> Numbers
  ) {
    self.name = name
    self.variant = variant
    self.operands = operands
    self.resultType = resultType
    self.isSource = isSource
    self.step = step
    self.apply = apply
    self.reference = reference
  }

  public var testDescription: String {
    let types = operands.map { "\($0.elementType.map(\.description) ?? "")\($0.shape)" }.joined(separator: " ")
    return [name, variant, types].filter { !$0.isEmpty }.joined(separator: " ")
  }

  /// Operands, the same in every run.
  func samples(_ floating: ElementType) -> [Tensor] {
    var generator = SplitMix(seed: UInt64(operands.reduce(7) { $0 * 31 + $1.shape.count }))
    return operands.map { $0.sample(floating, &generator) }
  }

  func types(_ floating: ElementType) -> [TensorType] {
    operands.map { TensorType($0.shape, $0.elementType ?? floating) }
  }

  func graph(_ floating: ElementType) throws -> Graph {
    try Graph(tracing: types(floating)) { [apply($0)] }
  }

  /// The types of the operations that the row records, or runs.
  public func operationTypes() throws -> Set<String> {
    let recorded = try graph(.float64).nodes.map { String(describing: type(of: $0.operation)) }
    return Set(recorded).union(isSource ? [name.prefix(1).uppercased() + name.dropFirst()] : [])
  }

  /// The operands that the result can be differentiated by.
  var active: [Int] { operands.indices.filter { operands[$0].isDifferentiable } }
}

/// Operands that break an operation's type rule, and the message that says so.
public struct BadOperands: Sendable, CustomTestStringConvertible {
  public let operation: String
  let types: [TensorType]
  let call: @Sendable ([Tensor]) -> Void
  let message: String

  public init(
    _ operation: String, _ types: [TensorType], _ message: String, _ call: @escaping @Sendable ([Tensor]) -> Void
  ) {
    self.operation = operation
    self.types = types
    self.message = message
    self.call = call
  }

  public var testDescription: String { "\(operation) \(types)" }

  /// What is wrong with the error that comes, or with none coming.
  public func failure() -> String? {
    do {
      _ = try Graph(tracing: types) { operands in
        call(operands)
        return operands
      }
      return "no error"
    } catch {
      guard let error = error as? TensorError else { return "the error is \(error)" }
      return error.description == message ? nil : "the message is\n  \(error.description)\nnot\n  \(message)"
    }
  }
}
