import Reel
import ReelTestSupport

/// The errors of derivatives, Jacobians and vectorized functions.
enum DerivativeErrors {
  typealias Bad = BadOperands

  private static let two = [TensorType([2, 3], .float32), TensorType([3], .float32)]
  private static let expectedAxes =
    "expected an axis, or nil, for each argument, at least one, of the same extent in all tensors that have it"

  static let rows: [Bad] = [
    Bad(
      "derivative", two,
      """
      derivative: a direction of f32[3] (operands: f32[2,3]); expected one tensor for each tensor of the point, of its type
      """
    ) { x in
      _ = jvp(at: x[0], along: x[1]) { $0.sum() }
    },
    Bad(
      "jacobian", two,
      "jacobian: the function gives a tensor of type i32[2] (operands: f32[2,3]); expected floating-point results"
    ) { x in
      _ = jacobian(at: x[0]) { $0.argMax() }
    },
    Bad(
      "derivative", two,
      """
      twice: a derivative along a direction through a pullback that is not linear in its cotangent (operands: f32[3]); \
      expected a linear pullback, which has a transpose
      """
    ) { x in
      _ = jvp(at: x[1], along: x[1]) {
        withCustomPullback(at: $0, name: "twice") {
          $0 * 2
        } pullback: { _, _, cotangent in
          cotangent * cotangent
        }
      }
    },
    Bad(
      "vectorize", two, "vectorize: axes 0, 0 without one extent (operands: f32[2,3], f32[3]); \(expectedAxes)"
    ) { x in
      _ = vectorize { (x: Tensor, y: Tensor) in x + y }(x[0], x[1])
    },
    Bad(
      "vectorize", two, "vectorize: axes nil, nil without one extent (operands: f32[2,3], f32[3]); \(expectedAxes)"
    ) { x in
      _ = vectorize(along: [nil, nil]) { (x: Tensor, y: Tensor) in x + y }(x[0], x[1])
    },
    Bad(
      "vectorize", two, "vectorize: axes 1, 1 without one extent (operands: f32[2,3], f32[3]); \(expectedAxes)"
    ) { x in
      _ = vectorize(along: [1, 1]) { (x: Tensor, y: Tensor) in x + y }(x[0], x[1])
    },
    Bad(
      "vectorize", two,
      "vectorize: a list of axes that is not as long as that of the arguments (operands: f32[2,3], f32[3]); \(expectedAxes)"
    ) { x in
      _ = vectorize(along: [0]) { (x: Tensor, y: Tensor) in x + y }(x[0], x[1])
    },
    Bad(
      "assign", two,
      "assign: variable 'randomKey' is assigned in the body of a loop or a vectorized function; expected the value to be carried or returned, and the assignment after it"
    ) { x in
      _ = vectorize { (x: Tensor) in x * Tensor.randomUniform([3]) }(x[0])
    },
  ]
}
