import Reel
import Testing

/// One row of the operation table: an operation through the package API, where to try it, and plain code for its value.
package struct OperationRow: Sendable, CustomTestStringConvertible {
  /// One operand: its shape, where its elements come from, and whether the result has a derivative by it.
  package struct Operand: Sendable {
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
    package static func real(
      _ shape: Shape, _ interval: ClosedRange<Double> = -2...2, isDifferentiable: Bool = true
    ) -> Operand {
      Operand(shape: shape, domain: .interval(interval), elementType: nil, isDifferentiable: isDifferentiable)
    }

    /// Floating-point numbers of a list.
    package static func real(_ shape: Shape, of choice: [Double], isDifferentiable: Bool = true) -> Operand {
      Operand(shape: shape, domain: .choice(choice), elementType: nil, isDifferentiable: isDifferentiable)
    }

    /// Integers of a list.
    package static func int(_ shape: Shape, of choice: [Double] = [-7, -3, -2, -1, 0, 1, 2, 5, 8]) -> Operand {
      Operand(shape: shape, domain: .choice(choice), elementType: .int32, isDifferentiable: false)
    }

    /// Truth values.
    package static func bool(_ shape: Shape) -> Operand {
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

  /// Where a program with an operation comes from.
  package enum Program: Sendable {
    /// It is recorded.
    case traced
    /// The compiler makes it.
    case compiled
    /// There is none: without operands, the operation runs at once even where a graph is being traced.
    case none
  }

  /// What `Operation.name` is.
  package let name: String
  /// Which of the rows of the operation this is.
  package let variant: String
  package let operands: [Operand]
  /// The element type of the result; nil for the floating-point type that the row is tried in.
  package let resultType: ElementType?
  /// Where a program with the operation comes from.
  package let program: Program
  /// The step of the numeric derivatives.
  package let step: Double
  package let apply: @Sendable ([Tensor]) -> Tensor
  package let reference: @Sendable ([Numbers]) -> Numbers

  package init(
    _ name: String, _ operands: [Operand], variant: String = "", gives resultType: ElementType? = nil,
    in program: Program = .traced, step: Double = 1e-5, _ apply: @escaping @Sendable ([Tensor]) -> Tensor,
    reference: @escaping @Sendable ([Numbers]) -> Numbers
  ) {
    self.name = name
    self.variant = variant
    self.operands = operands
    self.resultType = resultType
    self.program = program
    self.step = step
    self.apply = apply
    self.reference = reference
  }

  package var testDescription: String {
    let types = operands.map { "\($0.elementType.map(\.description) ?? "")\($0.shape)" }.joined(separator: " ")
    return [name, variant, types].filter { !$0.isEmpty }.joined(separator: " ")
  }

  /// Operands, the same in every run.
  package func samples(_ floating: ElementType) -> [Tensor] {
    var generator = SplitMix(seed: UInt64(operands.reduce(7) { $0 * 31 + $1.shape.count }))
    return operands.map { $0.sample(floating, &generator) }
  }

  func types(_ floating: ElementType) -> [TensorType] {
    operands.map { TensorType($0.shape, $0.elementType ?? floating) }
  }

  package func graph(_ floating: ElementType) throws -> Graph {
    try Graph(tracing: types(floating)) { [apply($0)] }
  }

  /// A program that has the operation.
  package func programWithOperation() throws -> Graph {
    program == .compiled
      ? try compiled { (x: [Tensor]) in apply(x) }.graph(for: samples(.float64)) : try graph(.float64)
  }

  /// The types of the operations that the row records, or runs.
  package func operationTypes() throws -> Set<String> {
    let recorded = try programWithOperation().nodes.map { String(describing: type(of: $0.operation)) }
    return Set(recorded).union(program == .none ? [name.prefix(1).uppercased() + name.dropFirst()] : [])
  }

  /// The operands that the result can be differentiated by.
  package var active: [Int] { operands.indices.filter { operands[$0].isDifferentiable } }
}

/// Operands that break an operation's type rule, and the message that says so.
package struct BadOperands: Sendable, CustomTestStringConvertible {
  package let operation: String
  package let types: [TensorType]
  let call: @Sendable ([Tensor]) -> Void
  package let message: String

  package init(
    _ operation: String, _ types: [TensorType], _ message: String, _ call: @escaping @Sendable ([Tensor]) -> Void
  ) {
    self.operation = operation
    self.types = types
    self.message = message
    self.call = call
  }

  package var testDescription: String { "\(operation) \(types)" }

  /// What is wrong with the error that comes, or with none coming.
  package func failure() -> String? {
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
