/// The product of the Hessian of a scalar function with a vector: `H·v`, with `H = ∂²f/∂x²`.
///
/// It is the derivative of the gradient along `v`, forward over reverse (Pearlmutter, "Fast exact multiplication by the
/// Hessian", 1994): about twice the cost of the gradient, whatever the number of elements of `x`.
///
/// - Parameters:
///   - x: Where to differentiate: tensors or structures of them, of any number.
///   - v: The vector: as `x`, tensor by tensor of the same types.
///   - function: A function with a floating-point scalar as its result.
/// - Returns: For each argument a structure of the same kind.
public func hessianVectorProduct<each Input: TensorStructure>(
  at x: repeat each Input, along v: repeat each Input, of function: (repeat each Input) -> Tensor
) -> (repeat each Input) {
  let product = jvp(at: flattened(repeat each x), along: flattened(repeat each v)) { tensors in
    gradient(at: tensors) { tensors in
      let parts = StructureParts(tensors)
      return function(repeat parts.next(like: each x))
    }
  }
  let parts = StructureParts(product)
  return (repeat parts.next(like: each x))
}

/// The product of the Gauss–Newton matrix of a loss with a vector: `G·v = Jᵀ·H·J·v`, with the Jacobian `J = ∂y/∂x` of the
/// outputs `y = f(x)` and the Hessian `H = ∂²l/∂y²` of the loss by these.
///
/// Where the loss is convex in the outputs, as squares and cross-entropies of logits are, `G` is positive semidefinite; it is
/// the Hessian without the curvature of `f` (Schraudolph, "Fast curvature matrix-vector products for second-order gradient
/// descent", 2002). It costs one derivative forward and one back through `f`.
///
/// - Parameters:
///   - x: Where to differentiate: tensors or structures of them, of any number.
///   - v: The vector: as `x`, tensor by tensor of the same types.
///   - function: The outputs, a tensor or a structure of tensors of floating point. It is called once.
///   - loss: From the outputs to a floating-point scalar.
/// - Returns: For each argument a structure of the same kind.
public func gaussNewtonVectorProduct<each Input: TensorStructure, Output: TensorStructure>(
  at x: repeat each Input, along v: repeat each Input, of function: (repeat each Input) -> Output,
  loss: (Output) -> Tensor
) -> (repeat each Input) {
  let (point, direction) = (flattened(repeat each x), flattened(repeat each v))
  var output: Output?
  let recorded = RecordedFunction(point.map(\.type), takesAssignments: true) { tensors in
    let parts = StructureParts(tensors)
    output = function(repeat parts.next(like: each x))
    return flattened(output!)
  }
  let (y, moves) = recorded.callWithTangents(point, tangents(direction, at: point))
  let curved = hessianVectorProduct(at: y, along: moves) { loss(output!.replacingTensors($0)) }
  let product = valueWithPullback(at: point) { recorded($0, assigns: false) }.pullback(curved)
  let parts = StructureParts(product)
  return (repeat parts.next(like: each x))
}

/// The product of the Gauss–Newton matrix of a loss by the variables that a computation reads with a vector; see
/// ``gaussNewtonVectorProduct(at:along:of:loss:)``.
///
/// - Parameters:
///   - vector: The part of the vector for a variable; nil if that is zero.
///   - outputs: The outputs. It is called once.
///   - loss: From the outputs to a floating-point scalar.
/// - Returns: The product, for every floating-point variable that was read.
package func gaussNewtonVectorProduct(
  along vector: (Variable) -> Tensor?, outputs: () -> Tensor, loss: (Tensor) -> Tensor
) -> [ObjectIdentifier: Tensor] {
  let recorded = RecordedFunction([], takesAssignments: true) { _ in flattened(outputs()) }
  let (y, moves) = recorded.callWithTangents([], [], variableTangent: vector)
  let curved = hessianVectorProduct(at: y[0], along: moves[0], of: loss)
  return withDifferentiation { differentiation in
    let y = recorded([], assigns: false)
    let leaves = differentiation.variableLeaves
    let product = differentiation.cotangents(of: leaves.map(\.leaf), from: [(y[0], curved)])
    return Dictionary(zip(leaves.map(\.variable), product)) { first, _ in first }
  }
}
