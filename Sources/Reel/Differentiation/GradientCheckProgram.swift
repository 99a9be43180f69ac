/// A function of `float64` tensors with names, at a point, and its projection to one number.
struct CheckedProgram {
  /// What the tensors are called.
  let names: [String]
  /// Where the function is checked.
  let point: [Tensor]
  /// 1 for the function itself, 2 for its gradient, and so on.
  let order: Int
  /// The floating-point results.
  let function: ([Tensor]) -> [NamedTensor]
  /// The results at the point, and the weights that make one number of them.
  let results: [NamedTensor]
  private let weights: [Tensor]

  /// A program; its results at the point are computed.
  ///
  /// - Throws: ``TensorError`` if operands in it do not fit.
  init(names: [String], point: [Tensor], order: Int = 1, _ function: @escaping ([Tensor]) -> [NamedTensor]) throws {
    (self.names, self.point, self.order, self.function) = (names, point, order, function)
    results = try Recording.throwingErrors { function(point) }
    let isOneNumber = results.reduce(0) { $0 + $1.tensor.count } == 1
    weights = results.enumerated().map { index, result in
      isOneNumber ? .ones(like: result.tensor) : Self.weights(result.tensor.shape, seed: UInt64(index))
    }
    .map { $0.converted(to: .float64) }
  }

  /// Numbers of either sign with magnitudes between 1/2 and 3/2, so that no result goes unnoticed.
  private static func weights(_ shape: Shape, seed: UInt64) -> Tensor {
    let uniform = Tensor.randomUniform(shape, key: RandomKey(seed: seed + 1000), from: -1, to: 1, elementType: .float64)
    return uniform + select(uniform .< 0, -0.5, 0.5)
  }

  /// The sum of the results with their weights.
  private func projection(_ tensors: [Tensor]) -> Tensor {
    zip(function(tensors), weights).reduce(Tensor([0.0], shape: .scalar)) { sum, part in
      sum + (part.0.tensor.converted(to: .float64) * part.1).sum()
    }
  }

  /// The sum of the results with their weights, somewhere.
  func value(at tensors: [Tensor]) throws -> Double {
    try Recording.throwingErrors { projection(tensors) }.item
  }

  /// The derivatives of the sum at the point, by reverse mode.
  func derivatives() throws -> [Tensor] {
    try Recording.throwingErrors { Reel.gradient(at: point, of: projection) }
  }

  /// The program that gives the derivatives of this one.
  func gradient() throws -> CheckedProgram {
    try CheckedProgram(names: names, point: point, order: order + 1) { tensors in
      zip(names, Reel.gradient(at: tensors, of: projection)).map { NamedTensor("the gradient by \($0)", $1) }
    }
  }
}

extension Tensor {
  /// The first element that is infinite or not a number.
  var firstNotFinite: (index: Int, value: Double)? {
    numbers.enumerated().first { !$0.element.isFinite }.map { ($0.offset, $0.element) }
  }
}

extension Shape {
  /// The index along every axis of an element counted in row-major order.
  func index(of offset: Int) -> [Int] {
    zip(strides, extents).map { stride, extent in offset / stride % extent }
  }
}
