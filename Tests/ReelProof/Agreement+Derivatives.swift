import Reel

// Derivatives: the same to rounding in every way, and those of central differences.
extension Agreement {
  /// Numbers of 1/2 to 1 with either sign, exact in every element type.
  static func weights(_ count: Int, seed: UInt64) -> [Double] {
    var generator = SplitMix(seed: seed)
    return (0..<count).map { _ in [-1, -0.75, -0.5, 0.5, 0.75, 1].randomElement(using: &generator)! }
  }

  /// A direction in the space of the inputs.
  func direction(_ seed: UInt64) -> [Tensor] {
    inputs.enumerated().map { index, input in
      Tensor(Self.weights(input.count, seed: seed &+ UInt64(index)), shape: input.shape).converted(
        to: input.elementType)
    }
  }

  /// A weighted sum of all floating-point outputs.
  func loss(_ outputs: [Tensor]) -> Tensor {
    outputs.enumerated().reduce(number(0)) { sum, next in
      guard next.element.elementType.isFloatingPoint else { return sum }
      let weights = Tensor(Self.weights(next.element.count, seed: UInt64(next.offset) + 3), shape: next.element.shape)
      return sum + (next.element * weights.converted(to: next.element.elementType)).sum().converted(to: .float64)
    }
  }

  /// The sum of products of tensors.
  func inner(_ a: [Tensor], _ b: [Tensor]) -> Tensor {
    zip(a, b).reduce(number(0)) { sum, pair in
      guard pair.0.elementType.isFloatingPoint else { return sum }
      return sum + (pair.0.converted(to: .float64) * pair.1.converted(to: .float64)).sum()
    }
  }

  private func number(_ value: Double) -> Tensor { Tensor([value], shape: []) }

  func gradients(at x: [Tensor], _ unroll: Unroll) -> [Tensor] {
    gradient(at: x) { loss(function($0, unroll)) }
  }

  /// What keeps results from being the expected ones, but for rounding. Where they are not near, the rounding of what is
  /// computed is measured: by how much the results move when every input moves by its rounding.
  func close(
    _ found: [Tensor], _ expected: [Tensor], _ what: String, noise compute: ([Tensor]) -> [Tensor]
  ) -> String? {
    let tolerance = isSingle ? 2e-5 : 1e-11
    var failure: String?
    for (index, (found, expected)) in zip(found, expected).enumerated() where failure == nil {
      let scale = expected.numbers.reduce(1) { max($0, abs($1)) }
      failure = difference(found, expected, relative: tolerance, absolute: tolerance * scale, "\(what): part \(index)")
    }
    guard let failure else { return nil }
    let allowed = noise(of: expected, compute)
    for (found, expected) in zip(found, expected) {
      if difference(found, expected, relative: 0, absolute: allowed) != nil {
        return "\(failure), rounding explains \(allowed)"
      }
    }
    return nil
  }

  private func noise(of expected: [Tensor], _ compute: ([Tensor]) -> [Tensor]) -> Double {
    let unit = Tensor(floatLiteral: isSingle ? 0x1p-22 : 0x1p-51)
    return 200
      * (0..<3).reduce(0.0) { largest, turn in
        let moved = zip(inputs, direction(UInt64(turn) + 71)).map { $0 + $0 * $1 * unit + $1 * unit }
        return zip(compute(moved), expected).reduce(largest) { largest, pair in
          zip(pair.0.numbers, pair.1.numbers).reduce(largest) { max($0, abs($1.0 - $1.1)) }
        }
      }
  }

  func gradients() throws -> Outcome {
    let expected = gradients(at: inputs, .full)
    let noise = { gradients(at: $0, .full) }
    for unroll in layouts {
      if unroll != .full {
        let failure = close(gradients(at: inputs, unroll), expected, "gradient, unroll \(unroll)", noise: noise)
        if let failure { return .fails(failure) }
      }
      let program = compiled { (x: [Tensor]) in gradients(at: x, unroll) }
      let failure = close(try program(inputs), expected, "compiled gradient, unroll \(unroll)", noise: noise)
      if let failure { return .fails(failure) }
    }
    for unroll in unrolls.isEmpty ? [.full] : [Unroll.never, .full] {
      let graph = try Graph(tracing: inputs.map(\.type)) { gradients(at: $0, unroll) }
      let failure = failure(of: graph, after: Self.passes) {
        close($0, expected, "gradient, unroll \(unroll), \($1)", noise: noise)
      }
      if let failure { return .fails(failure) }
    }
    return .agrees
  }

  func numeric() -> Outcome {
    guard !isSingle else { return .undecided }
    let along = direction(11)
    let found = gradients(at: inputs, unrolls.first ?? .full)
    return slope(of: { loss(function($0, .full)) }, along, is: found, "gradient")
  }

  func secondOrder() throws -> Outcome {
    let v = direction(23)
    let projection = { (x: [Tensor], unroll: Unroll) in inner(gradients(at: x, unroll), v) }
    let expected = gradient(at: inputs) { projection($0, .full) }
    let noise = { (x: [Tensor]) in gradient(at: x) { projection($0, .full) } }
    for unroll in layouts {
      let twice = { (x: [Tensor]) in gradient(at: x) { projection($0, unroll) } }
      let ways = [
        ("eager", unroll == .full ? expected : twice(inputs)), ("compiled", try compiled(twice)(inputs)),
        ("forward over reverse", hessianVectorProduct(at: inputs, along: v) { loss(function($0, unroll)) }),
      ]
      for (name, found) in ways {
        let failure = close(found, expected, "second order, \(name), unroll \(unroll)", noise: noise)
        if let failure { return .fails(failure) }
      }
    }
    if isSingle { return .agrees }
    return slope(of: { projection($0, .full) }, direction(37), is: expected, "second derivative")
  }

  func forward() throws -> Outcome {
    let v = direction(41)
    func derivative(_ x: [Tensor], _ unroll: Unroll) -> [Tensor] {
      jvp(at: x, along: v) { function($0, unroll) }
    }
    let expected = derivative(inputs, .full)
    let noise = { (x: [Tensor]) in derivative(x, .full) }
    for unroll in layouts {
      let eager = unroll == .full ? expected : derivative(inputs, unroll)
      let staged = try compiled { (x: [Tensor]) in derivative(x, unroll) }(inputs)
      let failure =
        close(eager, expected, "derivative, unroll \(unroll)", noise: noise)
        ?? close(staged, expected, "compiled derivative, unroll \(unroll)", noise: noise)
      if let failure { return .fails(failure) }
    }
    let slope = { (x: [Tensor]) in [jvp(at: x, along: v) { loss(function($0, .full)) }] }
    let reverse = [inner(gradients(at: inputs, .full), v)]
    return close(slope(inputs), reverse, "forward against reverse mode", noise: slope).map { .fails($0) } ?? .agrees
  }
}
