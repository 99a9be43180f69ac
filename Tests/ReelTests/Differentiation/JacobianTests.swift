import Reel
import ReelTestSupport
import Testing

@Suite struct JacobianTests {
  static let modes: [JacobianMode] = [.automatic, .forward, .reverse]

  /// Wide and tall linear functions, whose Jacobian is their matrix.
  @Test(arguments: modes, [[2, 5], [5, 2], [3, 3]])
  func theJacobianOfALinearFunctionIsItsMatrix(mode: JacobianMode, extents: [Int]) throws {
    let matrix = sample(Shape(extents), seed: 1)
    let x = sample([extents[1]], seed: 2)
    let function = { (x: Tensor) in matrix.matmul(x.expanded(at: 1)).squeezed(at: 1) }
    let (value, found) = valueWithJacobian(at: x, mode: mode, of: function)
    expectSameBits(value, function(x))
    expectClose(found, matrix, relative: 1e-14)
    expectClose(try compiled { jacobian(at: $0, mode: mode, of: function) }(x), matrix, relative: 1e-14)
  }

  @Test(arguments: modes)
  func severalArgumentsHaveOnePartEach(mode: JacobianMode) {
    let (x, y) = (sample([2, 3], seed: 1), ["a": sample([], seed: 2), "b": sample([3], seed: 3)])
    let (byX, byY) = jacobian(at: x, y, mode: mode) { x, y in (x * y["b"]!).sum(along: [1]) * y["a"]! }
    #expect(byX.shape == [2, 2, 3] && byY["a"]!.shape == [2] && byY["b"]!.shape == [2, 3])
    for row in 0..<2 {
      let (rowX, rowY) = gradient(at: x, y) { x, y in ((x * y["b"]!).sum(along: [1]) * y["a"]!)[row] }
      expectClose(byX[row], rowX, relative: 1e-14)
      expectClose(byY["a"]![row], rowY["a"]!, relative: 1e-14)
      expectClose(byY["b"]![row], rowY["b"]!, relative: 1e-14)
    }
  }

  @Test(arguments: modes)
  func blocksHaveTheNamesOfTheirTensors(mode: JacobianMode) {
    let x = Pair(sample([2], seed: 1), sample([3], seed: 2))
    let blocks = jacobianBlocks(at: x, mode: mode) { x in
      ["outer": x.first.expanded(at: 1) * x.second, "sum": x.first.sum() + x.second.sum()]
    }
    #expect(blocks.rows == ["outer", "sum"] && blocks.columns == ["first", "second"])
    #expect(blocks["outer", "second"]!.shape == [2, 3, 3] && blocks["sum", "first"]!.shape == [2])
    expectClose(blocks["outer", "first"]![0][1], Tensor([x.second.numbers[1], 0]))
    #expect(blocks["nothing", "first"] == nil && blocks["sum", "nothing"] == nil)
    #expect(blocks.matrix.shape == [7, 5])
    expectClose(blocks.matrix[6], Tensor.ones([5], elementType: .float64))
    expectClose(blocks.matrix[1], Tensor([x.second.numbers[1], 0, 0, x.first.numbers[0], 0]))
  }

  @Test(arguments: modes)
  func aRecurrenceHasTheRowsOfItsGradients(mode: JacobianMode) throws {
    let (x, w, h) = (sample([3, 2, 2], seed: 1), sample([2, 2], seed: 2), sample([2, 2], seed: 3))
    let function = { (w: Tensor) in
      scan(over: x, from: h) { state, x in
        let next = tanh(x + state.matmul(w))
        return (next, next)
      }.outputs
    }
    let found = jacobian(at: w, mode: mode, of: function)
    #expect(found.shape == [3, 2, 2, 2, 2])
    let rows = (0..<12).map { row in gradient(at: w) { function($0).flattened()[row] } }
    expectClose(found.reshaped(to: [12, 2, 2]), stacked(rows), relative: 1e-12)
    expectClose(try compiled { jacobian(at: $0, mode: mode, of: function) }(w), found, relative: 1e-12)
  }

  @Test(arguments: modes)
  func whatDoesNotDependOrHasNoElementsIsZero(mode: JacobianMode) {
    let constant = jacobian(at: sample([2], seed: 1), mode: mode) { _ in sample([3], seed: 2) }
    expectSameBits(constant, Tensor.zeros([3, 2], elementType: .float64))
    let byNothing = jacobian(at: sample([0], seed: 1), mode: mode) { $0.sum().expanded(at: 0) }
    #expect(byNothing.shape == [1, 0])
    let ofNothing = jacobian(at: sample([2], seed: 1), mode: mode) { $0[0..<0] }
    #expect(ofNothing.shape == [0, 2])
    let (byIndex, byX) = jacobian(at: Tensor([1, 0] as [Int32]), sample([2], seed: 1), mode: mode) {
      $1.gathered(at: $0)
    }
    expectSameBits(byIndex, Tensor.zeros([2, 2], elementType: .int32))
    expectSameBits(byX, Tensor([0.0, 1, 1, 0], shape: [2, 2]))
  }

