/// The value of a function and its gradients.
///
/// - Parameters:
///   - x: Where to differentiate: tensors or structures of them, of any number.
///   - function: A function with a floating-point scalar as its result. It is called once.
/// - Returns: The value, and for each argument a structure of the same kind with the derivatives by its tensors; zeros
///   where the value does not depend on one.
public func valueWithGradient<each Input: TensorStructure>(
  at x: repeat each Input, of function: (repeat each Input) -> Tensor
) -> (value: Tensor, gradient: (repeat each Input)) {
  withDifferentiation { differentiation in
    let leaves = (repeat differentiation.leaves(of: each x))
    let y = function(repeat each leaves)
    let cotangents = StructureParts(differentiation.gradients(of: y, by: flattened(repeat each leaves)))
    return (differentiation.result(y), (repeat cotangents.next(like: each x)))
  }
}

/// The gradients of a function; see ``valueWithGradient(at:of:)``.
public func gradient<each Input: TensorStructure>(
  at x: repeat each Input, of function: (repeat each Input) -> Tensor
) -> (repeat each Input) {
  valueWithGradient(at: repeat each x, of: function).gradient
}

/// The value of a function, and a function from a cotangent of the value to the cotangents of the arguments.
///
/// - Parameters:
///   - x: Where to differentiate.
///   - function: A function of tensors, with a tensor or a structure of tensors as its result. It is called once.
/// - Returns: The value, and the pullback, which can be called any number of times: at any time if no tape was open around
///   this call, else while that tape is open.
public func valueWithPullback<each Input: TensorStructure, Output: TensorStructure>(
  at x: repeat each Input, of function: (repeat each Input) -> Output
) -> (value: Output, pullback: (Output) -> (repeat each Input)) {
  let differentiation = Differentiation()
  let leaves = (repeat differentiation.leaves(of: each x))
  let y = differentiation.run { function(repeat each leaves) }
  let value = y.mapTensors(differentiation.result)
  let inputs = (repeat each x)
  let flatLeaves = flattened(repeat each leaves)
  return (
    value,
    { cotangent in
      let found = differentiation.cotangents(of: flatLeaves, from: Array(zip(y.tensors, cotangent.tensors)))
      let cotangents = StructureParts(found)
      return (repeat cotangents.next(like: each inputs))
    }
  )
}

/// The value of a computation and its gradients by the variables it reads.
///
/// - Parameter computation: A computation with a floating-point scalar as its result. It is called once.
/// - Returns: The value, and the gradient by every floating-point variable that was read.
package func valueWithVariableGradients(
  _ computation: () -> Tensor
) -> (value: Tensor, gradients: [ObjectIdentifier: Tensor]) {
  withDifferentiation { differentiation in
    let y = computation()
    let leaves = differentiation.variableLeaves
    let gradients = differentiation.gradients(of: y, by: leaves.map(\.leaf))
    return (
      differentiation.result(y),
      Dictionary(zip(leaves.map(\.variable), gradients)) { first, _ in first }
    )
  }
}

/// One opened gradient: on the tape that is open, or on one of its own.
final class Differentiation {
  let tape: Tape
  /// Whether the tape was made for this gradient, so that nobody can differentiate its result again.
  let ownsTape: Bool

  /// - Parameter keepsAllValues: Whether a tape of its own keeps also the values that no pullback reads.
  init(keepsAllValues: Bool = false) {
    let open = Recording.tape
    tape = open ?? Tape(.eager, keepsAllValues: keepsAllValues)
    ownsTape = open == nil
  }

  /// Runs code for which variables are leaves.
  func run<Result>(_ body: () throws -> Result) rethrows -> Result {
    tape.state.withLock { $0.scopes.append(VariableScope()) }
    defer { tape.state.withLock { _ = $0.scopes.popLast() } }
    return try Recording.$tape.withValue(tape, operation: body)
  }

  /// Lets go of a tape of its own.
  func finish() {
    if ownsTape { tape.close() }
  }

  /// The structure with its floating-point tensors as leaves.
  func leaves<Structure: TensorStructure>(of structure: Structure) -> Structure {
    structure.mapTensors {
      $0.elementType.isFloatingPoint ? tape.leaf($0.adopting($0.elementType)).withMask($0.mask) : $0
    }
  }

  /// The variables that were read, in the order of their leaves on the tape.
  var variableLeaves: [(variable: ObjectIdentifier, leaf: Tensor)] {
    let seen = tape.state.withLock { $0.scopes.last!.seen }
    return seen.compactMap { key, seen in seen.leaf.map { (key, $0) } }.sorted {
      tape.value(of: $0.1).node < tape.value(of: $1.1).node
    }
  }

  /// The gradients of a scalar, zeros where it does not depend on a leaf.
  func gradients(of y: Tensor, by leaves: [Tensor]) -> [Tensor] {
    guard y.shape == .scalar, y.elementType.isFloatingPoint else {
      TensorError(
        operation: "gradient", operands: [y.type], problem: "the function gives a tensor of type \(y.type)",
        expected: "a floating-point scalar; reduce it first, for example with .sum()"
      ).report()
      return leaves.map(Tensor.zeros(like:))
    }
    return cotangents(of: leaves, from: [(y, .ones(like: y))])
  }

  func cotangents(of leaves: [Tensor], from seeds: [(Tensor, Tensor)]) -> [Tensor] {
    let differentiable = leaves.map { $0.tape === tape }
    var found = tape.cotangents(
      of: zip(leaves, differentiable).filter(\.1).map(\.0), from: seeds, isDetached: ownsTape)[...]
    return zip(leaves, differentiable).map { leaf, isDifferentiable in
      (isDifferentiable ? found.removeFirst() : nil) ?? .zeros(like: leaf)
    }
  }

  /// A result as the caller sees it: detached from a tape that nobody else knows.
  func result(_ y: Tensor) -> Tensor { ownsTape ? y.detached : y }
}

func withDifferentiation<Result>(_ body: (Differentiation) -> Result) -> Result {
  let differentiation = Differentiation()
  defer { differentiation.finish() }
  return differentiation.run { body(differentiation) }
}
