import Reel
import ReelTestSupport
import Testing

/// Products with their sums, inlined functions and fused operations on small graphs.
@Suite struct ProductSumTests {
  static let types = [TensorType([2, 3], .float32), TensorType([3, 4], .float32), TensorType([4], .float32)]

  static func names(_ graph: Graph) -> [String] {
    graph.nodes.map(\.operation.name).filter { $0 != "input" && $0 != "constant" }
  }

  @Test func aSumTakesInItsProduct() throws {
    let graph = try Graph(tracing: Self.types) { [$0[2] + $0[0].matmul($0[1])] }
    #expect(Self.names(graph.applying([.productSums])) == ["matmulAdd"])
  }

  @Test func aProductOfAllStepsTakesInItsBias() throws {
    let graph = try Graph(tracing: [TensorType([6, 3]), TensorType([3, 4]), TensorType([4])]) { x in
      [x[0].matmul(x[1]).reshaped(to: [2, 3, 4]) + x[2]]
    }
    let passed = graph.applying([.productSums])
    #expect(Self.names(passed) == ["matmulAdd", "reshape"])
    let operands = [[6, 3], [3, 4], [4]].enumerated().map { sample(Shape($1), seed: UInt64($0), elementType: .float32) }
    expectSameBits(passed(operands)[0], graph(operands)[0])
  }

  @Test func aProductThatIsUsedElsewhereStays() throws {
    let graph = try Graph(tracing: Self.types) { x in
      let product = x[0].matmul(x[1])
      return [product + x[2], tanh(product)]
    }
    #expect(Self.names(graph.applying([.productSums])) == ["matmul", "add", "tanh"])
  }

  @Test func aSumThatRepeatsTheProductStays() throws {
    let graph = try Graph(tracing: [TensorType([1, 3]), TensorType([3, 4]), TensorType([5, 4])]) { x in
      [x[0].matmul(x[1]) + x[2]]
    }
    #expect(Self.names(graph.applying([.productSums])) == ["matmul", "add"])
  }

  @Test func ofTwoProductsOneTakesInTheOther() throws {
    let graph = try Graph(tracing: Self.types) { x in [x[0].matmul(x[1]) + (x[0] * 2).matmul(x[1])] }
    #expect(Self.names(graph.applying([.productSums])).sorted() == ["matmul", "matmulAdd", "multiply"])
  }

  @Test func functionsWithTheirOwnPullbacksAreInlined() throws {
    let graph = try Graph(tracing: [TensorType([3])]) { x in
      let y = withCustomPullback(at: x[0], of: { sin($0) * 2 }, pullback: { _, _, cotangent in cotangent })
      return [
        gradient(at: x[0]) { x in (withCustomPullback(at: x, of: { exp($0) }, pullback: { $2 * $1 }) * y).sum() }, y,
      ]
    }
    let inlined = graph.applying([.simplify])
    #expect(!inlined.nodes.contains { $0.operation is any OperationWithBodies })
    let x = sample([3], seed: 1, elementType: .float32)
    for (found, expected) in zip(inlined([x]), graph([x])) { expectSameBits(found, expected) }
  }

  @Test func elementwiseOperationsOfOneShapeBecomeOne() throws {
    let graph = try Graph(tracing: Self.types) { x in
      let y = tanh(x[0] * 2 + 1)
      let z = y.matmul(x[1]) * x[2]
      return [sigmoid(z) - z, y]
    }
    #expect(Self.names(graph.applying([.fusion])) == ["fused", "matmul", "fused"])
  }

  /// Two operations of arithmetic are one instruction where nobody else needs what lies between, and the bits stay.
  @Test func operationsOfArithmeticGoInPairs() throws {
    let graph = try Graph(tracing: [TensorType([3, 4]), TensorType([4]), TensorType(.scalar)]) { x in
      let (a, b, c) = (x[0], x[1], x[2])
      let slope = a * (c - a * a)
      return [slope + (b - a) * c, (a - b) - slope, c - (a + b)]
    }
    let fused = graph.applying([.fusion])
    let steps = "\(fused)".components(separatedBy: "steps=[").last!.components(separatedBy: "]").first!
    #expect(
      steps.components(separatedBy: ", ").map { $0.split(separator: " ")[2] } == [
        "multiplySubtractFrom", "multiply", "subtractMultiply", "add", "subtractSubtract", "addSubtractFrom",
      ], "\(fused)")
    let operands = [sample([3, 4], seed: 1), sample([4], seed: 2), sample([], seed: 3)].map {
      $0.converted(to: .float32)
    }
    for (found, expected) in zip(fused(operands), graph(operands)) { expectSameBits(found, expected) }
  }

  @Test func operationsThatWaitForEachOtherThroughAProductStayApart() throws {
    let graph = try Graph(tracing: [TensorType([3, 3])]) { x in
      let y = tanh(x[0])
      return [sigmoid(y.matmul(x[0])) + y * 2]
    }
    let fused = graph.applying([.fusion])
    // What waits is done as late as it can be.
    #expect(Self.names(fused) == ["tanh", "matmul", "fused"])
  }
}
