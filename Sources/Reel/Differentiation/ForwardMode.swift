/// The value of a function and its derivative along a direction, by forward mode: `y = f(x)` and `J·v`, with the Jacobian
/// `J = ∂y/∂x`.
///
/// Values and tangents are computed side by side, at two to three times the cost of the function and whatever the number
/// of its results. Nothing is kept for a way back: memory does not grow with the length of a loop. The function is
/// recorded: it is called once, with tensors that have types but no values. The derivative can be differentiated again.
///
/// - Parameters:
///   - x: Where to differentiate: tensors or structures of them, of any number.
///   - v: The direction: as `x`, tensor by tensor of the same types. Tensors that are not of floating point do not move.
///   - function: A function with a tensor or a structure of tensors as its result. It may read and assign variables.
/// - Returns: The value, and a structure of the same kind with the derivatives; zeros where the value does not depend on
///   `x`, or is not of floating point.
public func valueWithDerivative<each Input: TensorStructure, Output: TensorStructure>(
  at x: repeat each Input, along v: repeat each Input, of function: (repeat each Input) -> Output
) -> (value: Output, derivative: Output) {
  let (point, direction) = (flattened(repeat each x), flattened(repeat each v))
  var output: Output?
  let recorded = RecordedFunction(point.map(\.type), takesAssignments: true) { tensors in
    let parts = StructureParts(zip(tensors, point).map { $0.withMask($1.mask) })
    output = function(repeat parts.next(like: each x))
    return flattened(output!)
  }
  let (y, dy) = recorded.callWithTangents(point, tangents(direction, at: point))
  return (output!.replacingTensors(y), output!.replacingTensors(dy))
}

/// The derivative of a function along a direction, by forward mode: the product `J·v` of the Jacobian with a vector; see
/// ``valueWithDerivative(at:along:of:)``. Its transpose `Jᵀ·c` is what ``valueWithPullback(at:of:)`` gives.
public func jvp<each Input: TensorStructure, Output: TensorStructure>(
  at x: repeat each Input, along v: repeat each Input, of function: (repeat each Input) -> Output
) -> Output {
  valueWithDerivative(at: repeat each x, along: repeat each v, of: function).derivative
}

/// The value of a computation and its derivative along a direction in the space of the variables it reads.
///
/// - Parameters:
///   - tangent: The tangent of a variable; nil if it does not move.
///   - computation: The computation. It is called once.
package func valueWithVariableDerivative<Output: TensorStructure>(
  along tangent: (Variable) -> Tensor?, _ computation: () -> Output
) -> (value: Output, derivative: Output) {
  var output: Output?
  let recorded = RecordedFunction([], takesAssignments: true) { _ in
    output = computation()
    return flattened(output!)
  }
  let (y, dy) = recorded.callWithTangents([], []) { variable in
    tangent(variable).flatMap { tangents([$0], at: [variable.value])[0] }
  }
  return (output!.replacingTensors(y), output!.replacingTensors(dy))
}

/// The tangents of a direction, nil for tensors that are not of floating point; reports a direction that does not fit.
func tangents(_ direction: [Tensor], at point: [Tensor]) -> [Tensor?] {
  guard direction.map(\.type) == point.map(\.type) else {
    TensorError(
      operation: "derivative", operands: point.map(\.type),
      problem: "a direction of \(direction.map(\.type.description).joined(separator: ", "))",
      expected: "one tensor for each tensor of the point, of its type"
    ).report()
    return point.map { $0.elementType.isFloatingPoint ? .zeros(like: $0) : nil }
  }
  return direction.map { $0.elementType.isFloatingPoint ? $0 : nil }
}
