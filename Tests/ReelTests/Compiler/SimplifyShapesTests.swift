import Reel
import Testing

@Suite struct SimplifyShapesTests {
  let x = TensorType([2, 3, 4])
  let m = TensorType([3, 4])

  private func expect(
    _ type: TensorType, _ lines: [String], sourceLocation: SourceLocation = #_sourceLocation,
    _ function: (Tensor) -> Tensor
  ) throws {
    try expectSimplified([type], to: lines, sourceLocation: sourceLocation) { [function($0[0])] }
  }

  @Test func reshapes() throws {
    try expect(x, ["%1: f32[24] = reshape %0", "return %1"]) { $0.reshaped(to: [6, 4]).reshaped(to: [24]) }
    try expect(x, ["return %0"]) { $0.reshaped(to: [6, 4]).reshaped(to: [2, 3, 4]) }
    try expect(x, ["return %0"]) { $0.expanded(at: 1).squeezed(at: 1) }
    // Leading axes of extent 1 do not matter to an elementwise operation.
    try expectSimplified([x, m], to: ["%2: f32[2,3,4] = add %0 %1", "return %2"]) { [$0[0] + $0[1].expanded(at: 0)] }
  }

  @Test func transposes() throws {
    try expect(x, ["return %0"]) { $0.transposed([1, 2, 0]).transposed([2, 0, 1]) }
    try expect(x, ["%1: f32[4,2,3] = transpose %0 {order=[2, 0, 1]}", "return %1"]) {
      $0.transposed([1, 0, 2]).transposed([2, 1, 0])
    }
    try expect(TensorType([3, 1, 4]), ["%1: f32[1,3,4] = reshape %0", "return %1"]) { $0.transposed([1, 0, 2]) }
  }

  @Test func transposesGoIntoProducts() throws {
    let n = TensorType([3, 5])
    try expectSimplified([m, n], to: ["%2: f32[4,5] = matmul %0 %1 {transposing left}", "return %2"]) {
      [$0[0].transposed().matmul($0[1])]
    }
    try expectSimplified([m, n], to: ["%2: f32[4,5] = matmul %0 %1 {transposing left}", "return %2"]) {
      [$0[0].transposed().matmul($0[1].transposed(), transposingOther: true)]
    }
    try expectSimplified([m, n], to: ["%2: f32[5,4] = matmul %1 %0 {transposing left}", "return %2"]) {
      [$0[0].matmul($0[1], transposingSelf: true).transposed()]
    }
    // The product is needed as it is, too.
    try expectSimplified(
      [m, n],
      to: [
        "%2: f32[4,5] = matmul %0 %1 {transposing left}", "%3: f32[5,4] = transpose %2 {order=[1, 0]}", "return %2, %3",
      ]
    ) {
      let product = $0[0].matmul($0[1], transposingSelf: true)
      return [product, product.transposed()]
    }
    let stack = TensorType([2, 4, 3])
    try expectSimplified([stack, n], to: ["%2: f32[2,4,5] = matmul %0 %1", "return %2"]) {
      [$0[0].transposed([0, 2, 1]).matmul($0[1], transposingSelf: true)]
    }
  }

  @Test func broadcasts() throws {
    try expect(m, ["%1: f32[5,2,3,4] = broadcast %0", "return %1"]) {
      $0.broadcasted(to: [2, 3, 4]).broadcasted(to: [5, 2, 3, 4])
    }
    try expect(m, ["%1: f32[1,3,4] = reshape %0", "return %1"]) { $0.broadcasted(to: [1, 3, 4]) }
    try expectSimplified([x, m], to: ["%2: f32[2,3,4] = multiply %0 %1", "return %2"]) {
      [$0[0] * $0[1].broadcasted(to: [2, 3, 4])]
    }
    try expect(m, ["%1: f32[3,4] = tanh %0", "%2: f32[2,3,4] = broadcast %1", "return %2"]) {
      tanh($0.broadcasted(to: [2, 3, 4]))
    }
    // One of the two gives the result its shape.
    let (row, column) = (TensorType([1, 3]), TensorType([2, 1]))
    try expectSimplified([row, column], to: ["%2: f32[2,3] = add %0 %1", "return %2"]) {
      [$0[0].broadcasted(to: [2, 3]) + $0[1].broadcasted(to: [2, 3])]
    }
    try expectSimplified([x, TensorType([4, 5])], to: ["%2: f32[2,3,5] = matmul %0 %1", "return %2"]) {
      [$0[0].matmul($0[1].broadcasted(to: [2, 4, 5]))]
    }
  }

  @Test func folds() throws {
    try expect(TensorType([3, 1, 4]), ["%1: f32[3,4] = reshape %0", "return %1"]) { $0.max(along: [1]) }
    try expect(TensorType([3, 1], .int32), ["%1: i32[3] = reshape %0", "return %1"]) { $0.sum(along: [1]) }
    // A sum starts at 0, which makes 0 of -0.
    try expect(
      TensorType([3, 1]),
      ["%1: f32[] = constant {value=0.0}", "%2: f32[3,1] = add %0 %1", "%3: f32[3] = reshape %2", "return %3"]
    ) { $0.sum(along: [1]) }
    try expect(x, ["%1: f32[2,4] = sum %0 {axes=[-2]}", "return %1"]) {
      $0.sum(along: [1], keepDims: true).reshaped(to: [2, 4])
    }
    try expect(x, ["%1: f32[2,1,4] = sum %0 {axes=[-2], keepDims}", "return %1"]) {
      $0.sum(along: [1]).reshaped(to: [2, 1, 4])
    }
    try expect(x, ["%1: f32[4] = sum %0 {axes=[-3, -2]}", "return %1"]) { $0.reshaped(to: [6, 4]).sum(along: [0]) }
    try expect(x, ["%1: f32[] = sum %0 {axes=[-3, -2, -1]}", "return %1"]) { $0.reshaped(to: [24]).sum() }
    // Only a part of an axis of x is folded.
    try expect(x, ["%1: f32[6,2,2] = reshape %0", "%2: f32[6,2] = sum %1 {axes=[-1]}", "return %2"]) {
      $0.reshaped(to: [6, 2, 2]).sum(along: [2])
    }
  }

  @Test func customPullbacksAreInlined() throws {
    try expect(m, ["%1: f32[3,4] = tanh %0", "return %1"]) { x in
      withCustomPullback(at: x, of: { -(-tanh($0)) }, pullback: { $2 * $0 })
    }
  }
}
