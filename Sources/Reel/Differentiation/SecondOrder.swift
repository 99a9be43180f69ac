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
///   - function: The outputs, a tensor or a structure of tensors of floating point. It is called twice.
///   - loss: From the outputs to a floating-point scalar.
/// - Returns: For each argument a structure of the same kind.
public func gaussNewtonVectorProduct<each Input: TensorStructure, Output: TensorStructure>(
  at x: repeat each Input, along v: repeat each Input, of function: (repeat each Input) -> Output,
  loss: (Output) -> Tensor
) -> (repeat each Input) {
  let (outputs, moves) = valueWithDerivative(at: repeat each x, along: repeat each v, of: function)
  let curved = hessianVectorProduct(at: outputs, along: moves, of: loss)
  return valueWithPullback(at: repeat each x, of: function).pullback(curved)
}