  @Test(arguments: modes)
  func aRandomFunctionDrawsOnce(mode: JacobianMode) {
    let x = sample([3], seed: 1)
    let (found, after) = withRandomSeed(3) {
      (
        valueWithJacobian(at: x, mode: mode) { $0 * Tensor.randomUniform([3], elementType: .float64) },
        Tensor.randomUniform([3], elementType: .float64)
      )
    }
    let drawn = withRandomSeed(3) { (0..<2).map { _ in Tensor.randomUniform([3], elementType: .float64) } }
    expectSameBits(found.value, x * drawn[0])
    expectSameBits(found.jacobian.sum(along: [0]), drawn[0])
    expectSameBits(after, drawn[1])
  }
}

@Suite struct SecondOrderTests {
  /// Rosenbrock's function, whose Hessian is known.
  static func rosenbrock(_ x: Tensor) -> Tensor {
    let (a, b) = (x[0..<x.count - 1], x[1..<x.count])
    return (100 * power(b - a * a, 2) + power(1 - a, 2)).sum()
  }

  @Test func theHessianIsTheOneKnown() throws {
    let x = Tensor([0.5, -1.5, 2])
    // 1200 a² - 400 b + 2 for every a, 200 for every b, and -400 a for neighbours.
    let numbers: [Double] = [902, -200, 0, -200, 2102, 600, 0, 600, 200]
    let expected = Tensor(numbers, shape: [3, 3])
    expectClose(hessian(at: x, of: Self.rosenbrock), expected, relative: 1e-13)
    expectClose(try compiled { hessian(at: $0, of: Self.rosenbrock) }(x), expected, relative: 1e-13)
    let v = Tensor([1.0, -2, 3])
    let product = expected.matmul(v.expanded(at: 1)).squeezed(at: 1)
    expectClose(hessianVectorProduct(at: x, along: v, of: Self.rosenbrock), product, relative: 1e-13)
  }

  @Test func aRecurrenceHasASymmetricHessianThatIsTheOneOfDifferences() {
    let blocks = hessianBlocks(at: ForwardModeTests.point, of: ForwardModeTests.function)
    let matrix = blocks.matrix
    #expect(matrix.shape == [39, 39] && blocks["1", "2"]!.shape == [3, 3, 2, 3])
    expectClose(matrix, matrix.transposed(), relative: 1e-11, absolute: 1e-12)
    let v = ForwardModeTests.direction
    let numeric = NumericDerivative(step: 1e-5) { x in
      ForwardModeTests.product(gradient(at: x, of: ForwardModeTests.function), v)
    }
    let flat = concatenated(v.map { $0.flattened() })
    let product = matrix.matmul(flat.expanded(at: 1)).squeezed(at: 1)
    let expected = concatenated(numeric.gradient(at: ForwardModeTests.point).map { $0.flattened() })
    expectClose(product, expected, relative: 1e-7, absolute: 1e-8)
  }

  /// J as a matrix, and the Hessian of the loss between.
  @Test func theGaussNewtonProductIsThatOfItsFactors() throws {
    let (x, w) = (sample([4, 3], seed: 1), sample([3, 2], seed: 2))
    let v = sample([3, 2], seed: 3)
    let function = { (w: Tensor) in tanh(x.matmul(w)) }
    let loss = { (y: Tensor) in y.logSumExp(along: [-1]).sum() - y[0].sum() }
    let found = gaussNewtonVectorProduct(at: w, along: v, of: function, loss: loss)
    let j = jacobian(at: w, of: function).reshaped(to: [8, 6])
    let h = hessian(at: function(w), of: loss).reshaped(to: [8, 8])
    let expected = j.matmul(h.matmul(j.matmul(v.reshaped(to: [6, 1]))), transposingSelf: true)
    expectClose(found, expected.reshaped(to: [3, 2]), relative: 1e-12)
    let staged = try compiled { gaussNewtonVectorProduct(at: $0, along: v, of: function, loss: loss) }(w)
    expectClose(staged, found, relative: 1e-12)
    // Where the function is linear it is the Hessian.
    let linear = { (w: Tensor) in x.matmul(w) }
    expectClose(
      gaussNewtonVectorProduct(at: w, along: v, of: linear, loss: loss),
      hessianVectorProduct(at: w, along: v) { loss(linear($0)) }, relative: 1e-12)
  }
}
